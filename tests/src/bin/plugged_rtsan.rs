//! Runs the plugin in a host whose calls of `process` are watched by RealtimeSanitizer, which reports on
//! standard error.
#![allow(unsafe_code)]

#[cfg(rtsan)]
#[path = "../plugged_run.rs"]
mod plugged_run;

#[cfg(rtsan)]
fn main() {
    unsafe extern "C" {
        safe fn __rtsan_ensure_initialized();
        safe fn __rtsan_realtime_enter();
        safe fn __rtsan_realtime_exit();
    }

    headroom_tests::deep_seeds::prepare();
    __rtsan_ensure_initialized();
    let around = |work: &mut dyn FnMut()| {
        __rtsan_realtime_enter();
        work();
        __rtsan_realtime_exit();
    };
    assert!(plugged_run::plugin_host::AROUND.set(around).is_ok());
    assert!(plugged_run::plugged_vst3::com::AROUND.set(around).is_ok());
    plugged_run::run();
}

#[cfg(not(rtsan))]
fn main() {}
