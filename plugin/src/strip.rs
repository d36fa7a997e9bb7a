//! The sound of one instance, whatever the format: an engine made ready for a stream, and what feeds it.

use std::sync::Arc;

use headroom_engine::realtime::install_panic_hook;
use headroom_engine::{Catalog, Processor, Stream, Tempo};

use crate::desk::Desk;
use crate::feed::{Feed, Rings};
use crate::housekeeping::Housekeeping;
use crate::parameters::Parameters;
use crate::shield::shielded;

/// The audio thread's end of an engine, and what feeds it.
struct Engine {
    feed: Feed,
    processor: Processor,
}

/// What plays.
///
/// The host's calls go through a shield: a panic leaves the sound as it came in, and is counted.
pub(crate) struct Strip {
    engine: Option<Engine>,
    parameters: Arc<Parameters>,
    /// The host's, as of its last block that had one.
    tempo: Option<Tempo>,
    // Last: it looks after what goes before it.
    _housekeeping: Option<Arc<Housekeeping>>,
}

impl Strip {
    /// `[main]` A strip of these kinds, an empty one that plays nothing yet.
    pub(crate) fn new(catalog: Catalog) -> Self {
        install_panic_hook();
        let parameters = Arc::new(Parameters::new(catalog));
        // Without a thread the strip plays what it is given, and edits are done when the host activates.
        let housekeeping = Housekeeping::acquire().ok();
        if let Some(housekeeping) = &housekeeping {
            housekeeping.look_after(&parameters);
        }
        Self {
            engine: None,
            parameters,
            tempo: None,
            _housekeeping: housekeeping,
        }
    }

    pub(crate) fn parameters(&self) -> &Arc<Parameters> {
        &self.parameters
    }

    /// `[main]` Makes an engine for this stream ready, the one from before if it fits: hosts activate four or
    /// five times while they load a plugin. Gives the latency.
    pub(crate) fn make_ready(
        &mut self,
        rate_hz: f64,
        most_frames: usize,
        channels: usize,
    ) -> Option<usize> {
        shielded(|| self.open(rate_hz, most_frames, channels)).flatten()
    }

    fn open(&mut self, rate_hz: f64, most_frames: usize, channels: usize) -> Option<usize> {
        // Longer blocks are processed too.
        let frames = most_frames.clamp(1, Stream::MAX_BLOCK_FRAMES);
        let stream = Stream::new(rate_hz.round() as u32, frames, channels).ok()?;
        let parameters = Arc::clone(&self.parameters);
        let instance = parameters.instance();
        let mut desk = instance.desk();
        let fits = desk.as_mut().is_some_and(|desk| {
            self.engine.is_some() && desk.stream() == stream && desk.catch_up(&parameters)
        });
        if !fits {
            self.engine = None;
            *desk = None;
            match Desk::open(&parameters, stream) {
                Ok((new, feed, processor)) => {
                    self.engine = Some(Engine { feed, processor });
                    *desk = Some(new);
                }
                Err(why) => {
                    parameters.refused(&why.to_string());
                    return None;
                }
            }
        }
        let desk = desk.as_ref()?;
        instance.tell_latency(desk);
        Some(desk.latency_frames())
    }

    /// `[audio]` Forgets all sound.
    pub(crate) fn reset(&mut self) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        let parameters = &self.parameters;
        shielded(|| engine.feed.reset(&mut engine.processor, parameters));
    }

    /// `[audio]` In an offline render: there is time, and what is asked for is there with the very next block.
    pub(crate) fn catch_up(&self) {
        shielded(|| self.parameters.instance().catch_up(&self.parameters));
    }

    /// `[audio]` The host's tempo from the next block on, in beats a minute; what is none is not heard.
    pub(crate) fn go_by(&mut self, bpm: f64) {
        self.tempo = Tempo::nearest(bpm).or(self.tempo);
    }

    /// `[audio]` One block in place, beside what the host gives to follow.
    pub(crate) fn run(&mut self, channels: &mut [&mut [f32]], key: &[&[f32]]) -> Rings {
        let Some(engine) = &mut self.engine else {
            return Rings::No;
        };
        let (parameters, tempo) = (&self.parameters, self.tempo);
        let run = || {
            let Engine { feed, processor } = engine;
            feed.run(processor, parameters, channels, key, tempo)
        };
        shielded(run).unwrap_or(Rings::No)
    }
}

impl Drop for Strip {
    fn drop(&mut self) {
        // The desk goes here, whoever still holds the parameters.
        shielded(|| {
            self.engine = None;
            let desk = self.parameters.instance().desk().take();
            drop(desk);
        });
    }
}
