//! Modules that misbehave on purpose, and some that help to see. A check that does not catch them
//! is no check.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use headroom_engine::block::Block;
use headroom_engine::memory::ArenaSlice;
use headroom_engine::{Kind, Module, Param, Unit};

/// The one parameter of the seeds: they misbehave while it is on.
const ARMED: &[Param] = &[Param::switch("armed", "Armed", false)];

macro_rules! seed {
    ($(#[$doc:meta])* $kind:ident, $id:literal, $body:expr) => {
        $(#[$doc])*
        pub static $kind: Kind = Kind {
            id: $id,
            name: $id,
            about: "misbehaves while it is armed",
            face: headroom_engine::Face::PLAIN,
            params: ARMED,
            build: |setup| {
                let armed = setup.values()[0] > 0.5;
                setup.module(Seed { armed, held: Some(Box::new(0.0)), misbehave: $body })
            },
        };
    };
}

struct Seed {
    armed: bool,
    held: Option<Box<f32>>,
    misbehave: fn(&mut Self, &mut Block<'_>),
}

impl Module for Seed {
    fn set_param(&mut self, _: usize, value: f32) {
        self.armed = value > 0.5;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.armed {
            (self.misbehave)(self, block);
        }
    }

    fn reset(&mut self) {}
}

#[inline(never)]
fn seeded_allocation(seed: &mut Seed, block: &mut Block<'_>) {
    let made = std::hint::black_box(vec![block.left()[0]; 3]);
    // Kept for good: this seed allocates, and frees nothing.
    std::mem::forget(made);
    seed.armed = false;
}

#[inline(never)]
fn seeded_free(seed: &mut Seed, _: &mut Block<'_>) {
    drop(std::hint::black_box(seed.held.take()));
    seed.armed = false;
}

#[inline(never)]
fn seeded_panic(_: &mut Seed, block: &mut Block<'_>) {
    panic!("seeded panic in a block of {} frames", block.frames());
}

#[inline(never)]
fn seeded_nan(_: &mut Seed, block: &mut Block<'_>) {
    let last = block.frames() - 1;
    block.left()[last] = f32::NAN;
}

seed!(
    /// Allocates once, in `seeded_allocation`.
    ALLOCATES,
    "seed-allocates",
    seeded_allocation
);
seed!(
    /// Frees once, in `seeded_free`.
    FREES,
    "seed-frees",
    seeded_free
);
seed!(
    /// Panics.
    PANICS,
    "seed-panics",
    seeded_panic
);
seed!(
    /// Puts out NaN.
    NAN,
    "seed-nan",
    seeded_nan
);

/// Panics when a parameter is set.
pub static PANICS_WHEN_SET: Kind = Kind {
    id: "seed-panics-when-set",
    name: "Panics when set",
    about: "panics when a parameter is set",
    face: headroom_engine::Face::PLAIN,
    params: ARMED,
    build: |setup| setup.module(PanicsOutside { when_set: true }),
};

/// Panics when it adopts another's state.
pub static PANICS_WHEN_MOVED: Kind = Kind {
    id: "seed-panics-when-moved",
    name: "Panics when moved",
    about: "panics when it adopts another's state",
    face: headroom_engine::Face::PLAIN,
    params: ARMED,
    build: |setup| setup.module(PanicsOutside { when_set: false }),
};

struct PanicsOutside {
    when_set: bool,
}

impl Module for PanicsOutside {
    fn set_param(&mut self, _: usize, _: f32) {
        assert!(!self.when_set, "seeded panic in set_param");
    }

    fn process(&mut self, _: &mut Block<'_>) {}

    fn reset(&mut self) {}

    fn adopt(&mut self, _: &dyn Module) {
        panic!("seeded panic in adopt");
    }
}

/// Delays by its one parameter's number of frames and says so: a module with latency.
pub static LATE: Kind = Kind {
    id: "late",
    name: "Late",
    about: "a module with latency",
    face: headroom_engine::Face::PLAIN,
    params: &[Param::linear("frames", "Frames", Unit::None, (1.0, 4_096.0), 100.0).structural()],
    build: |setup| {
        let frames = setup.values()[0] as usize;
        let right_frames = if setup.stream().channels() == 2 {
            frames
        } else {
            0
        };
        let lines = [
            setup.buffer("left", frames),
            setup.buffer("right", right_frames),
        ];
        setup.module(Late {
            lines,
            at: 0,
            frames,
        })
    },
};

struct Late {
    lines: [ArenaSlice<f32>; 2],
    at: usize,
    frames: usize,
}

impl Module for Late {
    fn set_param(&mut self, _: usize, _: f32) {}

    fn process(&mut self, block: &mut Block<'_>) {
        let frames = block.frames();
        for (channel, line) in block.iter_mut().zip(&mut self.lines) {
            let mut at = self.at;
            for sample in channel {
                std::mem::swap(sample, &mut line[at]);
                at = (at + 1) % self.frames;
            }
        }
        self.at = (self.at + frames) % self.frames;
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(|line| line.fill(0.0));
        self.at = 0;
    }

    fn latency_frames(&self) -> usize {
        self.frames
    }
}

/// Writes down the left channel of all that passes, under the number that is its parameter.
pub static TAP: Kind = Kind {
    id: "tap",
    name: "Tap",
    about: "writes down what passes",
    face: headroom_engine::Face::PLAIN,
    params: &[Param::linear(
        "number",
        "Number",
        Unit::None,
        (0.0, 7.0),
        0.0,
    )],
    build: |setup| {
        let number = setup.values()[0] as usize;
        setup.module(Tap { number })
    },
};

static TAPS: [Mutex<Vec<f32>>; 8] = [const { Mutex::new(Vec::new()) }; 8];

struct Tap {
    number: usize,
}

impl Module for Tap {
    fn set_param(&mut self, _: usize, _: f32) {}

    fn process(&mut self, block: &mut Block<'_>) {
        let mut tap = TAPS[self.number].lock().expect("no tap panics");
        // Room was made by prepare_tap(): this does not allocate, which the guard would tell.
        tap.extend_from_slice(block.left());
    }

    fn reset(&mut self) {
        TAPS[self.number].lock().expect("no tap panics").clear();
    }
}

/// Makes room for `frames` in tap `number` and empties it. Call it before the rack is built.
pub fn prepare_tap(number: usize, frames: usize) {
    *TAPS[number].lock().expect("no tap panics") = Vec::with_capacity(frames + 1_024);
}

/// What passed tap `number`.
pub fn take_tap(number: usize) -> Vec<f32> {
    std::mem::take(&mut *TAPS[number].lock().expect("no tap panics"))
}

/// Counts the chunks it is given, and those of which a channel does not start on a cache line.
pub static RULER: Kind = Kind {
    id: "ruler",
    name: "Ruler",
    about: "looks where its sound lies",
    face: headroom_engine::Face::PLAIN,
    params: &[],
    build: |setup| setup.module(Ruler),
};

/// Chunks that any [`RULER`] was given, and how many did not start on a cache line.
pub static RULED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

struct Ruler;

impl Module for Ruler {
    fn set_param(&mut self, _: usize, _: f32) {}

    fn process(&mut self, block: &mut Block<'_>) {
        let off = block
            .iter_mut()
            .any(|channel| channel.as_ptr().addr() % 64 != 0);
        RULED[0].fetch_add(1, Ordering::Relaxed);
        RULED[1].fetch_add(usize::from(off), Ordering::Relaxed);
    }

    fn reset(&mut self) {}
}

/// Computes results too small for a number, while it is armed.
pub static FLUSHER: Kind = Kind {
    id: "flusher",
    name: "Flusher",
    about: "divides until nothing is left",
    face: headroom_engine::Face::PLAIN,
    params: ARMED,
    build: |setup| {
        let armed = setup.values()[0] > 0.5;
        setup.module(Flusher { armed, level: 1.0 })
    },
};

struct Flusher {
    armed: bool,
    level: f32,
}

impl Module for Flusher {
    fn set_param(&mut self, _: usize, value: f32) {
        self.armed = value > 0.5;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.armed {
            // Stays what it is but for the last, flushed step.
            self.level = std::hint::black_box(f32::MIN_POSITIVE);
            for sample in block.left() {
                *sample += std::hint::black_box(self.level * 0.5);
            }
        }
    }

    fn reset(&mut self) {}
}

/// Takes 64 bytes each time it is built, and never gives them back.
pub static LEAKS: Kind = Kind {
    id: "leaks",
    name: "Leaks",
    about: "forgets memory of the main thread",
    face: headroom_engine::Face::PLAIN,
    params: ARMED,
    build: |setup| {
        // Written to, so that it is resident.
        std::mem::forget(std::hint::black_box(vec![1u8; 64]));
        setup.module(Leaks)
    },
};

/// Maps a page each time it is built, and never unmaps it.
pub static MAPS: Kind = Kind {
    id: "maps",
    name: "Maps",
    about: "forgets a mapping of the main thread",
    face: headroom_engine::Face::PLAIN,
    params: ARMED,
    build: |setup| {
        let mut page = memmap2::MmapMut::map_anon(4_096).expect("a page of memory");
        page.fill(1);
        std::mem::forget(page);
        setup.module(Leaks)
    },
};

struct Leaks;

impl Module for Leaks {
    fn set_param(&mut self, _: usize, _: f32) {}

    fn process(&mut self, _: &mut Block<'_>) {}

    fn reset(&mut self) {}
}
