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
    use headroom_engine::realtime::install_system_call_trap;

    headroom_tests::deep_seeds::prepare();
    install_system_call_trap().expect("the trap is set");
    layer_run::run();
    headroom_tests::watched::print_trapped();
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
fn main() {}
