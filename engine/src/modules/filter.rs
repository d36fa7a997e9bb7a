//! High-pass and low-pass of any slope, as flat as can be in the pass band (Butterworth).

use crate::block::Block;
use crate::dsp::cascade::{Cascade, SECTIONS};
use crate::dsp::design::{Design, Frequency, butterworth_qs};
use crate::face::{Curve, Face, Handle, Scene, response};
use crate::module::{Kind, Module, Setup};
use crate::param::{Param, Unit};

const SLOPES: &[&str] = &[
    "6 dB/oct",
    "12 dB/oct",
    "18 dB/oct",
    "24 dB/oct",
    "30 dB/oct",
    "36 dB/oct",
    "42 dB/oct",
    "48 dB/oct",
];

const TWELVE_DB: usize = 1;

/// The kind `filter`.
pub(crate) static KIND: Kind = Kind {
    id: "filter",
    name: "Filter",
    about: "High-pass and low-pass, 6 to 48 dB/octave, Butterworth",
    face: Face {
        curve: Some(curve),
        handles: &HANDLES,
        reduces: false,
    },
    params: &[
        Param::switch("highpass_on", "High-pass", false),
        Param::log(
            "highpass_cutoff_hz",
            "High-pass cutoff",
            Unit::Hertz,
            (10.0, 22_000.0),
            80.0,
        ),
        Param::choice("highpass_slope", "High-pass slope", SLOPES, TWELVE_DB),
        Param::switch("lowpass_on", "Low-pass", false),
        Param::log(
            "lowpass_cutoff_hz",
            "Low-pass cutoff",
            Unit::Hertz,
            (10.0, 22_000.0),
            12_000.0,
        ),
        Param::choice("lowpass_slope", "Low-pass slope", SLOPES, TWELVE_DB),
    ],
    build: |setup| {
        let module = Filter::new(setup);
        setup.module(module)
    },
};

/// The rows of one side: on, cutoff, slope.
const SIDE_PARAMS: usize = 3;

/// Sections of one side.
const SIDE_SECTIONS: usize = SECTIONS / 2;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    HighPass,
    LowPass,
}

const SIDES: [Side; 2] = [Side::HighPass, Side::LowPass];

/// A dot a side: its cutoff.
static HANDLES: [Handle; 2] = [side_handle(0), side_handle(SIDE_PARAMS as u16)];

const fn side_handle(first: u16) -> Handle {
    Handle {
        on: Some(first),
        x: Some(first + 1),
        choice: Some(first + 2),
        x_unless: None,
        y: None,
        wheel: None,
    }
}

/// The response of both sides.
fn curve(scene: &Scene, values: &[f32]) -> Curve {
    let rate_hz = f64::from(scene.stream.sample_rate_hz());
    let (sides, _) = values.as_chunks::<SIDE_PARAMS>();
    let designs: Vec<Design> = SIDES
        .iter()
        .zip(sides)
        .flat_map(|(side, values)| side_designs(*side, values, rate_hz))
        .collect();
    response(48.0, |hz| {
        let frequency = Frequency::new(hz, rate_hz).radians();
        let gains = designs.iter().map(|design| design.magnitude(frequency));
        gains.product()
    })
}

struct Filter {
    values: [[f32; SIDE_PARAMS]; 2],
    sample_rate_hz: f64,
    cascade: Cascade,
}

impl Filter {
    fn new(setup: &Setup<'_>) -> Self {
        let mut values = [[0.0; SIDE_PARAMS]; 2];
        for (side, given) in values.iter_mut().zip(setup.values().chunks(SIDE_PARAMS)) {
            side.copy_from_slice(given);
        }
        let stream = setup.stream();
        let sample_rate_hz = f64::from(stream.sample_rate_hz());
        let mut designs = [Design::IDENTITY; SECTIONS];
        for (index, sections) in designs.chunks_mut(SIDE_SECTIONS).enumerate() {
            sections.copy_from_slice(&side_designs(SIDES[index], &values[index], sample_rate_hz));
        }
        Self {
            values,
            sample_rate_hz,
            cascade: Cascade::new(stream, &designs),
        }
    }
}

/// The sections of one side; those that its slope does not need pass everything.
fn side_designs(
    side: Side,
    values: &[f32; SIDE_PARAMS],
    sample_rate_hz: f64,
) -> [Design; SIDE_SECTIONS] {
    let mut designs = [Design::IDENTITY; SIDE_SECTIONS];
    let &[on, cutoff_hz, slope] = values;
    if on < 0.5 {
        return designs;
    }
    let cutoff = Frequency::new(f64::from(cutoff_hz), sample_rate_hz);
    let order = slope as usize + 1;
    let second = butterworth_qs(order).map(|q| match side {
        Side::HighPass => Design::high_pass(cutoff, q),
        Side::LowPass => Design::low_pass(cutoff, q),
    });
    let first = (!order.is_multiple_of(2)).then(|| match side {
        Side::HighPass => Design::first_order_high_pass(cutoff),
        Side::LowPass => Design::first_order_low_pass(cutoff),
    });
    for (design, wanted) in designs.iter_mut().zip(second.chain(first)) {
        *design = wanted;
    }
    designs
}

impl Module for Filter {
    fn set_param(&mut self, index: usize, value: f32) {
        let side = index / SIDE_PARAMS;
        self.values[side][index % SIDE_PARAMS] = value;
        let designs = side_designs(SIDES[side], &self.values[side], self.sample_rate_hz);
        for (section, design) in designs.iter().enumerate() {
            self.cascade.set(side * SIDE_SECTIONS + section, design);
        }
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.cascade.process(block);
    }

    fn reset(&mut self) {
        self.cascade.reset();
    }

    fn quiet_frames(&self) -> usize {
        self.cascade.quiet_frames()
    }

    fn adopt(&mut self, old: &dyn Module) {
        if let Some(old) = old.downcast::<Self>() {
            self.cascade.adopt(&old.cascade);
        }
    }
}
