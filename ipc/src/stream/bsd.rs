//! What macOS, as other descendants of BSD, has of its own for sockets. Never run.

use rustix::net::{RecvFlags, SendFlags};

use super::Stream;

/// Nobody waits for room. That the end of a line is no signal is set by the standard library, for each socket.
pub(super) const SEND: SendFlags = SendFlags::DONTWAIT;
/// No files come over a line here: segments have names.
pub(super) const RECEIVE: RecvFlags = RecvFlags::empty();

/// Whom the process at the other end acts for.
pub(super) fn user_of_peer(stream: &Stream) -> Option<u32> {
    let (user, _) = nix::unistd::getpeereid(stream).ok()?;
    Some(user.as_raw())
}
