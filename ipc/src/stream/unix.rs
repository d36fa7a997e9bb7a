//! A line between two processes on Unix: a socket. Memory files travel over it beside a message, and the kernel
//! says whose process is at the other end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
};

use super::{Heard, kernel};

/// One end of a line.
pub use std::os::unix::net::UnixStream as Stream;

/// What travels beside a message.
pub(crate) type Luggage = OwnedFd;
/// The same, while it is still here.
pub(crate) type Lent<'a> = BorrowedFd<'a>;

/// Where clients come in.
pub(crate) struct Listener(UnixListener);

impl Listener {
    /// `[main]` Opens at a path where nothing is.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// `[main]` Who is at the door, if anybody is.
    pub(crate) fn accept(&mut self) -> Option<Stream> {
        self.0.accept().ok().map(|(stream, _)| stream)
    }
}

/// `[main]` Goes to the door at a path.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    Stream::connect(path)
}

/// `[main]` Starts a program with the other end of a line as its standard input.
pub(crate) fn spawn(mut command: Command) -> io::Result<(Child, Stream)> {
    let (ours, theirs) = Stream::pair()?;
    let child = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    Ok((child, ours))
}

/// `[main]` Whether the process at the other end acts for the same user.
pub(crate) fn is_ours(stream: &Stream) -> bool {
    kernel::user_of_peer(stream) == Some(rustix::process::geteuid().as_raw())
}

/// `[main]` Sends one message and what goes with it. Does not wait: a fresh socket has room.
pub(crate) fn send(stream: &Stream, message: &[u8], luggage: &[Lent<'_>]) -> io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !luggage.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(luggage)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let message = [io::IoSlice::new(message)];
    let sent = rustix::net::sendmsg(stream, &message, &mut beside, kernel::SEND)?;
    if sent == message[0].len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

/// `[main]` Takes a message and what came with it; how much of `message` was filled: nothing at the line's end.
pub(crate) fn receive(
    stream: &Stream,
    message: &mut [u8],
    patience: Duration,
) -> io::Result<(usize, Vec<Luggage>)> {
    stream.set_read_timeout(Some(patience))?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        stream.as_fd(),
        &mut [io::IoSliceMut::new(message)],
        &mut beside,
        kernel::RECEIVE,
    );
    let received = match received {
        Ok(message) => message.bytes,
        Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
        Err(error) => return Err(error.into()),
    };
    // What came along is ours to close, whatever the message says.
    let mut luggage = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            luggage.extend(rights);
        }
    }
    Ok((received, luggage))
}

/// `[main]` Looks at a line without waiting. Nothing is ever said over it behind the first message: a few bytes
/// that somebody sends all the same are thrown away.
pub(crate) fn look(stream: &Stream) -> Heard {
    let mut nothing = [0_u8; 64];
    match rustix::net::recv(stream, &mut nothing[..], RecvFlags::DONTWAIT) {
        Ok((0, _)) => Heard::Closed,
        Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Heard::Open,
        Err(_) => Heard::Closed,
    }
}
