//! Where bytes come from: a file with a known length, or a stream that only goes forward.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::error::ReadError;
#[cfg(target_os = "linux")]
use super::mapped_file::MappedFile;

/// The most bytes of a stream that are kept to be read a second time.
const MAX_REMEMBERED_BYTES: usize = 1 << 20;

/// A stream of bytes that may cross threads, as decoders ask for.
pub(super) type Stream = Box<dyn Read + Send + Sync>;

/// Bytes, and what is known about them before the first is read.
pub(super) enum ByteSource {
    /// A regular file: it can be rewound and its length is known.
    File(Regular),
    /// Standard input, a pipe or a device.
    Stream(Stream),
}

/// A regular file: mapped where that can be done, or else read.
pub(super) enum Regular {
    #[cfg(target_os = "linux")]
    Mapped(MappedFile),
    Read(File),
}

impl Regular {
    fn new(file: File) -> Self {
        #[cfg(target_os = "linux")]
        let file = match MappedFile::new(file) {
            Ok(mapped) => return Self::Mapped(mapped),
            Err(file) => file,
        };
        Self::Read(file)
    }

    fn length_bytes(&self) -> io::Result<u64> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Mapped(file) => Ok(file.length_bytes()),
            Self::Read(file) => Ok(file.metadata()?.len()),
        }
    }
}

impl Read for Regular {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Mapped(file) => file.read(bytes),
            Self::Read(file) => file.read(bytes),
        }
    }
}

impl Seek for Regular {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Mapped(file) => file.seek(to),
            Self::Read(file) => file.seek(to),
        }
    }
}

impl MediaSource for Regular {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        self.length_bytes().ok()
    }
}

impl ByteSource {
    /// `[main]` Opens `path`; a folder is an error.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let failed = |source| ReadError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let kind = file.metadata().map_err(failed)?;
        if kind.is_dir() {
            return Err(ReadError::Folder {
                path: path.to_owned(),
            });
        }
        Ok(if kind.is_file() {
            Self::File(Regular::new(file))
        } else {
            Self::Stream(Box::new(file))
        })
    }

    /// How many bytes there are from the start of the file; unknown for a stream.
    pub(super) fn length_bytes(&self) -> io::Result<Option<u64>> {
        match self {
            Self::File(file) => Ok(Some(file.length_bytes()?)),
            Self::Stream(_) => Ok(None),
        }
    }
}

/// A source while its header is read: it counts, and it can go back to the start.
pub(super) struct Header {
    source: ByteSource,
    position: u64,
    /// What was read from a stream so far; a file needs no memory.
    remembered: Option<Vec<u8>>,
}

impl Header {
    pub(super) fn new(source: ByteSource) -> Self {
        let remembered = matches!(source, ByteSource::Stream(_)).then(Vec::new);
        Self {
            source,
            position: 0,
            remembered,
        }
    }

    /// How many bytes were read or skipped.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes the source holds in all; unknown for a stream.
    pub(super) fn length_bytes(&self) -> io::Result<Option<u64>> {
        self.source.length_bytes()
    }

    /// No need to go back any more: stop remembering.
    pub(super) fn commit(&mut self) {
        self.remembered = None;
    }

    /// The next `N` bytes.
    pub(super) fn next_bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Passes over `length_bytes`.
    pub(super) fn skip(&mut self, length_bytes: u64) -> io::Result<()> {
        if let ByteSource::File(file) = &mut self.source {
            self.position = self.position.saturating_add(length_bytes);
            return file.seek(SeekFrom::Start(self.position)).map(|_| ());
        }
        let skipped = io::copy(&mut Read::take(&mut *self, length_bytes), &mut io::sink())?;
        if skipped < length_bytes {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(())
        }
    }

    /// The source as it stands, after the header.
    pub(super) fn into_rest(self) -> Stream {
        match self.source {
            ByteSource::File(file) => Box::new(file),
            ByteSource::Stream(stream) => stream,
        }
    }

    /// The source from its first byte again. `None` when a stream has gone too far to be taken back.
    pub(super) fn into_start(self) -> io::Result<Option<ByteSource>> {
        match (self.source, self.remembered) {
            (ByteSource::File(mut file), _) => {
                file.rewind()?;
                Ok(Some(ByteSource::File(file)))
            }
            (ByteSource::Stream(stream), Some(start)) => Ok(Some(ByteSource::Stream(Box::new(
                Cursor::new(start).chain(stream),
            )))),
            (ByteSource::Stream(_), None) => Ok(None),
        }
    }
}

impl Read for Header {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            ByteSource::File(file) => file.read(bytes)?,
            ByteSource::Stream(stream) => stream.read(bytes)?,
        };
        self.position += count as u64;
        match &mut self.remembered {
            Some(start) if start.len() + count <= MAX_REMEMBERED_BYTES => {
                start.extend_from_slice(&bytes[..count])
            }
            remembered => *remembered = None,
        }
        Ok(count)
    }
}
