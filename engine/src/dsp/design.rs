//! Second-order filters that follow their analogue prototypes up to the top of the spectrum.
//!
//! The prototypes are those of Robert Bristow-Johnson's *Audio EQ Cookbook*, in the s-plane. A plain
//! bilinear transform squeezes them towards Nyquist; here the poles (and sharp zeros) are placed by
//! `z = exp(sT)`, and what freedom is left is spent on matching the magnitude at chosen frequencies,
//! after Martin Vicanek, *Matched Second Order Digital Filters* (2016). Against the prototype the
//! magnitude is off by less than 0.5 dB up to 10 kHz at 48 kHz, for any frequency up to 22 kHz, any
//! gain up to 24 dB and any Q from 0.1 to 40; by a few hundredths for everyday settings.
//!
//! Everything is worked out in the variable `X = tan²(w/2)`, in which the squared magnitude of the
//! digital filter is a ratio of two quadratics, and which stays well-conditioned at 10 Hz.

use std::f64::consts::PI;

/// Highest frequency that is designed for, as a fraction of Nyquist.
const HIGHEST: f64 = 0.999;

/// Where a match is made at the latest, in radians a frame: 7.6 kHz at 48 kHz. A match nearer to
/// Nyquist would pay for accuracy that nobody hears with error in the band that counts.
const LATEST_MATCH: f64 = 1.0;

/// A second-order filter as the mix of a state-variable filter's three outputs: with
/// `O = tan(w/2)`, `H = (low g² + band g jO + high (jO)²) / (g² + k g jO + (jO)²)`.
///
/// So `low` is the gain at 0 Hz, `high` the gain at Nyquist, and the filter is stable for any
/// positive `g` and `k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design {
    /// The tangent of half the centre frequency.
    pub g: f64,
    /// Damping: 1/Q.
    pub k: f64,
    /// How much of the low-pass output is in the mix.
    pub low: f64,
    /// How much of the band-pass output is in the mix.
    pub band: f64,
    /// How much of the high-pass output is in the mix.
    pub high: f64,
}

impl Design {
    /// Passes everything as it is.
    pub const IDENTITY: Self = Self {
        g: 0.5,
        k: 1.0,
        low: 1.0,
        band: 1.0,
        high: 1.0,
    };

    /// `[any]` Whether it passes everything as it is.
    pub fn is_identity(&self) -> bool {
        self.low == 1.0 && self.high == 1.0 && self.band == self.k
    }

    /// `[any]` The gain at `frequency` radians a frame (0 to pi), linear.
    pub fn magnitude(&self, frequency: f64) -> f64 {
        let x = tan_half_squared(frequency);
        let g2 = self.g * self.g;
        let numerator = (self.low * g2 - self.high * x).powi(2) + self.band * self.band * g2 * x;
        let denominator = (g2 - x).powi(2) + self.k * self.k * g2 * x;
        (numerator / denominator).sqrt()
    }

    /// `[audio]` A bell: `gain_db` at the centre, unity far from it. RBJ's `peakingEQ`.
    pub fn bell(centre: Frequency, gain_db: f64, q: f64) -> Self {
        if gain_db == 0.0 {
            return Self::IDENTITY;
        }
        // A boost has the sharper poles, which are placed exactly; a cut is its exact inverse.
        let root = gain_root(gain_db.abs());
        let prototype = Prototype {
            corner: centre.0,
            numerator: [1.0, root / q, 1.0],
            denominator: [1.0, 1.0 / (q * root), 1.0],
        };
        let boost = prototype.matched_magnitude(centre.0.min(LATEST_MATCH));
        if gain_db > 0.0 {
            boost
        } else {
            boost.inverse()
        }
    }

    /// `[audio]` A low shelf: `gain_db` at 0 Hz, half of it at the corner, unity at the top. RBJ's
    /// `lowShelf`.
    pub fn low_shelf(corner: Frequency, gain_db: f64, q: f64) -> Self {
        if gain_db == 0.0 {
            return Self::IDENTITY;
        }
        let boost = Self::low_shelf_boost(corner, gain_db.abs(), q);
        if gain_db > 0.0 {
            boost
        } else {
            boost.inverse()
        }
    }

    /// `[audio]` A high shelf: `gain_db` at the top, half of it at the corner, unity at 0 Hz. RBJ's
    /// `highShelf`, which is the inverse low shelf raised by the gain.
    pub fn high_shelf(corner: Frequency, gain_db: f64, q: f64) -> Self {
        if gain_db == 0.0 {
            return Self::IDENTITY;
        }
        let low = Self::low_shelf_boost(corner, gain_db.abs(), q);
        let gain = 10f64.powf(gain_db / 20.0);
        let mut shelf = if gain_db > 0.0 {
            low.inverse().amplified(gain)
        } else {
            low.amplified(gain)
        };
        shelf.low = 1.0; // Exactly: the product is 1 but for rounding.
        shelf
    }

