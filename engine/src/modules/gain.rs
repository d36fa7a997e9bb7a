//! Gain, pan, width, polarity and a DC block: what every channel strip ends or begins with.

use crate::block::Block;
use crate::dsp::simd::scale;
use crate::face::Face;
use crate::module::{Kind, Module, Setup};
use crate::param::{Param, Unit};
use crate::ramp::Ease;
use crate::units::db_to_gain;

/// The kind `gain`.
pub(crate) static KIND: Kind = Kind {
    id: "gain",
    name: "Gain",
    about: "Level, pan, stereo width, polarity and a DC block",
    face: Face::PLAIN,
    params: &[
        Param::linear("gain_db", "Gain", Unit::Decibels, (-72.0, 24.0), 0.0),
        Param::linear("pan", "Pan", Unit::Percent, (-1.0, 1.0), 0.0),
        Param::linear("width", "Width", Unit::Percent, (0.0, 2.0), 1.0),
        Param::switch("invert_left", "Invert left", false),
        Param::switch("invert_right", "Invert right", false),
        Param::switch("dc_block", "DC block", false),
    ],
    build: |setup| {
        let module = Gain::new(setup);
        setup.module(module)
    },
};

const GAIN_DB: usize = 0;
const PAN: usize = 1;
const WIDTH: usize = 2;
const INVERT_LEFT: usize = 3;
const INVERT_RIGHT: usize = 4;
const DC_BLOCK: usize = 5;
const PARAMS: usize = 6;

/// The DC block's corner.
const DC_CORNER_HZ: f64 = 5.0;

struct Gain {
    values: [f32; PARAMS],
    channels: usize,
    /// Left and right out of left and right in: `[ll, lr, rl, rr]`.
    matrix: Ease<4>,
    /// How much of the DC estimate is taken away, 0 to 1.
    dc_amount: Ease<1>,
    dc: [DcEstimate; 2],
    dc_coefficient: f64,
}

/// A one-pole low-pass that follows the DC of one channel. In f64: at 5 Hz and 192 kHz an f32
/// accumulator would stall.
#[derive(Debug, Clone, Copy, Default)]
struct DcEstimate {
    level: f64,
}

impl Gain {
    fn new(setup: &Setup<'_>) -> Self {
        let stream = setup.stream();
        let mut values = [0.0; PARAMS];
        values.copy_from_slice(setup.values());
        let glide_frames = stream.frames(0.02);
        let rate = f64::from(stream.sample_rate_hz());
        Self {
            values,
            channels: stream.channels(),
            matrix: Ease::new(matrix(&values, stream.channels()), glide_frames),
            dc_amount: Ease::new([values[DC_BLOCK]], glide_frames),
            dc: [DcEstimate::default(); 2],
            dc_coefficient: 1.0 - (-std::f64::consts::TAU * DC_CORNER_HZ / rate).exp(),
        }
    }

    /// The first `frames`, during which the matrix moves; does not advance it.
    fn glide(&self, block: &mut Block<'_>, frames: usize) {
        let matrix = self.matrix;
        match block.split() {
            (mono, None) => {
                for (i, sample) in mono[..frames].iter_mut().enumerate() {
                    *sample *= matrix.ahead(1 + i)[0];
                }
            }
            (left, Some(right)) => {
                let channels = left[..frames].iter_mut().zip(&mut right[..frames]);
                for (i, (left, right)) in channels.enumerate() {
                    let [ll, lr, rl, rr] = matrix.ahead(1 + i);
                    let (l, r) = (*left, *right);
                    *left = l * ll + r * lr;
                    *right = l * rl + r * rr;
                }
            }
        }
    }

    fn remove_dc(&mut self, block: &mut Block<'_>) {
        let coefficient = self.dc_coefficient;
        let amount = self.dc_amount;
        // Once it is off the estimate rests, at the very frame: not at the end of the chunk.
        let frames = match amount.target() {
            [0.0] => amount.remaining_frames().min(block.frames()),
            _ => block.frames(),
        };
        for (channel, estimate) in block.iter_mut().zip(&mut self.dc) {
            let mut level = estimate.level;
            for (i, sample) in channel[..frames].iter_mut().enumerate() {
                let x = f64::from(*sample);
                level += (x - level) * coefficient;
                *sample = (x - level * f64::from(amount.ahead(1 + i)[0])) as f32;
            }
            estimate.level = level;
        }
        self.dc_amount.advance(block.frames());
    }
}

/// Balance for stereo: the near side stays, the far side falls; a mono stream has no pan or width.
/// Width scales the side signal (L - R) and leaves the middle alone.
fn matrix(values: &[f32; PARAMS], channels: usize) -> [f32; 4] {
    let gain = db_to_gain(values[GAIN_DB]);
    let left_sign = if values[INVERT_LEFT] > 0.5 { -1.0 } else { 1.0 };
    let right_sign = if values[INVERT_RIGHT] > 0.5 {
        -1.0
    } else {
        1.0
    };
    if channels == 1 {
        return [gain * left_sign, 0.0, 0.0, 0.0];
    }
    // A quarter of a sine keeps the far side's fall even to the ear.
    let far = |pan: f32| (std::f32::consts::FRAC_PI_2 * (1.0 - pan.max(0.0))).sin();
    let left = gain * far(values[PAN]);
    let right = gain * far(-values[PAN]);
    let own = 0.5 * (1.0 + values[WIDTH]);
    let other = 0.5 * (1.0 - values[WIDTH]);
    [
        left * own * left_sign,
        left * other * right_sign,
        right * other * left_sign,
        right * own * right_sign,
    ]
}

impl Module for Gain {
    fn set_param(&mut self, index: usize, value: f32) {
        self.values[index] = value;
        if index == DC_BLOCK {
            self.dc_amount.set([value]);
        } else {
            self.matrix.set(matrix(&self.values, self.channels));
        }
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.dc_amount.is_moving() || self.dc_amount.target() != [0.0] {
            self.remove_dc(block);
        }
        let frames = block.frames();
        let moving = self.matrix.remaining_frames().min(frames);
        if moving > 0 {
            self.glide(block, moving);
        }
        let [ll, lr, rl, rr] = self.matrix.target();
        match block.split() {
            (mono, None) => scale(&mut mono[moving..], ll),
            (left, Some(right)) => {
                let (left, right) = (&mut left[moving..], &mut right[moving..]);
                // Most of the time neither channel goes into the other. It is at rest here, which is
                // a matter of the frame and not of the chunk: so is which of the two this takes.
                if lr == 0.0 && rl == 0.0 {
                    scale(left, ll);
                    scale(right, rr);
                } else {
                    for (left, right) in left.iter_mut().zip(right) {
                        let (l, r) = (*left, *right);
                        *left = l * ll + r * lr;
                        *right = l * rl + r * rr;
                    }
                }
            }
        }
        self.matrix.advance(frames);
    }

    fn reset(&mut self) {
        self.matrix.finish();
        self.dc_amount.finish();
        self.dc = [DcEstimate::default(); 2];
    }

    fn adopt(&mut self, old: &dyn Module) {
        if let Some(old) = old.downcast::<Self>() {
            self.matrix.adopt(&old.matrix);
            self.dc_amount.adopt(&old.dc_amount);
            self.dc = old.dc;
        }
    }
}
