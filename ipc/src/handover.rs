//! How a client gets its segments: over a line (`stream`), from a process of the same user.
//!
//! The audio process sends one message of [`HELLO_BYTES`] bytes with both pieces of memory beside it, or with
//! the names of both segments in it. The line stays open for as long as the client is attached: its end is
//! how each side learns of the other's death.

use std::io;
use std::time::Duration;

use crate::region::{CommandRegion, MAX_CLIENTS, Region, VERSION};
use crate::segment::{Access, Segment, SegmentError};
use crate::stream::{self, Luggage, Stream};

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

/// `[main]` Hands both segments to a client. Does not wait: a fresh socket has room.
pub(crate) fn give(
    stream: &Stream,
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
    let beside: Vec<_> = [region.lent(), commands.lent()]
        .into_iter()
        .flatten()
        .collect();
    stream::send(stream, &hello, &beside)
}

/// `[main]` Takes what [`give`] sends; waits two seconds at most.
pub(crate) fn take(stream: &Stream) -> Result<Handover, AttachError> {
    if !stream::is_ours(stream) {
        return Err(AttachError::Stranger);
    }
    let mut hello = [0; HELLO_BYTES];
    let (received, luggage) = match stream::receive(stream, &mut hello, PATIENCE) {
        Ok(received) => received,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(AttachError::Silent),
        Err(error) => return Err(AttachError::System(error)),
    };
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
        (region, commands) if region.is_empty() && commands.is_empty() => open_given(luggage)?,
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

fn open_given(
    luggage: Vec<Luggage>,
) -> Result<(Segment<Region>, Segment<CommandRegion>), AttachError> {
    let Ok([region, commands]) = <[Luggage; 2]>::try_from(luggage) else {
        return Err(AttachError::Foreign);
    };
    Ok((
        Segment::open_given(region, Access::Maker)?,
        Segment::open_given(commands, Access::Both)?,
    ))
}
