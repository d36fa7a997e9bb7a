//! The stages that run under Valgrind.

use crate::error::Error;
use crate::stage::Stage;
use crate::{packages, shell};
use std::path::Path;
use std::process::Command;

/// Hours of audio under memcheck, which is some fifty times slower.
const MEMCHECK_HOURS: &str = "0.5";
/// What the heap may grow by while a file is rendered.
const GROWTH_BYTES: u64 = 4_096;
/// Seconds of audio that are rendered under massif.
const MASSIF_SECS: u32 = 20;

/// `[main]` A short soak: no invalid access, nothing uninitialised decides anything, no leak.
pub(crate) fn memcheck(stage: &Stage<'_>) -> Result<(), Error> {
    packages::ensure(&[packages::VALGRIND])?;
    let program = shell::build("headroom-tests", "soak")?;
    let mut memcheck = Command::new("valgrind");
    memcheck.args(["--error-exitcode=9", "--leak-check=full"]);
    // What is still pointed to at the end was not lost.
    memcheck.args(["--show-leak-kinds=definite,indirect"]);
    memcheck.args(["--errors-for-leak-kinds=definite,indirect"]);
    memcheck.arg(program).arg(MEMCHECK_HOURS);
    // What is mapped is Valgrind's own memory too.
    memcheck
        .arg(stage.folder.join("memcheck.csv"))
        .arg("under-a-tool");
    stage.run(&mut memcheck)
}

/// `[main]` The heap of an offline render over time, and its peak.
pub(crate) fn massif(stage: &Stage<'_>) -> Result<(), Error> {
    packages::ensure(&[packages::BUILD, packages::VALGRIND])?;
    let program = shell::build("headroom", "headroom")?;
    let input = stage.folder.join("massif-in.wav");
    write_noise(&input)?;
    let file = stage.folder.join("massif.out");
    let mut massif = Command::new("valgrind");
    massif.args(["--quiet", "--tool=massif", "--time-unit=i"]);
    massif.arg(format!("--massif-out-file={}", file.display()));
    massif.arg(program).arg("render").arg(&input);
    massif.arg(stage.folder.join("massif-out.wav"));
    massif.args(["--preset", "drum-bus"]);
    stage.run(&mut massif)?;
    let text = std::fs::read_to_string(&file).map_err(|source| Error::file(&file, source))?;
    let heap = heap_bytes(&text);
    let (Some(peak), Some(last)) = (heap.iter().max(), heap.last()) else {
        return Err(Error::output("massif", "its file has no line `mem_heap_B`"));
    };
    println!(
        "{}: {} snapshots, peak {peak} bytes of heap, last {last} bytes (racks have regions of their own)",
        file.display(),
        heap.len()
    );
    match growth_bytes(&heap) {
        0..=GROWTH_BYTES => Ok(()),
        bytes => Err(Error::Check(format!(
            "the heap grew by {bytes} bytes while it rendered: at most {GROWTH_BYTES}"
        ))),
    }
}

/// What the most of the third fourth is beyond the most of the second: before and behind these a program takes and
/// gives back what it needs for its start and its end.
fn growth_bytes(heap: &[u64]) -> u64 {
    let fourth = heap.len() / 4;
    let most = |heap: &[u64]| heap.iter().max().copied().unwrap_or(0);
    most(&heap[2 * fourth..3 * fourth]).saturating_sub(most(&heap[fourth..2 * fourth]))
}

/// The heap's bytes, snapshot by snapshot.
fn heap_bytes(file: &str) -> Vec<u64> {
    let values = file
        .lines()
        .filter_map(|line| line.strip_prefix("mem_heap_B="));
    values.filter_map(|value| value.parse().ok()).collect()
}

fn write_noise(path: &Path) -> Result<(), Error> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut state = 1u32;
    let mut write = || {
        let mut writer = hound::WavWriter::create(path, spec)?;
        for _ in 0..2 * 48_000 * MASSIF_SECS {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            writer.write_sample((state >> 18) as i16)?;
        }
        writer.finalize()
    };
    write().map_err(|source| Error::wave(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_of_each_snapshot_is_found() {
        let file = "snapshot=0\nmem_heap_B=0\nmem_heap_extra_B=8\nsnapshot=1\nmem_heap_B=77\n";
        assert_eq!(heap_bytes(file), [0, 77]);
    }

    #[test]
    fn a_heap_that_grows_between_start_and_end_is_told_from_one_that_is_level() {
        let heap =
            |step: u64| (0..20).map(move |at| if at == 19 { 900_000 } else { 5_000 + at * step });
        assert_eq!(growth_bytes(&heap(0).collect::<Vec<_>>()), 0);
        assert_eq!(growth_bytes(&heap(1_000).collect::<Vec<_>>()), 5_000);
        assert_eq!(growth_bytes(&[]), 0);
    }
}
