//! Flush-to-zero: subnormal numbers cost about twice the time on common processors, and no ear
//! hears them.
#![allow(unsafe_code)]

/// Subnormal results and inputs are zero on this thread until this is dropped; then the mode that
/// was found is back.
pub(super) struct FlushToZero {
    found: Mode,
}

#[cfg(target_arch = "x86_64")]
type Mode = u32;
#[cfg(target_arch = "aarch64")]
type Mode = u64;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Mode = ();

impl FlushToZero {
    /// `[audio]` Turns it on.
    pub(super) fn on() -> Self {
        let found = read();
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if !is_on(found) {
            write(found | MODE);
        }
        Self { found }
    }
}

impl Drop for FlushToZero {
    fn drop(&mut self) {
        // Setting the mode waits for all that is under way: not where nothing was set.
        if !is_on(self.found) {
            write(self.found);
        }
    }
}

/// Results are flushed to zero, and subnormal operands are taken for zero.
#[cfg(target_arch = "x86_64")]
const MODE: Mode = (1 << 15) | (1 << 6);
#[cfg(target_arch = "aarch64")]
const MODE: Mode = 1 << 24;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn is_on(mode: Mode) -> bool {
    mode & MODE == MODE
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn is_on((): Mode) -> bool {
    true
}

/// `[audio]` Whether a result was flushed to zero on this thread since the flag was last lowered: the
/// processor raises it by itself. Inside the guard only: there its flags are ours.
pub fn has_flushed() -> bool {
    flags::raised()
}

/// `[audio]` Lowers that flag.
pub(crate) fn lower_flushed() {
    flags::set(false);
}

/// `[audio]` Raises that flag again.
pub(crate) fn raise_flushed() {
    flags::set(true);
}

#[cfg(target_arch = "x86_64")]
mod flags {
    /// The underflow exception: raised too where the result was flushed (Intel SDM vol. 1, 10.2.3.3).
    const UNDERFLOW: u32 = 1 << 4;

    pub(super) fn raised() -> bool {
        super::read() & UNDERFLOW != 0
    }

    pub(super) fn set(raised: bool) {
        let others = super::read() & !UNDERFLOW;
        super::write(if raised { others | UNDERFLOW } else { others });
    }
}

#[cfg(target_arch = "aarch64")]
mod flags {
    /// FPSR.UFC, the cumulative underflow flag.
    const UNDERFLOW: u64 = 1 << 3;

    fn read() -> u64 {
        let flags: u64;
        // SAFETY: reads the thread's floating-point status register.
        unsafe { std::arch::asm!("mrs {}, fpsr", out(reg) flags, options(nomem, nostack)) };
        flags
    }

    pub(super) fn raised() -> bool {
        read() & UNDERFLOW != 0
    }

    pub(super) fn set(raised: bool) {
        let others = read() & !UNDERFLOW;
        let flags = if raised { others | UNDERFLOW } else { others };
        // SAFETY: sets one cumulative flag, which nothing of Rust's depends on.
        unsafe { std::arch::asm!("msr fpsr, {}", in(reg) flags, options(nomem, nostack)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod flags {
    pub(super) fn raised() -> bool {
        false
    }

    pub(super) fn set(_: bool) {}
}

#[cfg(target_arch = "x86_64")]
fn read() -> Mode {
    let mut mode: u32 = 0;
    // SAFETY: stores the thread's control register into a local; x86-64 always has SSE.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags));
    }
    mode
}

#[cfg(target_arch = "x86_64")]
fn write(mode: Mode) {
    // SAFETY: sets the two flush bits, or restores what was found; exceptions stay masked as they
    // were. Rust assumes the default mode, and differs only in results that are subnormal.
    unsafe {
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, preserves_flags));
    }
}

#[cfg(target_arch = "aarch64")]
fn read() -> Mode {
    let mode: u64;
    // SAFETY: reads the thread's floating-point control register.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack)) };
    mode
}

#[cfg(target_arch = "aarch64")]
fn write(mode: Mode) {
    // SAFETY: as on x86-64.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) mode, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn read() -> Mode {}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn write(_: Mode) {}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn subnormals_are_zero_inside_and_back_after() {
        let half_of_smallest = || black_box(f32::MIN_POSITIVE) * black_box(0.5);
        assert!(half_of_smallest() > 0.0);
        {
            let _on = FlushToZero::on();
            assert_eq!(half_of_smallest(), 0.0);
        }
        assert!(half_of_smallest() > 0.0);
    }

    #[test]
    fn what_is_flushed_raises_the_flag_and_ordinary_sums_do_not() {
        let _on = FlushToZero::on();
        lower_flushed();
        assert_eq!(black_box(1.0f32) * black_box(0.0), 0.0);
        assert!(black_box(0.25f32) + black_box(0.5) > 0.7);
        assert!(!has_flushed());
        assert_eq!(black_box(f32::MIN_POSITIVE) * black_box(0.5), 0.0);
        assert!(has_flushed());
        lower_flushed();
        assert!(!has_flushed());
    }
}
