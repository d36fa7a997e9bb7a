//! What a program that starts this one leaves it, on Unix.

use headroom_ipc::Stream;
use std::os::fd::AsFd;

/// Closes what a plugin's host has left open for its children: no device or file of its is held by a screen.
/// Whoever starts one copies nothing of itself for it, and so cannot close them in between.
pub(crate) fn close() {
    let Ok(entries) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    let number = |entry: std::io::Result<std::fs::DirEntry>| -> Option<i32> {
        entry.ok()?.file_name().to_str()?.parse().ok()
    };
    let open: Vec<i32> = entries.filter_map(number).collect();
    for file in open.into_iter().filter(|file| *file > 2) {
        // The folder that was read is among them, and closed already.
        nix::unistd::close(file).unwrap_or_default();
    }
}

/// The line to the program that started this one: its standard input.
pub(crate) fn line() -> std::io::Result<Stream> {
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    Ok(Stream::from(input))
}
