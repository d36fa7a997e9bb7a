//! The trap for system calls: what the guarded work asks of the kernel is counted, the first of it
//! with its backtrace, and done all the same, so that sound goes on.
//!
//! It sees what an allocator cannot: waiting, sleeping, printing, and whatever C libraries and
//! inline assembly do, as long as it enters the kernel. A lock that nobody holds, or memory that
//! `malloc` still has, do not.

use std::fmt;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use super::dispatch as machine;

/// `[main]` From now on every thread is watched while it is inside the guard. A thread's first
/// guarded call sets the trap up on it, which takes system calls of its own, and is not watched:
/// of an engine's audio thread that is the priming block.
///
/// Call it before the first block. It takes the signal SIGSYS, and the guard's one watch.
///
/// # Errors
///
/// The system or its kernel has no such trap, or somebody watches the guard already.
pub fn install_system_call_trap() -> Result<(), TrapError> {
    machine::install()
}

/// Why the trap was not set.
#[derive(Debug, thiserror::Error)]
pub enum TrapError {
    /// Not this system.
    #[error("system calls cannot be trapped here: expected Linux on x86-64")]
    Unsupported,
    /// The kernel says no.
    #[error(
        "the kernel does not trap system calls ({0}): expected Linux 5.11 or newer on x86-64, not emulated"
    )]
    Kernel(std::io::Error),
    /// The guard has one watch.
    #[error("the guard is watched already: expected one watch in a process")]
    Watched,
}

/// System calls inside the guard of this process, since the trap was set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemCalls {
    /// How many, of all watched threads.
    pub count: u64,
    /// Threads that are watched. While it is 0 a count of 0 means nothing.
    pub watched_threads: u64,
    /// Threads on which the trap could not be set up.
    pub unwatched_threads: u64,
}

impl SystemCalls {
    /// `[any]` The figures of now.
    pub fn now() -> Self {
        machine::counts()
    }
}

/// The first system call inside the guard of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemCall {
    /// Its number.
    pub number: u64,
    /// Its name, as in section 2 of the manual; `unknown` where the number has none.
    pub name: &'static str,
    /// Functions, innermost first: the one that entered the kernel, its caller, and so on.
    pub backtrace: Vec<String>,
}

impl fmt::Display for SystemCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (number {})", self.name, self.number)?;
        match self.backtrace.first() {
            Some(function) => write!(f, " in {function}"),
            None => f.write_str(" in a function without a name"),
        }
    }
}

/// `[main]` The first system call inside the guard with the names of its functions; `None` if there
/// was none, or it was taken already.
pub fn take_first_system_call() -> Option<SystemCall> {
    machine::take_first()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod machine {
    use super::{SystemCall, SystemCalls, TrapError};

    pub(super) fn install() -> Result<(), TrapError> {
        Err(TrapError::Unsupported)
    }

    pub(super) fn counts() -> SystemCalls {
        SystemCalls::default()
    }

    pub(super) fn take_first() -> Option<SystemCall> {
        None
    }
}
