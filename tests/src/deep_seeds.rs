//! Modules that misbehave where an allocator cannot see it: they lock, wait, print, or have a C
//! library allocate.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use headroom_engine::block::Block;
use headroom_engine::{Kind, Module, Param};

unsafe extern "C" {
    safe fn seeded_prepare();
    safe fn seeded_pthread_mutex_lock();
    safe fn seeded_write() -> i32;
    safe fn seeded_nanosleep() -> i32;
    safe fn seeded_c_malloc() -> *mut std::ffi::c_void;
    safe fn seeded_inline_system_call() -> i64;
    safe fn seeded_fresh_pages();
}

static FREE: Mutex<u32> = Mutex::new(0);
static HELD: Mutex<u32> = Mutex::new(0);

/// `[main]` Gets ready what the seeds use. Before anything is watched.
pub fn prepare() {
    seeded_prepare();
}

/// `[main]` Has another thread hold the lock of [`CONTENDED_MUTEX`] until the calling thread is seen to wait
/// for it.
pub fn hold_mutex() -> JoinHandle<()> {
    // SAFETY: takes nothing and cannot fail.
    let waiter = unsafe { libc::gettid() };
    let holds = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&holds);
    let holder = std::thread::spawn(move || {
        let _held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        told.store(true, Ordering::Release);
        let mut waits = 0;
        while waits < 5 {
            std::thread::sleep(Duration::from_millis(2));
            waits = if waits_for_lock(waiter) { waits + 1 } else { 0 };
        }
    });
    while !holds.load(Ordering::Acquire) {
        std::hint::spin_loop();
    }
    holder
}

/// Whether a thread of this process is in the system call that waits for [`HELD`], by proc(5)'s `syscall`: its
/// number, then its arguments. One that runs has none.
fn waits_for_lock(thread_id: i32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/self/task/{thread_id}/syscall"));
    let call = call.expect("the thread that waits is there");
    let mut words = call.split_ascii_whitespace();
    let is_futex = words.next() == Some(&libc::SYS_futex.to_string());
    let word = words.next().and_then(|word| word.strip_prefix("0x"));
    let word = word.and_then(|word| usize::from_str_radix(word, 16).ok());
    let start = std::ptr::from_ref(&HELD).addr();
    is_futex && word.is_some_and(|word| (start..start + size_of_val(&HELD)).contains(&word))
}

#[inline(never)]
fn seeded_free_mutex() {
    *std::hint::black_box(&FREE)
        .lock()
        .unwrap_or_else(PoisonError::into_inner) += 1;
}

#[inline(never)]
fn seeded_contended_mutex() {
    *std::hint::black_box(&HELD)
        .lock()
        .unwrap_or_else(PoisonError::into_inner) += 1;
}

#[inline(never)]
fn seeded_thread_sleep() {
    std::thread::sleep(Duration::from_micros(1));
    // Something after it, or the call becomes a jump and this function is in no backtrace.
    std::hint::black_box(());
}

struct Deep {
    armed: bool,
    misbehave: fn(),
}

impl Module for Deep {
    fn set_param(&mut self, _: usize, value: f32) {
        self.armed = value > 0.5;
    }

    fn process(&mut self, _: &mut Block<'_>) {
        // Once.
        if std::mem::take(&mut self.armed) {
            (self.misbehave)();
        }
    }

    fn reset(&mut self) {}
}

macro_rules! deep_seeds {
    ($($(#[$doc:meta])* $kind:ident, $id:literal, $misbehave:expr;)*) => {
        $(
            $(#[$doc])*
            pub static $kind: Kind = Kind {
                id: $id,
                name: $id,
                about: "misbehaves once when it is armed",
                face: headroom_engine::Face::PLAIN,
                params: &[Param::switch("armed", "Armed", false)],
                build: |setup| {
                    let armed = setup.values()[0] > 0.5;
                    setup.module(Deep { armed, misbehave: $misbehave })
                },
            };
        )*
        /// All of them.
        pub static ALL: &[&Kind] = &[$(&$kind),*];
    };
}

deep_seeds! {
    /// Takes and gives back a lock of C that nobody holds.
    PTHREAD_MUTEX_LOCK, "seed-pthread-mutex-lock", || seeded_pthread_mutex_lock();
    /// Takes and gives back a lock of Rust that nobody holds.
    FREE_MUTEX, "seed-free-mutex", seeded_free_mutex;
    /// Waits for a lock of Rust: see [`hold_mutex`].
    CONTENDED_MUTEX, "seed-contended-mutex", seeded_contended_mutex;
    /// Writes to /dev/null.
    WRITE, "seed-write", || { seeded_write(); };
    /// Sleeps by C's `nanosleep`.
    NANOSLEEP, "seed-nanosleep", || { seeded_nanosleep(); };
    /// Sleeps by Rust's `thread::sleep`.
    THREAD_SLEEP, "seed-thread-sleep", seeded_thread_sleep;
    /// Enters the kernel by an instruction of its own.
    INLINE_SYSTEM_CALL, "seed-inline-system-call", || { seeded_inline_system_call(); };
    /// Has C allocate.
    C_MALLOC, "seed-c-malloc", || { seeded_c_malloc(); };
    /// Touches pages for the first time.
    FRESH_PAGES, "seed-fresh-pages", || seeded_fresh_pages();
}