    fn low_shelf_boost(corner: Frequency, gain_db: f64, q: f64) -> Self {
        let root = gain_root(gain_db);
        let damping = root.sqrt() / q;
        let prototype = Prototype {
            corner: corner.0,
            numerator: [root * root, root * damping, root],
            denominator: [1.0, damping, root],
        };
        // Zeros near Nyquist and above cannot be placed (they would fold back): there the magnitude
        // is matched instead.
        if corner.0 * root.sqrt() > 2.0 {
            prototype.matched_magnitude(corner.0.min(1.2))
        } else {
            prototype.matched_zeros()
        }
    }

    /// `[audio]` A notch: nothing at the centre, unity far from it. RBJ's `notch`.
    pub fn notch(centre: Frequency, q: f64) -> Self {
        let prototype = Prototype {
            corner: centre.0,
            numerator: [1.0, 0.0, 1.0],
            denominator: [1.0, 1.0 / q, 1.0],
        };
        // The zeros stand on the unit circle, so the two unknowns of the denominator
        // (g⁴ = d0 and (k² - 2) g² = d1) are left for a match at two frequencies below the centre.
        let x0 = tan_half_squared(centre.0);
        let row = |frequency: f64| {
            let x = tan_half_squared(frequency);
            let power = prototype.power(frequency);
            (((1.0 - x / x0).powi(2) / power - 1.0) / x, x)
        };
        let (slope_a, x_a) = row((0.5 * centre.0).min(0.6));
        let (slope_b, x_b) = row((0.9 * centre.0).min(1.2));
        let d0 = (x_a - x_b) / (slope_a - slope_b);
        let d1 = d0 * slope_a - x_a;
        let g2 = d0.max(f64::MIN_POSITIVE).sqrt();
        Self {
            g: g2.sqrt(),
            k: positive_root(d1 / g2 + 2.0),
            low: 1.0,
            band: 0.0,
            high: g2 / x0,
        }
    }

    /// `[audio]` A low-pass of 12 dB/octave. RBJ's `LPF`.
    pub fn low_pass(corner: Frequency, q: f64) -> Self {
        Prototype {
            corner: corner.0,
            numerator: [1.0, 0.0, 0.0],
            denominator: [1.0, 1.0 / q, 1.0],
        }
        .matched_magnitude(corner.0.min(LATEST_MATCH))
    }

    /// `[audio]` A high-pass of 12 dB/octave. RBJ's `HPF`.
    pub fn high_pass(corner: Frequency, q: f64) -> Self {
        let prototype = Prototype {
            corner: corner.0,
            numerator: [0.0, 0.0, 1.0],
            denominator: [1.0, 1.0 / q, 1.0],
        };
        // Both zeros stand at 0 Hz, or the slope would end somewhere; the gain is what is left.
        let (g, k) = place(prototype.corner, prototype.denominator);
        let at = corner.0.min(LATEST_MATCH);
        let x = tan_half_squared(at);
        let denominator = (g * g - x).powi(2) + k * k * g * g * x;
        Self {
            g,
            k,
            low: 0.0,
            band: 0.0,
            high: (prototype.power(at) * denominator).sqrt() / x,
        }
    }

    /// `[audio]` A low-pass of 6 dB/octave, as a second-order filter that cancels one of its poles.
    pub fn first_order_low_pass(corner: Frequency) -> Self {
        let g = (corner.0 / 2.0).tanh();
        let at = 1.2;
        let x = tan_half_squared(at);
        let power = 1.0 / (1.0 + (at / corner.0).powi(2));
        let high = positive_root((power * (g * g + x) - g * g) / x);
        Self {
            g,
            k: 2.0,
            low: 1.0,
            band: 1.0 + high,
            high,
        }
    }

    /// `[audio]` A high-pass of 6 dB/octave, as a second-order filter that cancels one of its poles.
    pub fn first_order_high_pass(corner: Frequency) -> Self {
        let g = (corner.0 / 2.0).tanh();
        let at = corner.0.min(LATEST_MATCH);
        let x = tan_half_squared(at);
        let ratio = (at / corner.0).powi(2);
        let high = (ratio / (1.0 + ratio) * (g * g + x) / x).sqrt();
        Self {
            g,
            k: 2.0,
            low: 0.0,
            band: high,
            high,
        }
    }

    /// `1 / H`: poles and zeros change places.
    fn inverse(&self) -> Self {
        let g = self.g * (self.low / self.high).sqrt();
        let scale = self.g / (self.high * g);
        Self {
            g,
            k: self.band * scale,
            low: 1.0 / self.low,
            band: self.k * scale,
            high: 1.0 / self.high,
        }
    }

