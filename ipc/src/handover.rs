//! How a client gets its segments: over a Unix socket, from a process of the same user.
//!
//! The audio process sends one message of [`HELLO_BYTES`] bytes with both memory files beside it, or with
//! the names of both segments in it. The socket stays open for as long as the client is attached: its end is
//! how each side learns of the other's death.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

use crate::region::{CommandRegion, MAX_CLIENTS, Region, VERSION};
use crate::runtime::user;
use crate::segment::{Access, Segment, SegmentError};

/// Of the one message that is sent.
const HELLO_BYTES: usize = 96;
/// How long a client waits for it.
const PATIENCE: Duration = Duration::from_secs(2);
const MARK: &[u8; 4] = b"HRM:";
/// Bytes of each segment's name in it.
const NAME_BYTES: usize = 40;

/// Why a client cannot attach.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody is there.
    #[error("no program of yours is running that could be attached to: expected `headroom play`")]
    Nobody,
    /// The socket.
    #[error("{path}: {error}")]
    Connect {
        /// Where.
        path: std::path::PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It takes no more, or is of another user.
    #[error("the program refuses: it has {MAX_CLIENTS} clients already, or is another user's")]
    Refused,
    /// It does not answer.
    #[error("the program does not answer: expected an answer within 2 s")]
    Silent,
    /// It answers something else.
    #[error("this is no answer of Headroom's")]
    Foreign,
    /// Another version.
    #[error("the program speaks version {0}: expected {VERSION}; both must come from one release")]
    Version(u32),
    /// Not this one.
    #[error("it belongs to another user")]
    Stranger,
    /// Its memory.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// Where programs show themselves.
    #[error(transparent)]
    Runtime(#[from] crate::runtime::RuntimeError),
    /// Anything else of the system's.
    #[error("attaching: {0}")]
    System(io::Error),
}

/// What a client was given.
pub(crate) struct Handover {
    pub(crate) region: Segment<Region>,
    pub(crate) commands: Segment<CommandRegion>,
    /// Which line of the region is its own.
    pub(crate) place: usize,
}

/// `[main]` Whether the process at the other end acts for the same user.
pub(crate) fn is_ours(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid.as_raw() == user())
}

/// `[main]` Hands both segments to a client. Does not wait: a fresh socket has room.
pub(crate) fn give(
    stream: &UnixStream,
    region: &Segment<Region>,
    commands: &Segment<CommandRegion>,
    place: usize,
) -> io::Result<()> {
    let mut hello = [0; HELLO_BYTES];
    hello[..4].copy_from_slice(MARK);
    hello[4..8].copy_from_slice(&VERSION.to_le_bytes());
    hello[8] = place as u8;
    for (at, name) in [(16, region.name()), (16 + NAME_BYTES, commands.name())] {
        let name = name.unwrap_or_default().as_bytes();
        if name.len() >= NAME_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        hello[at..at + name.len()].copy_from_slice(name);
    }
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    let files: Vec<_> = [region.file(), commands.file()]
        .into_iter()
        .flatten()
        .collect();
    if !files.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let sent = rustix::net::sendmsg(stream, &[io::IoSlice::new(&hello)], &mut beside, flags)?;
    if sent == HELLO_BYTES {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

/// `[main]` Takes what [`give`] sends; waits two seconds at most.
pub(crate) fn take(stream: &UnixStream) -> Result<Handover, AttachError> {
    if !is_ours(stream) {
        return Err(AttachError::Stranger);
    }
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(AttachError::System)?;
    let mut hello = [0; HELLO_BYTES];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        stream,
        &mut [io::IoSliceMut::new(&mut hello)],
        &mut beside,
        RecvFlags::CMSG_CLOEXEC,
    );
    let received = match received {
        Ok(message) => message.bytes,
        Err(rustix::io::Errno::AGAIN) => return Err(AttachError::Silent),
        Err(error) => return Err(AttachError::System(error.into())),
    };
    // What came along is ours to close, whatever the message says.
    let mut files: Vec<OwnedFd> = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            files.extend(rights);
        }
    }
    match received {
        0 => return Err(AttachError::Refused),
        HELLO_BYTES if hello[..4] == MARK[..] => {}
        _ => return Err(AttachError::Foreign),
    }
    let version = u32::from_le_bytes([hello[4], hello[5], hello[6], hello[7]]);
    if version != VERSION {
        return Err(AttachError::Version(version));
    }
    let place = usize::from(hello[8]);
    if place >= MAX_CLIENTS {
        return Err(AttachError::Foreign);
    }
    let name = |at: usize| {
        let bytes = &hello[at..at + NAME_BYTES];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let (region, commands) = match (name(16), name(16 + NAME_BYTES)) {
        (region, commands) if region.is_empty() && commands.is_empty() => open_files(files)?,
        (region, commands) => (
            Segment::open_named(&region)?,
            Segment::open_named(&commands)?,
        ),
    };
    Ok(Handover {
        region,
        commands,
        place,
    })
}

#[cfg(target_os = "linux")]
fn open_files(
    files: Vec<OwnedFd>,
) -> Result<(Segment<Region>, Segment<CommandRegion>), AttachError> {
    let Ok([region, commands]) = <[OwnedFd; 2]>::try_from(files) else {
        return Err(AttachError::Foreign);
    };
    Ok((
        Segment::open_file(region, Access::Maker)?,
        Segment::open_file(commands, Access::Both)?,
    ))
}

#[cfg(not(target_os = "linux"))]
fn open_files(
    _files: Vec<OwnedFd>,
) -> Result<(Segment<Region>, Segment<CommandRegion>), AttachError> {
    let _ = Access::Both;
    Err(AttachError::Foreign)
}

/// What is heard of the other side by a look at the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It is there.
    Open,
    /// It has ended, or has let go.
    Closed,
}

/// `[main]` Looks at a socket without waiting. Nothing is ever said over it: a few bytes that somebody sends
/// all the same are thrown away.
pub(crate) fn look(stream: &UnixStream) -> Line {
    let mut nothing = [0_u8; 64];
    match rustix::net::recv(stream, &mut nothing[..], RecvFlags::DONTWAIT) {
        Ok((0, _)) => Line::Closed,
        Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Line::Open,
        Err(_) => Line::Closed,
    }
}
