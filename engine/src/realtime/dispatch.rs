//! Linux' Syscall User Dispatch: the kernel reads a byte of ours at every system call of a thread,
//! and where it says so sends SIGSYS in place of doing it. A guard that is clean pays two stores.
//! (Documentation/admin-guide/syscall-user-dispatch.rst; x86-64.)
#![allow(unsafe_code)]

use std::arch::global_asm;
use std::cell::Cell;
use std::ffi::{c_int, c_ulong, c_void};
use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering, compiler_fence};

use syscalls::Sysno;

use super::guard::{Watch, install_watch};
use super::trace::{FirstTrace, walk};
use super::trap::{SystemCall, SystemCalls, TrapError};

// linux/prctl.h, asm-generic/siginfo.h and asm/signal.h; the crate libc lacks them.
const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
const PR_SYS_DISPATCH_OFF: c_ulong = 0;
const PR_SYS_DISPATCH_ON: c_ulong = 1;
const SYS_USER_DISPATCH: c_int = 2;
const AUDIT_ARCH_X86_64: u32 = 0xC000_003E;
const SA_RESTORER: c_int = 0x0400_0000;

/// The kernel does what it is asked.
const OPEN: u8 = 0;
/// The kernel sends SIGSYS.
const SHUT: u8 = 1;

/// Threads that can be watched, over a process's life.
const MAX_THREADS: usize = 64;

/// The bytes that the kernel reads. They are nobody's local variables: the kernel reads a thread's
/// byte until its very end. Writer: the thread itself (and its signal handler).
static SELECTORS: [AtomicU8; MAX_THREADS] = [const { AtomicU8::new(OPEN) }; MAX_THREADS];
static SELECTORS_TAKEN: AtomicUsize = AtomicUsize::new(0);

// Statistics; writers: the watched threads.
static CALLS: AtomicU64 = AtomicU64::new(0);
static WATCHED: AtomicU64 = AtomicU64::new(0);
static UNWATCHED: AtomicU64 = AtomicU64::new(0);
static FIRST: FirstTrace = FirstTrace::new();

#[derive(Clone, Copy)]
enum Thread {
    /// It has not been in the guard yet.
    New,
    Watched(&'static AtomicU8),
    /// The trap could not be set up on it.
    Unwatched,
}

thread_local! {
    static THREAD: Cell<Thread> = const { Cell::new(Thread::New) };
}

/// `[main]` Sets the signal handler and becomes the guard's watch.
pub(super) fn install() -> Result<(), TrapError> {
    // SAFETY: takes numbers only, and turns off what is not on: a question.
    let known =
        unsafe { libc::prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) } == 0;
    if !known {
        return Err(TrapError::Kernel(io::Error::last_os_error()));
    }
    let action = KernelAction {
        handler: on_trap,
        flags: (libc::SA_SIGINFO | SA_RESTORER) as c_ulong,
        restorer: headroom_trap_restorer,
        mask: 0,
    };
    // Not libc's: the restorer must be the one that the kernel lets through.
    // SAFETY: sigaction(2): `action` has the kernel's layout and is read before it returns; the
    // handler touches only what a signal handler may.
    let set = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            libc::SIGSYS,
            &raw const action,
            std::ptr::null_mut::<KernelAction>(),
            size_of::<u64>(),
        )
    } == 0;
    if !set {
        return Err(TrapError::Kernel(io::Error::last_os_error()));
    }
    if install_watch(Watch { enter, exit }) {
        Ok(())
    } else {
        Err(TrapError::Watched)
    }
}

pub(super) fn counts() -> SystemCalls {
    SystemCalls {
        count: CALLS.load(Ordering::Relaxed),
        watched_threads: WATCHED.load(Ordering::Relaxed),
        unwatched_threads: UNWATCHED.load(Ordering::Relaxed),
    }
}

pub(super) fn take_first() -> Option<SystemCall> {
    let (number, backtrace) = FIRST.take(&[])?;
    let known = usize::try_from(number).ok().and_then(Sysno::new);
    Some(SystemCall {
        number,
        name: known.map_or("unknown", |known| known.name()),
        backtrace,
    })
}