    fn amplified(&self, gain: f64) -> Self {
        Self {
            low: self.low * gain,
            band: self.band * gain,
            high: self.high * gain,
            ..*self
        }
    }
}

/// A frequency in radians a frame, held below Nyquist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency(f64);

impl Frequency {
    /// `[any]` `hz` at `sample_rate_hz`; at most 0.999 of Nyquist.
    pub fn new(hz: f64, sample_rate_hz: f64) -> Self {
        Self((2.0 * PI * hz / sample_rate_hz).min(HIGHEST * PI))
    }

    /// `[any]` In radians a frame.
    pub fn radians(self) -> f64 {
        self.0
    }
}

/// The Qs of the second-order sections of a Butterworth filter of `order` (at least 2): poles at
/// even angles on a circle. An odd order has a first-order section besides.
pub fn butterworth_qs(order: usize) -> impl Iterator<Item = f64> {
    (0..order / 2).map(move |pair| {
        let step = PI / (2 * order) as f64;
        let from_negative_axis = if order.is_multiple_of(2) {
            (2 * pair + 1) as f64 * step
        } else {
            (2 * pair + 2) as f64 * step
        };
        0.5 / from_negative_axis.cos()
    })
}

/// An analogue filter; the coefficients are those of 1, s and s², with s in units of the corner.
struct Prototype {
    corner: f64,
    numerator: [f64; 3],
    denominator: [f64; 3],
}

impl Prototype {
    /// The squared magnitude at `frequency` radians a frame.
    fn power(&self, frequency: f64) -> f64 {
        let u2 = (frequency / self.corner).powi(2);
        let of = |c: &[f64; 3]| (c[0] - c[2] * u2).powi(2) + c[1] * c[1] * u2;
        of(&self.numerator) / of(&self.denominator)
    }

    /// Poles placed by `exp(sT)`; the magnitude is that of the prototype at 0 Hz, at Nyquist and
    /// at `at`.
    fn matched_magnitude(&self, at: f64) -> Design {
        let (g, k) = place(self.corner, self.denominator);
        let g2 = g * g;
        let low = (self.numerator[0] / self.denominator[0]).abs();
        let high = self.power(PI).sqrt();
        let x = tan_half_squared(at);
        let numerator = self.power(at) * ((g2 - x).powi(2) + k * k * g2 * x);
        Design {
            g,
            k,
            low,
            band: positive_root((numerator - (low * g2 - high * x).powi(2)) / (g2 * x)),
            high,
        }
    }

    /// Poles and zeros placed by `exp(sT)`; the gain is that of the prototype at 0 Hz.
    fn matched_zeros(&self) -> Design {
        let (g, k) = place(self.corner, self.denominator);
        let (zero_g, zero_k) = place(self.corner, self.numerator);
        let low = self.numerator[0] / self.denominator[0];
        let high = low * (g / zero_g).powi(2);
        Design {
            g,
            k,
            low,
            band: high * zero_k * zero_g / g,
            high,
        }
    }
}

/// Maps the two roots of a polynomial in s by `z = exp(sT)` and gives the `g` and `k` of the
/// result. With the z-polynomial's values `s` at 1 and `t` at -1, and `d` one minus the product of
/// its roots, `g² = s/t` and `k = 2d/√(st)`; each is computed without cancellation.
fn place(corner: f64, [c0, c1, c2]: [f64; 3]) -> (f64, f64) {
    let natural2 = corner * corner * c0 / c2;
    let decay = 0.5 * corner * c1 / c2;
    let d = -(-2.0 * decay).exp_m1();
    let (s, t) = if natural2 > decay * decay {
        let radius = (-decay).exp();
        let (sin, cos) = (0.5 * (natural2 - decay * decay).sqrt()).sin_cos();
        let inner = (-decay).exp_m1().powi(2);
        (
            inner + 4.0 * radius * sin * sin,
            inner + 4.0 * radius * cos * cos,
        )
    } else {
        let fast = decay + (decay * decay - natural2).sqrt();
        let slow = natural2 / fast;
        (
            (-fast).exp_m1() * (-slow).exp_m1(),
            (1.0 + (-fast).exp()) * (1.0 + (-slow).exp()),
        )
    };
    ((s / t).sqrt(), 2.0 * d / (s * t).sqrt())
}

/// `A` of RBJ's formulas: the square root of the linear gain.
fn gain_root(gain_db: f64) -> f64 {
    10f64.powf(gain_db / 40.0)
}

fn tan_half_squared(frequency: f64) -> f64 {
    (0.5 * frequency).tan().powi(2)
}

/// A match that cannot be had (rounding, or a corner of the parameter space) gives zero.
fn positive_root(square: f64) -> f64 {
    square.max(0.0).sqrt()
}
