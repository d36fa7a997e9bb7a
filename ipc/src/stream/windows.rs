//! A line between two processes on Windows: a named pipe that only this user may open. Memory travels as handles
//! that are put into the other process, and the system says which process is at the other end.
//!
//! A pipe's name is that of its file in the runtime folder, which holds nothing else: whoever cannot read the
//! folder cannot guess it, and whoever can is asked for its user all the same.

#![allow(
    unsafe_code,
    reason = "calls the system for pipes, for processes and for whose they are"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    DUPLICATE_CLOSE_SOURCE, DUPLICATE_SAME_ACCESS, DuplicateHandle, ERROR_BROKEN_PIPE,
    ERROR_NO_DATA, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, ERROR_PIPE_NOT_CONNECTED, HANDLE,
    INVALID_HANDLE_VALUE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_ACCESS_DUPLEX, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, DisconnectNamedPipe, GetNamedPipeClientProcessId,
    GetNamedPipeServerProcessId, PIPE_NOWAIT, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, PeekNamedPipe,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NO_WINDOW, GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_DUP_HANDLE,
    PROCESS_QUERY_LIMITED_INFORMATION,
};

use super::Heard;

/// What travels behind a message.
pub(crate) type Luggage = OwnedHandle;
/// The same, while it is still here.
pub(crate) type Lent<'a> = BorrowedHandle<'a>;

/// Of a pipe, in each direction: more than is ever said.
const BUFFER_BYTES: u32 = 4_096;
/// Handles that travel behind a message.
const MOST_LUGGAGE: usize = 2;
/// How long a client stands at a door where another one is being let in.
const AT_THE_DOOR: Duration = Duration::from_secs(2);
/// Between two looks at a pipe of which something is expected.
const PAUSE: Duration = Duration::from_millis(2);

/// One end of a line.
#[derive(Debug)]
pub struct Stream {
    pipe: File,
    end: End,
}

/// Which end, and so who is at the other.
#[derive(Debug)]
enum End {
    /// The pipe's maker; the other is whoever opened it.
    Maker,
    /// The pipe's maker; the other is this process, which was given it.
    MakerFor(OwnedHandle),
    /// Whoever opened it.
    Client,
}

impl Stream {
    /// `[main]` Both ends.
    ///
    /// # Errors
    ///
    /// The system refuses.
    pub fn pair() -> io::Result<(Self, Self)> {
        let name = pipe_name(&format!(
            "{}-{:016x}.pair",
            std::process::id(),
            crate::segment::nonce()
        ));
        let mut door = Listener::at(name.clone())?;
        let theirs = open_pipe(&name)?;
        let ours = door.accept().ok_or(io::ErrorKind::NotConnected)?;
        Ok((ours, theirs))
    }

    /// Whose pipe it is at the other end.
    fn peer(&self) -> io::Result<u32> {
        let mut pid = 0;
        let pipe = self.pipe.as_raw_handle();
        // SAFETY: the pipe is open for as long as `self`, and `pid` is written during the calls only.
        let asked = unsafe {
            match self.end {
                End::Client => GetNamedPipeServerProcessId(pipe, &mut pid),
                End::Maker | End::MakerFor(_) => GetNamedPipeClientProcessId(pipe, &mut pid),
            }
        };
        done(asked).map(|()| pid)
    }

    /// Bytes that wait to be read.
    fn waiting(&self) -> io::Result<usize> {
        let mut bytes = 0;
        let nothing = std::ptr::null_mut();
        // SAFETY: the pipe is open for as long as `self`; no bytes are asked for, and their number is written
        // during the call only.
        let asked = unsafe {
            PeekNamedPipe(
                self.pipe.as_raw_handle(),
                nothing,
                0,
                std::ptr::null_mut(),
                &mut bytes,
                std::ptr::null_mut(),
            )
        };
        done(asked).map(|()| bytes as usize)
    }