/// `[audio]` The guard begins.
fn enter() {
    match THREAD.get() {
        Thread::Watched(selector) => set(selector, SHUT),
        Thread::Unwatched => {}
        Thread::New => {
            let thread = set_up();
            THREAD.set(thread);
            let count = match thread {
                Thread::Watched(_) => &WATCHED,
                _ => &UNWATCHED,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// `[audio]` The guard ends.
fn exit() {
    if let Thread::Watched(selector) = THREAD.get() {
        set(selector, OPEN);
    }
}

#[inline]
fn set(selector: &AtomicU8, to: u8) {
    // The kernel reads it on this thread, in the order of the program; the compiler is held to it.
    compiler_fence(Ordering::SeqCst);
    selector.store(to, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
}

/// `[audio]` A thread's first time: turns the trap on and walks into it once, which shows that it
/// works and touches all that a hit will use.
fn set_up() -> Thread {
    let at = SELECTORS_TAKEN.fetch_add(1, Ordering::Relaxed);
    let Some(selector) = SELECTORS.get(at) else {
        return Thread::Unwatched;
    };
    // SAFETY: the kernel is given a byte that is never freed, and as the region that it lets
    // through the restorer alone: 9 bytes, and one, since it compares the address behind the call.
    let on = unsafe {
        libc::prctl(
            PR_SET_SYSCALL_USER_DISPATCH,
            PR_SYS_DISPATCH_ON,
            headroom_trap_restorer as *const () as usize,
            10_usize,
            selector.as_ptr(),
        )
    } == 0;
    if !on {
        return Thread::Unwatched;
    }
    THREAD.set(Thread::Watched(selector));
    set(selector, SHUT);
    // SAFETY: there is no such system call; the handler answers, or the kernel refuses.
    let answer = unsafe { libc::syscall(PROBE) };
    set(selector, OPEN);
    if answer == PROBE_ANSWER {
        Thread::Watched(selector)
    } else {
        Thread::Unwatched
    }
}

/// A number that no system call will have, and what the handler answers to it.
const PROBE: i64 = 0x6865_6164;
const PROBE_ANSWER: i64 = 0x726f_6f6d;

/// `[audio]` The signal handler: the thread made a system call inside the guard.
extern "C" fn on_trap(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a signal's handler both, valid until it returns; the eighth word of
    // SIGSYS' siginfo is si_arch.
    let (code, kind, context) = unsafe {
        (
            (*info).si_code,
            info.cast::<u32>().add(7).read(),
            &mut *context.cast::<libc::ucontext_t>(),
        )
    };
    let (SYS_USER_DISPATCH, Thread::Watched(selector)) = (code, THREAD.get()) else {
        not_ours(signal);
        return;
    };
    // What follows may call the system, and does.
    set(selector, OPEN);
    let registers = &mut context.uc_mcontext.gregs;
    let number = registers[libc::REG_RAX as usize];
    match number {
        PROBE => {
            walk(|_| true);
            registers[libc::REG_RAX as usize] = PROBE_ANSWER;
        }
        // Another signal's handler ends, which is nobody's call; its frame lies at the interrupted
        // stack pointer, so it must end there and not here.
        libc::SYS_rt_sigreturn => {
            registers[libc::REG_RIP as usize] = headroom_trap_restorer as *const () as i64;
        }
        _ => {
            CALLS.fetch_add(1, Ordering::Relaxed);
            let made_at = registers[libc::REG_RIP as usize] as usize;
            FIRST.keep(number as u64, Some(made_at));
            let Some(call) = carried_out_here(number, kind) else {
                // Back to where it was made (`syscall` and `int 0x80` have two bytes), with the trap open: the rest
                // of this guard is not watched.
                registers[libc::REG_RIP as usize] -= 2;
                return;
            };
            let argument = |register: c_int| registers[register as usize] as usize;
            // SAFETY: the very call that the thread was making, with its own arguments.
            registers[libc::REG_RAX as usize] = unsafe {
                syscalls::raw::syscall6(
                    call.id() as usize,
                    argument(libc::REG_RDI),
                    argument(libc::REG_RSI),
                    argument(libc::REG_RDX),
                    argument(libc::REG_R10),
                    argument(libc::REG_R8),
                    argument(libc::REG_R9),
                )
            } as i64;
        }
    }
    set(selector, SHUT);
}

/// Whether a call means the same when the handler makes it: not what copies the stack that it runs
/// on, nor what a handler's return puts back (the signal mask and the signal stack), nor a call of
/// 32-bit code, which has other numbers.
fn carried_out_here(number: i64, kind: u32) -> Option<Sysno> {
    if kind != AUDIT_ARCH_X86_64 {
        return None;
    }
    let call = Sysno::new(usize::try_from(number).ok()?)?;
    let elsewhere = matches!(
        call,
        Sysno::clone
            | Sysno::clone3
            | Sysno::fork
            | Sysno::vfork
            | Sysno::rt_sigprocmask
            | Sysno::sigaltstack
    );
    (!elsewhere).then_some(call)
}

/// A SIGSYS that somebody else sent, or a filter of the kernel: it ends the process, as without us.
#[cold]
fn not_ours(signal: c_int) {
    // SAFETY: both may be called in a signal handler; the raised signal comes when it returns.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// `struct sigaction` as the kernel has it.
#[repr(C)]
struct KernelAction {
    handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void),
    flags: c_ulong,
    restorer: unsafe extern "C" fn(),
    mask: u64,
}

// Where a handler returns to. Unwinders know a signal's frame by exactly these bytes, `mov rax, 15;
// syscall`, at an address for which there is no unwind table: hence no Rust function, not even a
// naked one, and a `nop` before it, since the lookup is for the byte in front.
global_asm!(
    ".pushsection .text.headroom_trap_restorer,\"ax\",@progbits",
    ".p2align 4",
    "nop",
    ".hidden headroom_trap_restorer",
    ".globl headroom_trap_restorer",
    ".type headroom_trap_restorer,@function",
    "headroom_trap_restorer:",
    ".byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00",
    ".byte 0x0f, 0x05",
    ".size headroom_trap_restorer, . - headroom_trap_restorer",
    ".popsection",
);

unsafe extern "C" {
    fn headroom_trap_restorer();
}
