//! Which channels of a device the two sides of the rack use: `--inputs` and `--outputs`.

use cpal::FromSample;
use cpal::Sample;

use super::backend::BackendError;
use super::error::PlayError;

/// The greatest channel number that is taken; wider devices there are none.
const MAX_CHANNEL: u16 = 1024;

/// What the command line says of both directions; `None` leaves it to the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Routing {
    pub(crate) inputs: Option<Channels>,
    pub(crate) outputs: Option<Channels>,
}

impl Routing {
    /// `[main]` Reads both options.
    pub(crate) fn parse(inputs: Option<&str>, outputs: Option<&str>) -> Result<Self, PlayError> {
        let channels = |option, given: Option<&str>| {
            given
                .map(|given| Channels::parse(option, given))
                .transpose()
        };
        Ok(Self {
            inputs: channels("--inputs", inputs)?,
            outputs: channels("--outputs", outputs)?,
        })
    }

    /// `[any]` Whether any channel was asked for by its number.
    pub(crate) fn is_named(&self) -> bool {
        self.inputs.is_some() || self.outputs.is_some()
    }
}

/// A direction of a device, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Input,
    Output,
}

/// One channel of a device for both sides, or one for each; counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channels {
    left: u16,
    right: u16,
}

impl Channels {
    /// `[main]` Reads `3` or `3,4`, counted from 1 as on the device's front.
    fn parse(option: &'static str, given: &str) -> Result<Self, PlayError> {
        let number = |text: &str| {
            let number = text.trim().parse().ok()?;
            (1..=MAX_CHANNEL).contains(&number).then(|| number - 1)
        };
        let channels = match given.split_once(',') {
            None => number(given).map(|one| (one, one)),
            Some((left, right)) => number(left).zip(number(right)),
        };
        match channels {
            Some((left, right)) => Ok(Self { left, right }),
            None => Err(PlayError::Option {
                option,
                given: given.to_owned(),
                expected: format!(
                    "one or two channels from 1 to {MAX_CHANNEL}, for example `3` or `1,2`"
                ),
            }),
        }
    }

    /// `[any]` How many channels a device must have to have these.
    pub(crate) fn least_count(self) -> usize {
        usize::from(self.left.max(self.right)) + 1
    }

    /// `[any]` The channels, each once: one, which stands for both sides, or the left and the right one. For
    /// a device with a port for each channel.
    #[cfg_attr(
        not(any(test, feature = "jack")),
        expect(dead_code, reason = "for devices that have ports")
    )]
    pub(crate) fn each(self) -> impl Iterator<Item = usize> {
        let right = (self.right != self.left).then_some(self.right);
        [Some(self.left), right]
            .into_iter()
            .flatten()
            .map(usize::from)
    }
}

/// The channels of a device and how many it has: what an interleaved block looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    channels: Channels,
    count: usize,
}

impl Layout {
    /// `[main]` The channels that a device with `count` of them is used by: those that were asked for, or
    /// the first two, or the only one.
    ///
    /// # Errors
    /// The device has none, or not those.
    pub(crate) fn of(
        wanted: Option<Channels>,
        count: usize,
        direction: Direction,
        device: &str,
    ) -> Result<Self, BackendError> {
        let (what, option) = match direction {
            Direction::Input => ("input", "--inputs"),
            Direction::Output => ("output", "--outputs"),
        };
        if count == 0 {
            return Err(BackendError::Refused(format!(
                "`{device}` has no {what} channels"
            )));
        }
        let channels = wanted.unwrap_or(Channels {
            left: 0,
            right: u16::from(count > 1),
        });
        if channels.least_count() > count {
            let plural = if count == 1 { "" } else { "s" };
            return Err(BackendError::Refused(format!(
                "`{device}` has {count} {what} channel{plural}: expected `{option}` from 1 to {count}"
            )));
        }
        Ok(Self { channels, count })
    }

    /// `[any]` Two channels, left and right.
    #[cfg(test)]
    pub(crate) fn stereo() -> Self {
        Self {
            channels: Channels { left: 0, right: 1 },
            count: 2,
        }
    }

