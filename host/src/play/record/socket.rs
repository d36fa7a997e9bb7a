//! How a tap gets to the output callback while that runs, and back.

use rtrb::Consumer;
use rtrb::Producer;
use rtrb::PushError;
use rtrb::RingBuffer;

use super::tap::Tap;

/// Taps on their way at most, either way. The main thread sends no more than one between two that come
/// back, so neither ring is ever full; if one were, a new recording would be refused, and a tap that is
/// over would stay where it is.
const ON_THE_WAY: usize = 4;

/// The main thread's end.
pub(in crate::play) struct TapSender {
    taps: Producer<Box<Tap>>,
    returned: Consumer<Box<Tap>>,
}

/// The output callback's end: holds the tap of the recording that runs, if there is one.
pub(in crate::play) struct TapSocket {
    incoming: Consumer<Box<Tap>>,
    outgoing: Producer<Box<Tap>>,
    tap: Option<Box<Tap>>,
}

/// `[main]` Makes both ends.
pub(in crate::play) fn socket() -> (TapSender, TapSocket) {
    let (taps, incoming) = RingBuffer::new(ON_THE_WAY);
    let (outgoing, returned) = RingBuffer::new(ON_THE_WAY);
    let sender = TapSender { taps, returned };
    let socket = TapSocket {
        incoming,
        outgoing,
        tap: None,
    };
    (sender, socket)
}

impl TapSender {
    /// `[main]` Sends a tap; from the next block on it records. `false`: there is no room.
    pub(super) fn send(&mut self, tap: Tap) -> bool {
        self.taps.push(Box::new(tap)).is_ok()
    }

    /// `[main]` Frees the taps that came back.
    pub(super) fn clear(&mut self) {
        while self.returned.pop().is_ok() {}
    }
}

impl TapSocket {
    /// `[audio]` Once a block: lets go of a tap that is over, and takes a new one.
    pub(in crate::play) fn look(&mut self) {
        if self.tap.as_ref().is_some_and(|tap| tap.is_over())
            && let Some(tap) = self.tap.take()
            && let Err(PushError::Full(tap)) = self.outgoing.push(tap)
        {
            self.tap = Some(tap);
        }
        if self.tap.is_none() {
            self.tap = self.incoming.pop().ok();
        }
    }

    /// `[audio]` What is about to go into the rack.
    pub(in crate::play) fn keep_dry(&mut self, left: &[f32], right: &[f32]) {
        if let Some(tap) = &mut self.tap {
            tap.keep_dry(left, right);
        }
    }

    /// `[audio]` What goes to the device.
    pub(in crate::play) fn push(&mut self, left: &[f32], right: &[f32]) {
        if let Some(tap) = &mut self.tap {
            tap.push(left, right);
        }
    }
}