    /// Fills `bytes` by what comes in time; how many came before the line's end.
    fn fill(&self, bytes: &mut [u8], deadline: Instant) -> io::Result<usize> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.waiting() {
                Ok(0) if Instant::now() > deadline => return Err(io::ErrorKind::TimedOut.into()),
                Ok(0) => std::thread::sleep(PAUSE),
                Ok(there) => {
                    let next = there.min(bytes.len() - filled);
                    filled += (&self.pipe).read(&mut bytes[filled..filled + next])?;
                }
                Err(error) if is_the_end(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// The end that a program finds as its standard input.
impl From<OwnedHandle> for Stream {
    fn from(pipe: OwnedHandle) -> Self {
        Self {
            pipe: File::from(pipe),
            end: End::Client,
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where clients come in: the pipe that the next one opens.
pub(crate) struct Listener {
    name: Vec<u16>,
    next: File,
}

impl Listener {
    /// `[main]` Opens at a path where nothing is: a file there says so.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let listener = Self::at(pipe_name(&file))?;
        File::create_new(path)?;
        Ok(listener)
    }

    fn at(name: Vec<u16>) -> io::Result<Self> {
        let next = make_pipe(&name, FILE_FLAG_FIRST_PIPE_INSTANCE)?;
        Ok(Self { name, next })
    }

    /// `[main]` Who is at the door, if anybody is.
    pub(crate) fn accept(&mut self) -> Option<Stream> {
        let next = self.next.as_raw_handle();
        // SAFETY: the pipe is open; it does not wait (PIPE_NOWAIT), so that no structure for later is needed.
        done(unsafe { ConnectNamedPipe(next, std::ptr::null_mut()) })
            .err()
            .and_then(|error| match code(&error) {
                ERROR_PIPE_CONNECTED => Some(()),
                // Somebody came and went again: the place is free for the next.
                ERROR_NO_DATA => {
                    // SAFETY: the pipe is open, and is this process's end.
                    unsafe { DisconnectNamedPipe(next) };
                    None
                }
                _ => None,
            })?;
        // Without a pipe for the next one this one stays at the door.
        let following = make_pipe(&self.name, 0).ok()?;
        Some(Stream {
            pipe: std::mem::replace(&mut self.next, following),
            end: End::Maker,
        })
    }
}

/// `[main]` Goes to the door at a path.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    // The file is what says that somebody is there.
    std::fs::metadata(path)?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    open_pipe(&pipe_name(&file))
}

/// `[main]` Starts a program with the other end of a line as its standard input.
pub(crate) fn spawn(mut command: Command) -> io::Result<(Child, Stream)> {
    let (mut ours, theirs) = Stream::pair()?;
    let child = command
        .stdin(Stdio::from(OwnedHandle::from(theirs.pipe)))
        // A program of the console opens none beside its own window.
        .creation_flags(CREATE_NO_WINDOW)
        .spawn()?;
    // The pipe was opened here, and goes on there.
    ours.end = End::MakerFor(child.as_handle().try_clone_to_owned()?);
    Ok((child, ours))
}

/// `[main]` Whether the process at the other end acts for the same user.
pub(crate) fn is_ours(stream: &Stream) -> bool {
    let theirs = stream.peer().and_then(|pid| open_process(pid, 0));
    let theirs = theirs.and_then(|process| user_of(process.as_handle()));
    theirs.is_ok_and(|theirs| own_user().is_ok_and(|ours| ours == theirs))
}

/// `[main]` Sends one message and what goes with it. Does not wait: a fresh pipe has room.
pub(crate) fn send(stream: &Stream, message: &[u8], luggage: &[Lent<'_>]) -> io::Result<()> {
    let opened;
    let peer = match &stream.end {
        End::MakerFor(process) => process.as_handle(),
        End::Maker | End::Client => {
            opened = open_process(stream.peer()?, PROCESS_DUP_HANDLE)?;
            // Asked once it is held: its number is no other's from now on.
            if user_of(opened.as_handle())? != own_user()? || look(stream) == Heard::Closed {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            opened.as_handle()
        }
    };
    let mut bytes = message.to_vec();
    for handle in luggage {
        bytes.extend(put_into(peer, *handle)?.to_le_bytes());
    }
    if (&stream.pipe).write(&bytes)? == bytes.len() {
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
    let deadline = Instant::now() + patience;
    let filled = stream.fill(message, deadline)?;
    let mut luggage = Vec::new();
    // What belongs to the message was written with it, and is there now.
    for _ in 0..MOST_LUGGAGE {
        let mut handle = [0; 8];
        if !stream.waiting().is_ok_and(|there| there >= handle.len()) {
            break;
        }
        stream.fill(&mut handle, deadline)?;
        luggage.extend(take_in(u64::from_le_bytes(handle)));
    }
    Ok((filled, luggage))
}

/// `[main]` Looks at a line without waiting. Nothing is ever said over it behind the first message: a few bytes
/// that somebody sends all the same are thrown away.
pub(crate) fn look(stream: &Stream) -> Heard {
    let mut nothing = [0_u8; 64];
    match stream.waiting() {
        Ok(0) => Heard::Open,
        Ok(there) => {
            let there = there.min(nothing.len());
            // Its end, if it has one now, is what the next look finds.
            let _thrown_away = (&stream.pipe).read(&mut nothing[..there]);
            Heard::Open
        }
        Err(_) => Heard::Closed,
    }
}

/// The pipe that belongs to a file of this name.
fn pipe_name(file: &str) -> Vec<u16> {
    let name = format!(r"\\.\pipe\headroom-{file}");
    Path::new(&name)
        .as_os_str()
        .encode_wide()
        .chain([0])
        .collect()
}

/// A pipe's near end, for this user alone.
fn make_pipe(name: &[u16], flags: u32) -> io::Result<File> {
    let user = own_user()?;
    let only_ours = Guarded::by(&format!("D:P(A;;GA;;;{user})"))?;
    // SAFETY: `name` ends with 0 (`pipe_name`) and the attributes live during the call.
    let pipe = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | flags,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_NOWAIT | PIPE_REJECT_REMOTE_CLIENTS,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER_BYTES,
            BUFFER_BYTES,
            0,
            &only_ours.attributes(),
        )
    };
    if pipe == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just made, and nobody else has it.
    Ok(File::from(unsafe { OwnedHandle::from_raw_handle(pipe) }))
}

/// A pipe's far end. Its maker learns who opens it, and may not act for them.
fn open_pipe(name: &[u16]) -> io::Result<Stream> {
    let name = String::from_utf16_lossy(&name[..name.len() - 1]);
    let deadline = Instant::now() + AT_THE_DOOR;
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match options
            .security_qos_flags(SECURITY_IDENTIFICATION)
            .open(&name)
        {
            Ok(pipe) => {
                return Ok(Stream {
                    pipe,
                    end: End::Client,
                });
            }
            Err(error) if code(&error) == ERROR_PIPE_BUSY && Instant::now() < deadline => {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

fn open_process(pid: u32, more: u32) -> io::Result<OwnedHandle> {
    // SAFETY: any number may be asked for.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | more, 0, pid) };
    if process.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(process) })
}

/// Whom this process acts for.
fn own_user() -> io::Result<String> {
    // SAFETY: a process's handle of itself is always valid, and is no one's to close.
    user_of(unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) })
}

/// Whom a process acts for: the user's security identifier, as text.
fn user_of(process: BorrowedHandle<'_>) -> io::Result<String> {
    let mut token: HANDLE = std::ptr::null_mut();
    // SAFETY: the process is held by the caller; `token` is written during the call.
    done(unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &mut token) })?;
    // SAFETY: it was just opened, and nobody else has it.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    // A header and the longest identifier there is (68 bytes), aligned for the header.
    let mut room = [0_u64; 32];
    let mut bytes = 0;
    // SAFETY: `room` has as many bytes as is said, and the call writes no more.
    done(unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            room.as_mut_ptr().cast(),
            size_of_val(&room) as u32,
            &mut bytes,
        )
    })?;
    // SAFETY: the call above has filled in a TOKEN_USER, and `room` is aligned for it and outlives `identifier`.
    let identifier: PSID = unsafe { (*room.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    let mut text = std::ptr::null_mut();
    // SAFETY: `identifier` points into `room`; `text` is written during the call.
    done(unsafe { ConvertSidToStringSidW(identifier, &mut text) })?;
    let mut name = Vec::new();
    // SAFETY: the system has written a text that ends with 0, which is read up to there and then given back.
    unsafe {
        let mut at = text;
        while *at != 0 {
            name.push(*at);
            at = at.add(1);
        }
        LocalFree(text.cast());
    }
    Ok(String::from_utf16_lossy(&name))
}

/// Puts a handle with all its rights into another process; what it is called there.
fn put_into(process: BorrowedHandle<'_>, handle: BorrowedHandle<'_>) -> io::Result<u64> {
    let mut there: HANDLE = std::ptr::null_mut();
    // SAFETY: both are held by the caller; `there` is written during the call, and is a name in another process.
    done(unsafe {
        DuplicateHandle(
            GetCurrentProcess(),
            handle.as_raw_handle(),
            process.as_raw_handle(),
            &mut there,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        )
    })?;
    Ok(there.addr() as u64)
}

/// Takes over what the pipe's maker, who is of this user, says that it has put here. Whoever may put a handle into a
/// process may close any of its handles too: a lie gains nothing.
fn take_in(said: u64) -> Option<OwnedHandle> {
    let said = usize::try_from(said).ok()?;
    let handle = std::ptr::with_exposed_provenance_mut::<std::ffi::c_void>(said);
    let mut ours: HANDLE = std::ptr::null_mut();
    // SAFETY: any number may be asked for: one that is no handle is an error.
    let copied = unsafe {
        let this = GetCurrentProcess();
        DuplicateHandle(
            this,
            handle,
            this,
            &mut ours,
            0,
            0,
            DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE,
        )
    };
    // SAFETY: it was just made, and nobody else has it.
    done(copied)
        .ok()
        .map(|()| unsafe { OwnedHandle::from_raw_handle(ours) })
}

/// Who may do what with something that the system keeps: in the language of security descriptors.
pub(crate) struct Guarded(PSECURITY_DESCRIPTOR);

impl Guarded {
    /// `[main]` By this description.
    pub(crate) fn by(text: &str) -> io::Result<Self> {
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut descriptor: PSECURITY_DESCRIPTOR = std::ptr::null_mut();
        // SAFETY: `text` ends with 0; the descriptor is written during the call.
        done(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                std::ptr::null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }

    /// `[main]` As the system wants it told; good for as long as `self`. No child inherits the handle.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the system allocated it for `by`, and nobody else frees it.
        unsafe { LocalFree(self.0) };
    }
}

fn done(answer: i32) -> io::Result<()> {
    if answer == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn code(error: &io::Error) -> u32 {
    error.raw_os_error().unwrap_or(0).cast_unsigned()
}

fn is_the_end(error: &io::Error) -> bool {
    matches!(
        code(error),
        ERROR_BROKEN_PIPE | ERROR_PIPE_NOT_CONNECTED | ERROR_NO_DATA
    )
}
