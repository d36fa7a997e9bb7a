//! How a control walks a parameter's range. A description may hold anything: a range here is always one
//! that can be walked.

use headroom_ipc::Walk;
use headroom_ipc::board::ParamInfo;

/// A range that can be walked: finite, from low to high, above zero where it is walked in octaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f32,
    high: f32,
    default: f32,
    walk: Walk,
}

impl Range {
    /// The range of a mix.
    pub const MIX: Self = Self {
        low: 0.0,
        high: 1.0,
        default: 1.0,
        walk: Walk::Linear,
    };

    /// `[any]` The range of `param`; what cannot be walked becomes 0 to 1, evenly.
    pub fn of(param: &ParamInfo) -> Self {
        let (mut low, mut high) = (param.min, param.max);
        let mut walk = param.walk;
        let usable = low.is_finite() && high.is_finite() && low < high && (high - low).is_finite();
        if !usable {
            (low, high) = (0.0, 1.0);
            if walk == Walk::Log {
                walk = Walk::Linear;
            }
        }
        if walk == Walk::Log && (low <= 0.0 || !(high / low).is_finite()) {
            walk = Walk::Linear;
        }
        let default = if param.default.is_finite() {
            param.default.clamp(low, high)
        } else {
            low
        };
        Self {
            low,
            high,
            default,
            walk,
        }
    }

    /// `[any]` The lowest value.
    pub fn low(&self) -> f32 {
        self.low
    }

    /// `[any]` The highest value.
    pub fn high(&self) -> f32 {
        self.high
    }

    /// `[any]` Where a double-click goes.
    pub fn default(&self) -> f32 {
        self.default
    }

    /// `[any]` The nearest value in the range; no number becomes the default.
    pub fn clamp(&self, value: f32) -> f32 {
        let value = if value.is_nan() { self.default } else { value };
        let value = value.clamp(self.low, self.high);
        match self.walk {
            Walk::Linear | Walk::Log => value,
            Walk::Choice | Walk::Switch => value.round().clamp(self.low, self.high),
        }
    }

    /// `[any]` Where `value` stands between the lowest (0) and the highest (1).
    pub fn fraction(&self, value: f32) -> f32 {
        let value = self.clamp(value);
        let fraction = match self.walk {
            Walk::Log => (value / self.low).ln() / (self.high / self.low).ln(),
            _ => (value - self.low) / (self.high - self.low),
        };
        fraction.clamp(0.0, 1.0)
    }

    /// `[any]` The value that stands at `fraction`.
    pub fn value(&self, fraction: f32) -> f32 {
        let fraction = if fraction.is_nan() { 0.0 } else { fraction };
        let fraction = fraction.clamp(0.0, 1.0);
        if fraction == 0.0 {
            return self.low;
        }
        if fraction == 1.0 {
            return self.high;
        }
        self.clamp(match self.walk {
            Walk::Log => self.low * (self.high / self.low).powf(fraction),
            _ => self.low + (self.high - self.low) * fraction,
        })
    }

    /// `[any]` `value`, moved by `steps`: of hundredths of the range, of choices, of a switch.
    pub fn step(&self, value: f32, steps: f32) -> f32 {
        match self.walk {
            Walk::Choice | Walk::Switch => self.clamp(self.clamp(value) + steps.signum()),
            Walk::Linear | Walk::Log => self.value(self.fraction(value) + steps * 0.01),
        }
    }

    /// `[any]` Where the arc of a knob begins: at zero for a range that goes both ways, else at its
    /// lowest.
    pub fn origin(&self) -> f32 {
        if self.walk == Walk::Linear && self.low < 0.0 && self.high > 0.0 {
            // A level of -72 to 24 dB has no middle that means anything; a pan has.
            let balance = (self.low.abs() / self.high).ln().abs();
            if balance < 0.8 {
                return self.fraction(0.0);
            }
        }
        0.0
    }
}
