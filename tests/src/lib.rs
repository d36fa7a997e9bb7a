//! What the tests share: signals, a rig that runs an engine block by block, modules that
//! misbehave on purpose, and measurements of what comes out.

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub mod deep_seeds;
pub mod measure;
#[cfg(target_os = "linux")]
pub mod ownership;
pub mod rig;
pub mod seeds;
pub mod signal;
#[cfg(target_os = "linux")]
pub mod soak;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub mod watched;
