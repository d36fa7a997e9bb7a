//! Compiles the seeds that are written in C, and links RealtimeSanitizer into the two programs that
//! run under it: the toolchain's own runtime, where it has one.

use std::path::PathBuf;
use std::process::Command;

/// The programs that are linked with RealtimeSanitizer.
const PROGRAMS: [&str; 2] = ["layer-rtsan", "plugged-rtsan"];
/// Where toolchains for Linux on x86-64 have its runtime, from their root.
const RUNTIME: &str = "lib/rustlib/x86_64-unknown-linux-gnu/lib/librustc-stable_rt.rtsan.a";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=c/seeds.c");
    println!("cargo:rustc-check-cfg=cfg(rtsan)");
    if std::env::var("TARGET").as_deref() != Ok("x86_64-unknown-linux-gnu") {
        return;
    }
    cc::Build::new()
        .file("c/seeds.c")
        .warnings_into_errors(true)
        // A seed whose last call became a jump would be in no backtrace.
        .flag("-fno-optimize-sibling-calls")
        .compile("headroom_seeds");
    let Some(runtime) = runtime().filter(|runtime| runtime.exists()) else {
        println!("cargo:warning=this toolchain has no RealtimeSanitizer: its tests are ignored");
        return;
    };
    println!("cargo:rustc-cfg=rtsan");
    let arguments = [
        "-Wl,--whole-archive",
        &runtime.to_string_lossy(),
        "-Wl,--no-whole-archive",
        "-rdynamic",
        "-ldl",
        "-lm",
        "-lpthread",
    ];
    for program in PROGRAMS {
        for argument in arguments {
            println!("cargo:rustc-link-arg-bin={program}={argument}");
        }
    }
}

fn runtime() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC")?;
    let root = Command::new(rustc).args(["--print", "sysroot"]).output();
    let root = String::from_utf8(root.ok()?.stdout).ok()?;
    Some(PathBuf::from(root.trim_end()).join(RUNTIME))
}
