//! Runs the plugin in a host whose calls of `process` are watched by the trap for system calls, and prints
//! what it saw.

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[path = "../plugged_run.rs"]
mod plugged_run;

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn main() {
    use headroom_engine::realtime::{guarded, install_system_call_trap};

    headroom_tests::deep_seeds::prepare();
    install_system_call_trap().expect("the trap is set");
    let around = |work: &mut dyn FnMut()| guarded(work);
    assert!(plugged_run::plugin_host::AROUND.set(around).is_ok());
    assert!(plugged_run::plugged_vst3::com::AROUND.set(around).is_ok());
    plugged_run::run();
    headroom_tests::watched::print_trapped();
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
fn main() {}
