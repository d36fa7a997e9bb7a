//! What a screen is shown of the sound: levels and the sound itself, by the audio thread, while somebody
//! looks.

use headroom_ipc::Publisher;

use crate::meter::LevelMeter;
use crate::rack::Rack;

/// The audio thread's side of what is shown. Without a publisher, or with nobody looking, it costs one look
/// a block.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    publisher: Option<Publisher>,
    /// Frames since the last publication.
    frames: usize,
    watched: bool,
    listened: bool,
}

/// Which side of the rack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Scope {
    /// `[main]` Shows through `publisher` from now on; gives the one before.
    pub(crate) fn replace(&mut self, publisher: Option<Publisher>) -> Option<Publisher> {
        let before = self.publisher.take();
        *self = Self {
            publisher,
            ..Self::default()
        };
        before
    }

    /// `[audio]` A block begins at `position`: who looks?
    pub(crate) fn begin(&mut self, position: u64) {
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        let listened = publisher.is_listened_to();
        if listened && !self.listened {
            publisher.align(position);
        }
        self.listened = listened;
    }

    /// `[audio]` The stream begins anew.
    pub(crate) fn reset(&mut self) {
        self.listened = false;
    }

    /// `[audio]` Shows the sound of one chunk, if anybody wants it.
    #[inline]
    pub(crate) fn sound(&mut self, side: Side, channels: &[&mut [f32]], from: usize, to: usize) {
        if self.listened {
            self.write(side, channels, from, to);
        }
    }

    #[inline(never)]
    fn write(&mut self, side: Side, channels: &[&mut [f32]], from: usize, to: usize) {
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        let (left, right) = match channels {
            [] => return,
            [mono] => (&mono[from..to], &mono[from..to]),
            [left, right, ..] => (&left[from..to], &right[from..to]),
        };
        match side {
            Side::Before => publisher.before(left, right),
            Side::After => publisher.after(left, right),
        }
    }

    /// `[audio]` A block has ended: shows the levels if it is time, and anybody looks.
    pub(crate) fn end(&mut self, frames: usize, to: u64, rack: &mut Rack, master: &mut LevelMeter) {
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        self.frames += frames;
        if self.frames < publisher.publication_frames() {
            return;
        }
        self.frames = 0;
        let was_watched = std::mem::replace(&mut self.watched, publisher.is_watched());
        if !self.watched {
            return;
        }
        if !was_watched {
            // What was gathered while nobody looked is of another time.
            master.take_shown();
            rack.show(|_, _| {});
            return;
        }
        publisher.publish(to, |frame| {
            frame.master = master.take_shown();
            rack.show(|lane, levels| frame.set(lane, levels));
        });
    }
}
