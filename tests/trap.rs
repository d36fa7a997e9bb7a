//! What the trap for system calls does with them: they are counted and carried out as if it were not
//! there, whatever they do to the thread that makes them.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use headroom_engine::realtime::{
    SystemCalls, TrapError, guarded, install_system_call_trap, take_first_system_call,
};

/// The calls that `work` makes inside the guard.
fn counted<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let before = SystemCalls::now().count;
    let result = guarded(work);
    (result, SystemCalls::now().count - before)
}

fn pid() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

static HANDLED: AtomicU32 = AtomicU32::new(0);
static READY: AtomicBool = AtomicBool::new(false);

static CHILD: AtomicU32 = AtomicU32::new(0);

/// On a stack of its own, in our memory.
extern "C" fn in_child(_: *mut c_void) -> c_int {
    CHILD.store(42, Ordering::Relaxed);
    0
}

extern "C" fn on_user_signal(_: c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// One test, since a process has one trap.
#[test]
fn trapped_calls_are_counted_and_carried_out() {
    install_system_call_trap().expect("this kernel has it");
    assert!(matches!(
        install_system_call_trap(),
        Err(TrapError::Watched)
    ));
    assert_eq!(SystemCalls::now(), SystemCalls::default());

    // A thread's first time is not watched: it sets the trap up.
    assert_eq!(counted(pid).1, 0);
    assert_eq!(SystemCalls::now().watched_threads, 1);

    // Results, outside and inside.
    let ours = std::process::id() as i32;
    assert_eq!((pid(), SystemCalls::now().count), (ours, 0));
    assert_eq!(counted(pid), (ours, 1));
    assert_eq!(counted(|| pid() + pid()), (2 * ours, 2));
    let first = take_first_system_call().expect("there was one");
    assert_eq!((first.name, first.number), ("getpid", 39));
    // From where it was made, without the handler's own functions.
    assert!(
        first.backtrace[0].contains("getpid"),
        "{:?}",
        first.backtrace
    );
    let here = |name: &String| name.contains("trapped_calls_are_counted_and_carried_out");
    assert!(first.backtrace.iter().any(here), "{:?}", first.backtrace);
    assert_eq!(take_first_system_call(), None);

    // Errors, and memory that the kernel reads and writes.
    let mut ends = [-1; 2];
    let mut read = [0_u8; 5];
    let (error, calls) = counted(|| {
        // SAFETY: `ends` and `read` are alive and as long as said; descriptor -1 is nobody's.
        unsafe {
            assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
            assert_eq!(libc::write(ends[1], b"sound".as_ptr().cast(), 5), 5);
            assert_eq!(libc::read(ends[0], read.as_mut_ptr().cast(), 5), 5);
            assert_eq!(libc::close(-1), -1);
        }
        std::io::Error::last_os_error().raw_os_error()
    });
    assert_eq!((&read, error, calls), (b"sound", Some(libc::EBADF), 4));

    // What cannot be done from a signal handler: a new thread has a stack of its own, and the mask
    // of signals is put back when a handler ends.
    let (answer, calls) = counted(|| std::thread::spawn(|| 42).join().expect("it ends"));
    assert!(answer == 42 && calls >= 1, "{answer} {calls}");
    let mut stack = vec![0_u128; 4096];
    let top = stack.as_mut_ptr_range().end;
    let (child, calls) = counted(|| {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the child runs a function that stores a number, on a stack that outlives it, since
        // vfork's flag has us wait for its end.
        unsafe { libc::clone(in_child, top.cast(), flags, std::ptr::null_mut()) }
    });
    assert!(child > 0 && calls == 1, "{child} {calls}");
    assert_eq!(CHILD.load(Ordering::Relaxed), 42);
    let mut status = -1;
    // SAFETY: `status` is alive, and the child is ours.
    let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((ended, status), (child, 0));
    // SAFETY: a zeroed set is a valid one, and all pointers are to locals that are alive.
    let (blocked, calls) = counted(|| unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGUSR2);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        let mut now = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut now);
        libc::sigismember(&raw const now, libc::SIGUSR2)
    });
    // Behind such a call the rest of the guard is not watched.
    assert_eq!((blocked, calls), (1, 1));
    assert_eq!(counted(pid), (ours, 1), "the next guard is");

    // Another signal's handler runs on the watched thread and returns: that return is no call of the
    // thread's own, and what comes behind it is watched as before.
    // SAFETY: the handler only counts.
    unsafe { libc::signal(libc::SIGUSR1, on_user_signal as *const () as usize) };
    // SAFETY: takes nothing and cannot fail.
    let watched = unsafe { libc::gettid() };
    let sender = std::thread::spawn(move || {
        while !READY.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: tgkill(2) takes numbers: a thread that waits for it, and a signal that is handled.
        unsafe { libc::syscall(libc::SYS_tgkill, ours, watched, libc::SIGUSR1) };
    });
    let (_, calls) = counted(|| {
        READY.store(true, Ordering::Release);
        while HANDLED.load(Ordering::Relaxed) == 0 {
            std::hint::spin_loop();
        }
        pid()
    });
    sender.join().expect("it ends");
    assert_eq!(calls, 1);

    // A panic leaves the guard open.
    let panicked = std::panic::catch_unwind(|| guarded(|| std::panic::resume_unwind(Box::new(()))));
    assert!(panicked.is_err());
    let before = SystemCalls::now().count;
    pid();
    assert_eq!(SystemCalls::now().count, before);

    // Each thread for itself; when there is no more room, it is said.
    let watched = SystemCalls::now().watched_threads;
    for _ in 0..70 {
        std::thread::spawn(|| guarded(|| ()))
            .join()
            .expect("it ends");
    }
    let calls = SystemCalls::now();
    assert_eq!(
        (calls.watched_threads, calls.unwatched_threads),
        (64, 6 + watched)
    );
    assert_eq!(calls.count, before);
}
