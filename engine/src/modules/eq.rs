//! Eight bands, each of any type, that follow their analogue prototypes.

use crate::block::Block;
use crate::dsp::cascade::{Cascade, SECTIONS};
use crate::dsp::design::{Design, Frequency};
use crate::face::{Curve, Face, Handle, Scene, response};
use crate::module::{Kind, Module, Setup};
use crate::param::{Param, Unit};

/// The kind `eq`.
pub(crate) static KIND: Kind = Kind {
    id: "eq",
    name: "Equaliser",
    about: "Eight bands: bells, shelves, notches, high- and low-passes",
    face: Face {
        curve: Some(curve),
        handles: &HANDLES,
        reduces: false,
    },
    params: &PARAMS,
    build: |setup| {
        let module = Eq::new(setup);
        setup.module(module)
    },
};

const TYPES: &[&str] = &[
    "bell",
    "low shelf",
    "high shelf",
    "notch",
    "high-pass",
    "low-pass",
];

const BELL: usize = 0;
const LOW_SHELF: usize = 1;
const HIGH_SHELF: usize = 2;
const NOTCH: usize = 3;
const HIGH_PASS: usize = 4;

/// The rows of one band: on, type, frequency, gain, Q.
const BAND_PARAMS: usize = 5;

macro_rules! band {
    ($number:literal, $kind:expr, $freq_hz:expr) => {
        [
            Param::switch(
                concat!("band", $number, "_on"),
                concat!("Band ", $number),
                true,
            ),
            Param::choice(
                concat!("band", $number, "_type"),
                concat!("Band ", $number, " type"),
                TYPES,
                $kind,
            ),
            Param::log(
                concat!("band", $number, "_freq_hz"),
                concat!("Band ", $number, " frequency"),
                Unit::Hertz,
                (10.0, 22_000.0),
                $freq_hz,
            ),
            Param::linear(
                concat!("band", $number, "_gain_db"),
                concat!("Band ", $number, " gain"),
                Unit::Decibels,
                (-24.0, 24.0),
                0.0,
            ),
            Param::log(
                concat!("band", $number, "_q"),
                concat!("Band ", $number, " Q"),
                Unit::None,
                (0.1, 40.0),
                std::f32::consts::FRAC_1_SQRT_2,
            ),
        ]
    };
}

const BANDS: [[Param; BAND_PARAMS]; SECTIONS] = [
    band!(1, LOW_SHELF, 80.0),
    band!(2, BELL, 150.0),
    band!(3, BELL, 400.0),
    band!(4, BELL, 1_000.0),
    band!(5, BELL, 2_500.0),
    band!(6, BELL, 5_000.0),
    band!(7, BELL, 8_000.0),
    band!(8, HIGH_SHELF, 12_000.0),
];

static PARAMS: [Param; SECTIONS * BAND_PARAMS] = {
    let mut params = [BANDS[0][0]; SECTIONS * BAND_PARAMS];
    let mut index = 0;
    while index < params.len() {
        params[index] = BANDS[index / BAND_PARAMS][index % BAND_PARAMS];
        index += 1;
    }
    params
};

/// A dot a band: frequency, gain, and Q by the wheel.
static HANDLES: [Handle; SECTIONS] = {
    let mut handles = [Handle {
        x: None,
        y: None,
        wheel: None,
        on: None,
        choice: None,
        x_unless: None,
    }; SECTIONS];
    let mut band = 0;
    while band < SECTIONS {
        let first = (band * BAND_PARAMS) as u16;
        handles[band] = Handle {
            on: Some(first),
            choice: Some(first + 1),
            x_unless: None,
            x: Some(first + 2),
            y: Some(first + 3),
            wheel: Some(first + 4),
        };
        band += 1;
    }
    handles
};

/// The response of all bands, in front of +-24 dB.
fn curve(scene: &Scene, values: &[f32]) -> Curve {
    let rate_hz = f64::from(scene.stream.sample_rate_hz());
    let (bands, _) = values.as_chunks::<BAND_PARAMS>();
    let designs: Vec<Design> = bands.iter().map(|band| design(band, rate_hz)).collect();
    response(24.0, |hz| {
        let frequency = Frequency::new(hz, rate_hz).radians();
        let gains = designs.iter().map(|design| design.magnitude(frequency));
        gains.product()
    })
}

struct Eq {
    values: [[f32; BAND_PARAMS]; SECTIONS],
    sample_rate_hz: f64,
    cascade: Cascade,
}

impl Eq {
    fn new(setup: &Setup<'_>) -> Self {
        let mut values = [[0.0; BAND_PARAMS]; SECTIONS];
        for (band, given) in values.iter_mut().zip(setup.values().chunks(BAND_PARAMS)) {
            band.copy_from_slice(given);
        }
        let stream = setup.stream();
        let sample_rate_hz = f64::from(stream.sample_rate_hz());
        let designs = values.map(|band| design(&band, sample_rate_hz));
        Self {
            values,
            sample_rate_hz,
            cascade: Cascade::new(stream, &designs),
        }
    }
}

fn design(values: &[f32; BAND_PARAMS], sample_rate_hz: f64) -> Design {
    let &[on, kind, freq_hz, gain_db, q] = values;
    if on < 0.5 {
        return Design::IDENTITY;
    }
    let frequency = Frequency::new(f64::from(freq_hz), sample_rate_hz);
    let (gain_db, q) = (f64::from(gain_db), f64::from(q));
    match kind as usize {
        BELL => Design::bell(frequency, gain_db, q),
        LOW_SHELF => Design::low_shelf(frequency, gain_db, q),
        HIGH_SHELF => Design::high_shelf(frequency, gain_db, q),
        NOTCH => Design::notch(frequency, q),
        HIGH_PASS => Design::high_pass(frequency, q),
        _ => Design::low_pass(frequency, q),
    }
}

impl Module for Eq {
    fn set_param(&mut self, index: usize, value: f32) {
        let band = index / BAND_PARAMS;
        self.values[band][index % BAND_PARAMS] = value;
        let design = design(&self.values[band], self.sample_rate_hz);
        self.cascade.set(band, &design);
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
