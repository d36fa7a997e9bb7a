//! What Linux has of its own for sockets.

use rustix::net::{RecvFlags, SendFlags};

use super::Stream;

/// The end of a line is an error to whoever writes, and no signal; nobody waits for room.
pub(super) const SEND: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);
/// No child inherits a file that came over a line.
pub(super) const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;

/// Whom the process at the other end acts for.
pub(super) fn user_of_peer(stream: &Stream) -> Option<u32> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some(peer.uid.as_raw())
}
