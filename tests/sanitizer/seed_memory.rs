//! `seed-memory overflow|leak|nothing`: faults of memory that AddressSanitizer and LeakSanitizer have to
//! catch, or their silence over the engine's tests says nothing.
#![allow(
    unsafe_code,
    reason = "writes behind its memory, for a sanitizer to see"
)]

use std::hint::black_box;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("overflow") => overflow(),
        Some("leak") => leak(),
        Some("nothing") => {}
        _ => {
            eprintln!("seed-memory: expected overflow, leak or nothing");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

#[inline(never)]
fn overflow() {
    let mut samples = black_box(vec![0.0f32; 64]);
    let first = samples.as_mut_ptr();
    // SAFETY: there is none: the 65th sample is not ours. The allocator's smallest step leaves room
    // behind it, so that this harms nothing where nobody looks.
    unsafe { black_box(first.add(64)).write(1.0) };
}

#[inline(never)]
fn leak() {
    std::mem::forget(black_box(vec![1u8; 4_096]));
    // What the stack and the registers still hold is overwritten.
    let rest: Vec<Box<usize>> = (0..256).map(Box::new).collect();
    black_box(rest);
}
