//! The program `headroom`.
mod audio_file;
fn main() {}
