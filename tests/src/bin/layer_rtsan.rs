//! Runs a seed or a minute of sound under RealtimeSanitizer, which reports on standard error.
#![allow(unsafe_code)]

#[cfg(rtsan)]
#[path = "../layer_run.rs"]
mod layer_run;

#[cfg(rtsan)]
fn main() {
    use headroom_engine::realtime::{Watch, install_watch};

    unsafe extern "C" {
        safe fn __rtsan_ensure_initialized();
        safe fn __rtsan_realtime_enter();
        safe fn __rtsan_realtime_exit();
    }

    headroom_tests::deep_seeds::prepare();
    __rtsan_ensure_initialized();
    assert!(install_watch(Watch {
        enter: || __rtsan_realtime_enter(),
        exit: || __rtsan_realtime_exit(),
    }));
    layer_run::run();
}

#[cfg(not(rtsan))]
fn main() {}
