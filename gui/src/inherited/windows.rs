//! What a program that starts this one leaves it, on Windows.

use headroom_ipc::Stream;
use std::os::windows::io::AsHandle;

/// Nothing: what a host has made inheritable cannot be told from what this program needs, and stays open.
pub(crate) fn close() {}

/// The line to the program that started this one: its standard input.
pub(crate) fn line() -> std::io::Result<Stream> {
    let input = std::io::stdin().as_handle().try_clone_to_owned()?;
    Ok(Stream::from(input))
}
