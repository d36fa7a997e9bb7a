//! `soak HOURS CSV [under-a-tool]`: the long soak. A line of the CSV for each look at memory; the faults, if
//! any, at the end. Under a tool that maps memory of its own only what is in use may not
//! grow.

use std::process::ExitCode;

use assert_no_alloc::AllocDisabler;
use cap::Cap;

/// Counts what is in use, and ends the program at the first allocation on the audio thread.
#[global_allocator]
static ALLOCATOR: Cap<AllocDisabler> = Cap::new(AllocDisabler, usize::MAX);

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use headroom_tests::soak::{Look, Soak, run};
    use std::io::Write as _;

    let mut arguments = std::env::args().skip(1);
    let hours = arguments.next().and_then(|hours| hours.parse().ok());
    let (Some(hours), Some(path)) = (hours, arguments.next()) else {
        eprintln!("soak: expected HOURS CSV");
        return ExitCode::FAILURE;
    };
    let soak = Soak::of_hours(hours, || ALLOCATOR.allocated());
    let written = std::fs::File::create(&path).and_then(|mut csv| {
        writeln!(csv, "audio_secs,resident_bytes,retired_bytes,in_use_bytes")?;
        let mut failed = Ok(());
        let soaked = run(&soak, |look: &Look| {
            let Look {
                audio_secs,
                in_use_bytes,
                resident_bytes,
                retired_bytes,
                ..
            } = look;
            let hours = audio_secs / 3_600.0;
            println!("{hours:5.2} h: {in_use_bytes} bytes in use, {resident_bytes} resident");
            if failed.is_ok() {
                failed = writeln!(
                    csv,
                    "{audio_secs:.1},{resident_bytes},{retired_bytes},{in_use_bytes}"
                );
            }
        });
        failed.map(|()| soaked)
    });
    let soaked = match written {
        Ok(soaked) => soaked,
        Err(error) => {
            eprintln!("soak: {path}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!(
        "{hours} h of audio: {} edits, {} preset changes, {} moves, {} panics; what is in use grew by {} bytes, resident memory by {}",
        soaked.edits,
        soaked.presets,
        soaked.moves,
        soaked.panics,
        soaked.growth_bytes(),
        soaked.resident_growth_bytes()
    );
    let faults = match arguments.next().as_deref() {
        Some("under-a-tool") => soaked.faults_under_a_tool(),
        _ => soaked.faults(),
    };
    for fault in &faults {
        eprintln!("soak: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("soak: only on Linux");
    ExitCode::FAILURE
}
