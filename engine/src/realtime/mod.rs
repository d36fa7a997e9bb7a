//! What keeps the audio thread real-time, and shows that it is: the guard around the callback, the
//! allocator that counts inside it, the trap for system calls, the clock, page faults, and the collector that frees for it.

mod clock;
mod collector;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod dispatch;
mod faults;
mod first;
mod float;
mod guard;
mod health;
mod note_cell;
mod stack;
mod threads;
mod trace;
mod trap;
mod violation;

pub use clock::{Ticks, ticks_to_ns};
pub use collector::{Collected, Collector};
pub(crate) use faults::thread_id;
pub use faults::{ThreadFaults, ThreadSwitches};
pub use float::has_flushed;
pub(crate) use float::{lower_flushed, raise_flushed};
pub use guard::{Watch, guarded, install_panic_hook, install_watch, is_armed};
pub use health::{BlockTimes, BlockWatch, Health, HealthCells, HighWater};
pub(crate) use health::{add, raise};
pub use stack::{StackCell, StackWatch};
pub use threads::{Enlisted, OwnThread, enlist_thread, own_threads};
pub use trap::{
    SystemCall, SystemCalls, TrapError, install_system_call_trap, take_first_system_call,
};
pub use violation::{StageAllocator, Violation, ViolationCounts, take_first_violation};
