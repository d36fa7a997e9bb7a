//! Runs the plugin in a host whose calls of `process` are watched by the trap for system calls, and prints
//! what it saw.

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[path = "../plugged_run.rs"]
mod plugged_run;

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn main() {
    use headroom_engine::realtime::{
        SystemCalls, guarded, install_system_call_trap, take_first_system_call,
        take_first_violation,
    };

    headroom_tests::deep_seeds::prepare();
    install_system_call_trap().expect("the trap is set");
    let around = |work: &mut dyn FnMut()| guarded(work);
    assert!(plugged_run::plugin_host::AROUND.set(around).is_ok());
    plugged_run::run();
    let calls = SystemCalls::now();
    println!(
        "system_calls={} watched={} unwatched={}",
        calls.count, calls.watched_threads, calls.unwatched_threads
    );
    if let Some(violation) = take_first_violation() {
        println!(
            "allocator: {violation} < {}",
            violation.backtrace.join(" < ")
        );
    }
    if let Some(call) = take_first_system_call() {
        println!("trap: {} in {}", call.name, call.backtrace.join(" < "));
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
fn main() {}
