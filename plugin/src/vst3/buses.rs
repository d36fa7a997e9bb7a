//! Which arrangements of channels there are: one or two in and as many out, and for the key none, one or two.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusDirections_, SpeakerArr, SpeakerArrangement,
};

pub(super) const INPUT: BusDirection = BusDirections_::kInput as BusDirection;
pub(super) const OUTPUT: BusDirection = BusDirections_::kOutput as BusDirection;

/// How the channels of all buses are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Buses {
    /// In and out.
    main: SpeakerArrangement,
    key: SpeakerArrangement,
}

impl Buses {
    /// `[main]` As a host finds them.
    pub(super) const fn new() -> Self {
        Self {
            main: SpeakerArr::kStereo,
            key: SpeakerArr::kStereo,
        }
    }

    /// `[main]` These, if they can be had. A host that says nothing of the key leaves it as it is.
    pub(super) fn arranged(
        self,
        inputs: &[SpeakerArrangement],
        outputs: &[SpeakerArrangement],
    ) -> Option<Self> {
        let (main, key) = match *inputs {
            [main] => (main, self.key),
            [main, key] => (main, key),
            _ => return None,
        };
        let can_be = *outputs == [main] && (1..=2).contains(&channels(main)) && channels(key) <= 2;
        can_be.then_some(Self { main, key })
    }

    /// `[main]` How one bus is arranged; `None` where there is none.
    pub(super) fn arrangement(self, to: BusDirection, bus: i32) -> Option<SpeakerArrangement> {
        match (to, bus) {
            (INPUT | OUTPUT, 0) => Some(self.main),
            (INPUT, 1) => Some(self.key),
            _ => None,
        }
    }

    /// `[any]` Channels in, and out.
    pub(super) fn main_channels(self) -> usize {
        channels(self.main)
    }

    /// `[any]` Channels of the key; 0: there is none.
    pub(super) fn key_channels(self) -> usize {
        channels(self.key)
    }
}

/// Each bit is a loudspeaker.
pub(super) fn channels(arrangement: SpeakerArrangement) -> usize {
    arrangement.count_ones() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: SpeakerArrangement = SpeakerArr::kEmpty;
    const MONO: SpeakerArrangement = SpeakerArr::kMono;
    const STEREO: SpeakerArrangement = SpeakerArr::kStereo;

    #[test]
    fn what_differs_between_in_and_out_or_has_too_many_channels_is_refused() {
        let buses = Buses::new();
        assert!(buses.arranged(&[MONO, STEREO], &[MONO]).is_some());
        for (inputs, outputs) in [
            (&[STEREO, MONO][..], &[MONO][..]),
            (&[MONO, MONO], &[STEREO]),
            (&[SpeakerArr::k51, MONO], &[SpeakerArr::k51]),
            (&[STEREO, SpeakerArr::k51], &[STEREO]),
            (&[NONE, STEREO], &[NONE]),
            (&[], &[STEREO]),
            (&[STEREO], &[]),
            (&[STEREO, STEREO, STEREO], &[STEREO]),
            (&[STEREO], &[STEREO, STEREO]),
        ] {
            assert_eq!(
                buses.arranged(inputs, outputs),
                None,
                "{inputs:?}, {outputs:?}"
            );
        }
    }
}
