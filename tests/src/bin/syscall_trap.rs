//! Runs an engine on a thread that the kernel kills at its first system call, while the main
//! thread sends edits, preset changes and parameters. Prints how many blocks were run.
//!
//! With the argument `seed` a module makes one system call: the process must die.
#![allow(unsafe_code)]

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod trap {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Barrier};

    use headroom_engine::block::Block;
    use headroom_engine::{Kind, Module, ModuleSpec, Processor};
    use headroom_tests::rig::{Rig, lively, module, rack};
    use headroom_tests::signal::{Random, noise};

    /// Every system call of the calling thread, from now on, ends the process with SIGSYS.
    fn forbid_system_calls() {
        // One instruction of the kernel's filter language: return "kill the process".
        let mut filter = [libc::sock_filter {
            code: (libc::BPF_RET | libc::BPF_K) as u16,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_KILL_PROCESS,
        }];
        let program = libc::sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_mut_ptr(),
        };
        // SAFETY: prctl(2): the first call takes numbers only; the second reads `program` and the
        // filter it points to, both alive until it returns.
        let set = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER,
                    &raw const program,
                ) == 0
        };
        assert!(set, "the kernel has no system call filter");
    }

    static CALLS: Kind = Kind {
        id: "seed-calls",
        name: "Calls",
        about: "makes a system call in every chunk",
        face: headroom_engine::Face::PLAIN,
        params: &[],
        build: |setup| setup.module(Calls),
    };

    struct Calls;

    impl Module for Calls {
        fn set_param(&mut self, _: usize, _: f32) {}

        fn process(&mut self, _: &mut Block<'_>) {
            std::thread::yield_now();
        }

        fn reset(&mut self) {}
    }

    pub(super) fn run() {
        let seeded = std::env::args().any(|argument| argument == "seed");
        let mut first = rack(["filter", "eq", "compressor", "delay", "gain"].map(module));
        if seeded {
            first.modules.push(ModuleSpec::new(&CALLS));
        }
        let Rig {
            mut controller,
            mut processor,
        } = Rig::stereo(&first);
        let input = [noise(1, 0.5, 512), noise(2, 0.5, 512)];
        let blocks = Arc::new(AtomicU64::new(0));
        let start = Arc::new(Barrier::new(2));
        let play = {
            let (blocks, start) = (Arc::clone(&blocks), Arc::clone(&start));
            move || {
                let mut sound = input.clone();
                prime_again(&mut processor, &mut sound);
                start.wait();
                forbid_system_calls();
                loop {
                    for frames in [512, 64, 7, 0, 128, 480] {
                        let [left, right] = &mut sound;
                        left[..frames].copy_from_slice(&input[0][..frames]);
                        right[..frames].copy_from_slice(&input[1][..frames]);
                        processor.process(&mut [&mut left[..frames], &mut right[..frames]], &[]);
                        blocks.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        };
        std::thread::spawn(play);
        start.wait();

        let mut random = Random::new(3);
        let mut done = 0;
        while blocks.load(Ordering::Relaxed) < 50_000 || done < 300 {
            let kinds = headroom_engine::Catalog::builtin();
            let kind = kinds.kinds()[random.below(kinds.kinds().len())];
            let spec = rack([lively(kind, random.bits()), module("delay").with_id("echo")]);
            let sent = match random.below(4) {
                0 => controller.load(&spec),
                1 => controller.mute(random.unit() > 0.5),
                2 => controller.reset(),
                _ => controller.edit(&spec),
            };
            done += usize::from(sent.is_ok());
            controller.reports();
            std::thread::sleep(std::time::Duration::from_micros(500));
        }
        let health = controller.health();
        println!(
            "blocks={} edits={done} panics={} muted={}",
            health.blocks, health.panics, health.muted_chunks
        );
        // The playing thread may not even end itself: that would be a system call.
        std::process::exit(0);
    }

    /// The thread that primes is the thread that plays: its stack is touched here.
    fn prime_again(processor: &mut Processor, sound: &mut [Vec<f32>; 2]) {
        let [left, right] = sound;
        processor.process(&mut [left, right], &[]);
    }
}

fn main() {
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    trap::run();
}