    /// `[any]` Samples of one interleaved frame; never 0.
    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// `[any]` The channels that are used.
    #[cfg_attr(
        not(any(test, feature = "jack")),
        expect(dead_code, reason = "for devices that have ports")
    )]
    pub(crate) fn channels(self) -> Channels {
        self.channels
    }

    /// `[audio]` Both sides of an interleaved block, frame by frame.
    pub(crate) fn pick<T>(self, block: &[T]) -> impl Iterator<Item = [f32; 2]>
    where
        T: Copy,
        f32: FromSample<T>,
    {
        let sides = [self.channels.left, self.channels.right].map(usize::from);
        block
            .chunks_exact(self.count)
            .map(move |frame| sides.map(|side| f32::from_sample(frame[side])))
    }

    /// `[audio]` Puts two planes into an interleaved block: one channel alone gets the mean of both, all
    /// that are not used get silence.
    pub(crate) fn place<T>(self, left: &[f32], right: &[f32], block: &mut [T])
    where
        T: Sample + FromSample<f32>,
    {
        let planes = left.iter().zip(right);
        let [at_left, at_right] = [self.channels.left, self.channels.right].map(usize::from);
        let together = at_left == at_right;
        let others = self.count > if together { 1 } else { 2 };
        for (frame, (left, right)) in block.chunks_exact_mut(self.count).zip(planes) {
            if others {
                frame.fill(T::EQUILIBRIUM);
            }
            if together {
                frame[at_left] = T::from_sample((left + right) * 0.5);
            } else {
                frame[at_left] = T::from_sample(*left);
                frame[at_right] = T::from_sample(*right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(text: &str) -> Channels {
        Channels::parse("--outputs", text).unwrap()
    }

    fn layout(text: &str, count: usize) -> Layout {
        Layout::of(Some(channels(text)), count, Direction::Output, "it").unwrap()
    }

    #[test]
    fn channels_are_counted_from_one_and_one_stands_for_both() {
        let each = |text| channels(text).each().collect::<Vec<_>>();
        assert_eq!(each("3,4"), [2, 3]);
        assert_eq!(each(" 2 , 1"), [1, 0]);
        assert_eq!(each("7"), [6]);
        assert_eq!(each("7,7"), [6]);
        assert_eq!(channels("1024").least_count(), 1024);
    }

    #[test]
    fn what_is_no_channel_is_refused_with_what_is() {
        for given in [
            "", "0", "-1", "1,", ",1", "1,2,3", "a", "1025", "1.5", "0,1", "99999999",
        ] {
            let error = Routing::parse(Some(given), None).unwrap_err().to_string();
            let expected = format!("`--inputs` is {given}: expected one or two channels");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_device_without_these_channels_says_how_many_it_has() {
        let of = |wanted, count| {
            Layout::of(wanted, count, Direction::Input, "Mic")
                .map(Layout::channels)
                .map_err(|error| error.to_string())
        };
        assert_eq!(of(Some(channels("3,4")), 4), Ok(channels("3,4")));
        assert_eq!(
            of(Some(channels("3,4")), 3),
            Err("`Mic` has 3 input channels: expected `--inputs` from 1 to 3".to_owned())
        );
        assert_eq!(
            of(Some(channels("2")), 1),
            Err("`Mic` has 1 input channel: expected `--inputs` from 1 to 1".to_owned())
        );
        for wanted in [None, Some(channels("1"))] {
            assert_eq!(of(wanted, 0), Err("`Mic` has no input channels".to_owned()));
        }
        assert_eq!(of(None, 1), Ok(channels("1")));
        assert_eq!(of(None, 200), Ok(channels("1,2")));
    }

    #[test]
    fn one_channel_is_heard_on_both_sides_and_two_where_they_belong() {
        let block = [0.1_f32, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
        let pick = |text| layout(text, 4).pick(&block).collect::<Vec<_>>();
        assert_eq!(pick("4"), [[0.4, 0.4], [0.8, 0.8]]);
        assert_eq!(pick("4,2"), [[0.4, 0.2], [0.8, 0.6]]);
        let mono = Layout::of(None, 1, Direction::Input, "Mic").unwrap();
        assert_eq!(mono.pick(&[0.25_f32]).collect::<Vec<_>>(), [[0.25, 0.25]]);
    }

    #[test]
    fn one_output_gets_the_mean_and_every_other_channel_silence() {
        let (left, right) = ([1.0_f32, 0.5], [0.0, 0.5]);
        let place = |layout: Layout| {
            let mut block = vec![9.0_f32; 2 * layout.count()];
            layout.place(&left, &right, &mut block);
            block
        };
        assert_eq!(place(layout("1", 1)), [0.5, 0.5]);
        assert_eq!(place(layout("2", 2)), [0.0, 0.5, 0.0, 0.5]);
        assert_eq!(place(layout("2,1", 2)), [0.0, 1.0, 0.5, 0.5]);
        let wide = place(layout("200", 200));
        let last = |at| if at % 200 == 199 { 0.5 } else { 0.0 };
        assert!(
            wide.iter()
                .enumerate()
                .all(|(at, sample)| *sample == last(at))
        );
        let mut whole_numbers = [9_i16; 8];
        layout("3,4", 4).place(&[1.0, 0.5], &[0.0, -1.0], &mut whole_numbers);
        assert_eq!(whole_numbers, [0, 0, 32767, 0, 0, 0, 16384, -32768]);
    }
}
