//! Runs a seed or a minute of sound under the counting allocator and the trap for system calls, and
//! prints what each saw.

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[path = "../layer_run.rs"]
mod layer_run;

#[global_allocator]
static ALLOCATOR: headroom_engine::realtime::StageAllocator =
    headroom_engine::realtime::StageAllocator;

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn main() {
    use headroom_engine::realtime::{
        SystemCalls, install_system_call_trap, take_first_system_call, take_first_violation,
    };

    headroom_tests::deep_seeds::prepare();
    install_system_call_trap().expect("the trap is set");
    layer_run::run();
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
