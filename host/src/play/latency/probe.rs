//! The module that is alone in the rack while the latency is measured: it puts out a signal of its own and
//! keeps what comes in, frame by frame beside it. So what is measured is the way that any rack has.

use std::sync::Mutex;
use std::sync::PoisonError;

use headroom_engine::Block;
use headroom_engine::Kind;
use headroom_engine::Module;
use headroom_engine::memory::ArenaSlice;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

/// Level of the noise: as loud as quiet speech would be recorded, 20 dB under full scale.
pub(super) const LEVEL: f32 = 0.1;
/// Silence before it, in which the warning can be read and the speakers turned down.
pub(super) const LEAD_SECS: f64 = 2.0;
/// Length of the noise.
pub(super) const NOISE_SECS: f64 = 0.7;
/// The longest latency that is looked for.
pub(super) const LONGEST_SECS: f64 = 1.0;

/// What was heard in one frame, and at which frame of the run.
pub(super) type Heard = (u64, f32);

/// Where the next probe that is built finds its end of the ring: a kind has no room for it.
static ENDS: Mutex<Option<Producer<Heard>>> = Mutex::new(None);

/// `[main]` Makes the ring that the next probe fills: room for `frames`. Each probe wants one of its own.
pub(super) fn prepare(frames: usize) -> Consumer<Heard> {
    let (producer, consumer) = RingBuffer::new(frames);
    *ENDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(producer);
    consumer
}

/// `[any]` The noise: `LEVEL` with a sign that is drawn anew for every frame, the same in every run.
pub(super) fn noise(frames: usize) -> impl FnMut(usize) -> f32 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ frames as u64;
    move |_| {
        // Xorshift, of Marsaglia (2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if state >> 63 == 0 { LEVEL } else { -LEVEL }
    }
}

/// `[any]` Frames of some seconds.
pub(super) fn frames(secs: f64, sample_rate_hz: u32) -> usize {
    (secs * f64::from(sample_rate_hz)).round() as usize
}

/// The kind; it stands in no catalogue.
pub(super) static KIND: Kind = Kind {
    id: "latency-probe",
    name: "Latency probe",
    about: "puts out a noise and keeps what comes back",
    face: headroom_engine::Face::PLAIN,
    params: &[],
    build: |setup| {
        let rate_hz = setup.stream().sample_rate_hz();
        let noise_frames = frames(NOISE_SECS, rate_hz);
        let noise = setup.slice("noise", noise_frames, noise(noise_frames));
        // While measuring, all slices are empty: the ring's end is for the one that is carved.
        let end = match noise.is_empty() {
            true => None,
            false => ENDS.lock().unwrap_or_else(PoisonError::into_inner).take(),
        };
        setup.module(Probe {
            lead_frames: frames(LEAD_SECS, rate_hz) as u64,
            noise,
            end,
        })
    },
};

struct Probe {
    lead_frames: u64,
    noise: ArenaSlice<f32>,
    end: Option<Producer<Heard>>,
}

impl Module for Probe {
    fn set_param(&mut self, _: usize, _: f32) {}

    fn process(&mut self, block: &mut Block<'_>) {
        let position = block.position();
        let (left, right) = block.split();
        let mut right = right.unwrap_or_default().iter_mut();
        for (at, left) in (position..).zip(left) {
            let right = right.next();
            let heard = 0.5 * (*left + right.as_ref().map_or(*left, |right| **right));
            if let Some(end) = &mut self.end {
                // Full when the main thread has stood still: what is missing is silence, and lowers the
                // confidence.
                let _room = end.push((at, heard));
            }
            let played = at
                .checked_sub(self.lead_frames)
                .and_then(|at| self.noise.get(usize::try_from(at).ok()?))
                .copied()
                .unwrap_or(0.0);
            *left = played;
            if let Some(right) = right {
                *right = played;
            }
        }
    }

    fn reset(&mut self) {}
}
