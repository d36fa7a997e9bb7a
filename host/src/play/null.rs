//! The device that is always there: no sound, but the clock, the thread and the callback of one.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use super::backend::Backend;
use super::backend::BackendError;
use super::backend::Device;
use super::backend::Facts;
use super::backend::Io;
use super::backend::Running;
use super::backend::Wish;
use super::lease::Seat;
use super::player::Player;
use super::routing::Direction;
use super::routing::Layout;
use super::shared::Shared;

/// What it runs at when nobody says otherwise.
const DEFAULT_RATE_HZ: u32 = 48_000;
const DEFAULT_BLOCK_FRAMES: u32 = 256;

/// A real-time clocked device without hardware.
pub(super) struct NullDevice {
    facts: Facts,
    layout: Layout,
}

impl NullDevice {
    /// `[main]` Takes any rate and block; it has no named devices but `null`.
    pub(super) fn new(wish: &Wish) -> Result<Self, BackendError> {
        for (direction, name) in [
            ("output", &wish.output_device),
            ("input", &wish.input_device),
        ] {
            if let Some(name) = name.as_ref().filter(|name| *name != "null") {
                return Err(BackendError::NoSuchDevice {
                    direction,
                    given: name.clone(),
                    names: vec!["null".to_owned()],
                });
            }
        }
        let routing = wish.routing;
        if routing.inputs.is_some() {
            Layout::of(routing.inputs, 0, Direction::Input, "null")?;
        }
        Ok(Self {
            layout: Layout::of(routing.outputs, 2, Direction::Output, "null")?,
            facts: Facts {
                backend: Backend::Null,
                output: "null (a clock, no sound)".to_owned(),
                input: None,
                sample_rate_hz: wish.rate_hz.unwrap_or(DEFAULT_RATE_HZ),
                block_frames: Some(wish.block_frames.unwrap_or(DEFAULT_BLOCK_FRAMES)),
                input_clock: None,
                duplex: false,
            },
        })
    }
}

impl Device for NullDevice {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn start(self: Box<Self>, io: Io) -> Result<Box<dyn Running>, BackendError> {
        let block_frames = self.facts.block_frames.unwrap_or(DEFAULT_BLOCK_FRAMES);
        let clock = Clock {
            sample_rate_hz: self.facts.sample_rate_hz,
            block_frames,
            layout: self.layout,
            shared: io.shared,
        };
        let quit = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&quit);
        let thread = std::thread::Builder::new()
            .name("headroom-null".to_owned())
            .spawn(move || clock.run(io.player, &told))
            .map_err(|error| {
                BackendError::Unavailable(format!("cannot start a thread: {error}"))
            })?;
        Ok(Box::new(NullStream {
            block_frames,
            quit,
            thread: Some(thread),
        }))
    }
}

struct NullStream {
    block_frames: u32,
    quit: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running for NullStream {
    fn block_frames(&self) -> Option<u32> {
        Some(self.block_frames)
    }
}

impl Drop for NullStream {
    fn drop(&mut self) {
        self.quit.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended, and that is all that is asked of it here.
            let _ended = thread.join();
        }
    }
}

struct Clock {
    sample_rate_hz: u32,
    block_frames: u32,
    layout: Layout,
    shared: Arc<Shared>,
}

impl Clock {
    /// `[audio]` Calls the player at absolute times, so that lateness never adds up.
    fn run(self, mut player: Seat<Player>, quit: &AtomicBool) {
        let mut block = vec![0.0_f32; self.block_frames as usize * self.layout.count()];
        let mut start = Instant::now();
        let mut blocks: u64 = 0;
        while !quit.load(Relaxed) {
            // Nobody hears it: without a player there is nothing to do.
            let _heard = player.with(|player| player.fill(&mut block, self.layout));
            blocks += 1;
            let due = start + self.time_of(blocks);
            let now = Instant::now();
            if let Some(early) = due.checked_duration_since(now) {
                std::thread::sleep(early);
            } else {
                // A card would have played a gap: count it, and go on from here as a card would.
                self.shared.count_xrun();
                start = now;
                blocks = 0;
            }
        }
    }

    fn time_of(&self, blocks: u64) -> Duration {
        let frames = u128::from(blocks) * u128::from(self.block_frames);
        let nanos = frames * 1_000_000_000 / u128::from(self.sample_rate_hz);
        Duration::from_nanos(nanos.try_into().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_blocks_takes_an_hour() {
        let clock = Clock {
            sample_rate_hz: 44_100,
            block_frames: 63,
            layout: Layout::stereo(),
            shared: Arc::new(Shared::default()),
        };
        assert_eq!(clock.time_of(44_100 * 3600 / 63), Duration::from_secs(3600));
        assert_eq!(clock.time_of(44_100), Duration::from_secs(63));
    }

    #[test]
    fn it_takes_any_rate_but_no_name_other_than_its_own() {
        let wish = Wish {
            rate_hz: Some(96_000),
            ..Wish::default()
        };
        assert_eq!(
            NullDevice::new(&wish)
                .map(|device| device.facts.sample_rate_hz)
                .ok(),
            Some(96_000)
        );
        let wish = Wish {
            output_device: Some("Scarlett".to_owned()),
            ..Wish::default()
        };
        assert!(matches!(
            NullDevice::new(&wish),
            Err(BackendError::NoSuchDevice { .. })
        ));
    }
}
