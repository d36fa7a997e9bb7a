//! Block times without a system call: the processor's time-stamp counter.
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::time::Instant;

/// A reading of the counter; only differences mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(u64);

impl Ticks {
    /// `[audio]` Now. About 10 ns; where the counter does not run evenly, the system's monotonic
    /// clock, which on the platforms we know is read without entering the kernel.
    #[inline]
    pub fn now() -> Self {
        #[cfg(target_arch = "x86_64")]
        if calibration().counter {
            // SAFETY: every x86-64 processor has the instruction.
            return Self(unsafe { std::arch::x86_64::_rdtsc() });
        }
        Self(calibration().start.elapsed().as_nanos() as u64)
    }

    /// `[audio]` Ticks from `earlier` to this.
    #[inline]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// `[any]` A number of ticks in nanoseconds.
#[inline]
pub fn ticks_to_ns(ticks: u64) -> u64 {
    (ticks as f64 * calibration().ns_per_tick) as u64
}

struct Calibration {
    start: Instant,
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    counter: bool,
    ns_per_tick: f64,
}

/// Measured once, in the setup phase ([`crate::open`] asks first).
fn calibration() -> &'static Calibration {
    static CALIBRATION: OnceLock<Calibration> = OnceLock::new();
    CALIBRATION.get_or_init(|| {
        let start = Instant::now();
        #[cfg(target_arch = "x86_64")]
        if has_invariant_counter() {
            // SAFETY: as in Ticks::now.
            let from = unsafe { std::arch::x86_64::_rdtsc() };
            std::thread::sleep(std::time::Duration::from_millis(5));
            // SAFETY: as above.
            let to = unsafe { std::arch::x86_64::_rdtsc() };
            let elapsed_ns = start.elapsed().as_nanos() as f64;
            if to > from {
                return Calibration {
                    start,
                    counter: true,
                    ns_per_tick: elapsed_ns / (to - from) as f64,
                };
            }
        }
        Calibration {
            start,
            counter: false,
            ns_per_tick: 1.0,
        }
    })
}

/// Whether the counter runs at one rate through all power states (CPUID 8000_0007h, EDX bit 8).
#[cfg(target_arch = "x86_64")]
fn has_invariant_counter() -> bool {
    use std::arch::x86_64::__cpuid;
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & (1 << 8) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn ticks_agree_with_the_systems_clock() {
        // The two clocks are not read at the same moment, and a busy machine may stall in between:
        // one try without a stall is enough.
        let mut ratios = Vec::new();
        for _ in 0..20 {
            let (from, start) = (Ticks::now(), Instant::now());
            std::thread::sleep(Duration::from_millis(50));
            let ticks_ns = ticks_to_ns(Ticks::now().since(from)) as f64;
            let ratio = ticks_ns / start.elapsed().as_nanos() as f64;
            if (ratio - 1.0).abs() < 0.01 {
                return;
            }
            ratios.push(ratio);
        }
        panic!("time by the counter over time by the clock: {ratios:?}");
    }
}
