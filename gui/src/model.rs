//! The picture: plain data, filled from a client once a frame, or by hand in a test. Every view is a
//! function of it.

use crate::hands::Hands;
use crate::levels::Levels;
use crate::range::Range;
use crate::sound::Sound;
use crate::text;
use headroom_ipc::board::{KindInfo, ModuleInfo, ParamInfo};
use headroom_ipc::{Curve, Description, HealthInfo, MemoryInfo, Value};
use std::sync::Arc;

/// How it stands between the screen and the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// No program was found yet.
    #[default]
    Connecting,
    /// Sound is running.
    Playing,
    /// The program is there, but its device or host does not ask for sound.
    NotCalled,
    /// The program does not answer.
    Stalled,
    /// The program has ended; another one is waited for.
    Gone,
}

/// The most modules that are drawn.
pub const MAX_MODULES: usize = 64;

/// Characters of an answer at the most: three lines of a small window.
const MAX_NOTE: usize = 240;

/// All that can be seen.
#[derive(Debug, Default)]
pub struct Picture {
    /// Whether there is anybody to draw.
    pub link: Link,
    /// The process that is looked at.
    pub pid: Option<u32>,
    /// What changes seldom.
    pub description: Arc<Description>,
    /// What must stay at zero.
    pub health: Option<Arc<HealthInfo>>,
    /// Where every byte is.
    pub memory: Option<Arc<MemoryInfo>>,
    /// Meters.
    pub levels: Levels,
    /// Spectra, scope, loudness.
    pub sound: Sound,
    /// The newest answers, oldest first.
    pub notes: Vec<Note>,
    /// Seconds since the screen was opened.
    pub now_secs: f64,
    /// Values by their places on the board.
    pub values: Vec<Option<Value>>,
    /// Curves by the places of their modules.
    pub curves: Vec<Option<Curve>>,
}

/// An answer to a command, shown for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// For people.
    pub text: String,
    /// It was refused.
    pub refused: bool,
    /// When it goes away.
    pub until_secs: f64,
}

/// A value as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// In the parameter's range.
    pub value: f32,
    /// With its unit.
    pub text: String,
}

impl Picture {
    /// `[any]` Whether there is a rack that can be worked on.
    pub fn has_rack(&self) -> bool {
        !matches!(self.link, Link::Connecting | Link::Gone)
    }

    /// `[any]` Whether the rack is a plugin's: its tempo, its device, recordings and controllers are the host's.
    pub fn is_in_host(&self) -> bool {
        self.description.tempo_is_hosts
    }

    /// `[main]` The modules that are drawn, with their kinds; those of a damaged description are left
    /// out.
    pub fn modules(&self) -> impl Iterator<Item = (usize, &ModuleInfo, &KindInfo)> {
        let modules = self.description.modules.iter().enumerate();
        modules
            .take(MAX_MODULES)
            .filter_map(|(place, module)| Some((place, module, self.description.kind_of(module)?)))
    }

    /// `[main]` The value of parameter `index` of `module`, as it is moved or as the board has it.
    pub fn param(
        &self,
        hands: &Hands,
        module: &ModuleInfo,
        param: &ParamInfo,
        index: usize,
    ) -> Shown {
        let range = Range::of(param);
        if let Some(value) = hands.held(&target(module, &param.id)) {
            let value = range.clamp(value);
            let text = text::format(param, value);
            return Shown { value, text };
        }
        match self.values.get(module.param_value(index)) {
            Some(Some(seen)) if seen.value.is_finite() => Shown {
                value: range.clamp(seen.value),
                text: if seen.text.is_empty() {
                    text::format(param, seen.value)
                } else {
                    text::cut(&seen.text).to_owned()
                },
            },
            _ => Shown {
                value: range.default(),
                text: "\u{2013}".to_owned(),
            },
        }
    }

    /// `[main]` Whether `module` is bypassed.
    pub fn is_bypassed(&self, hands: &Hands, module: &ModuleInfo) -> bool {
        let held = hands.held(&target(module, "bypass"));
        held.or_else(|| self.number(module.bypass_value()))
            .unwrap_or(0.0)
            > 0.5
    }

    /// `[main]` The mix of `module`, 0 to 1.
    pub fn mix(&self, hands: &Hands, module: &ModuleInfo) -> f32 {
        let held = hands.held(&target(module, "mix"));
        let mix = held.or_else(|| self.number(module.mix_value()));
        mix.unwrap_or(1.0).clamp(0.0, 1.0)
    }

    fn number(&self, place: usize) -> Option<f32> {
        let value = self.values.get(place)?.as_ref()?.value;
        value.is_finite().then_some(value)
    }

    /// `[main]` The curve of the module in `place`.
    pub fn curve(&self, place: usize) -> Option<&Curve> {
        self.curves.get(place)?.as_ref()
    }

    /// `[main]` Shows an answer for a while.
    pub fn note(&mut self, text: &str, refused: bool) {
        let secs = if refused { 8.0 } else { 3.0 };
        self.notes.push(Note {
            text: text.chars().take(MAX_NOTE).collect(),
            refused,
            until_secs: self.now_secs + secs,
        });
        let surplus = self.notes.len().saturating_sub(3);
        self.notes.drain(..surplus);
    }
}

/// `[any]` What commands call a parameter: `eq.band1_freq_hz`.
pub fn target(module: &ModuleInfo, param: &str) -> String {
    format!("{}.{param}", module.id)
}
