//! Values that were sent to the host and have not come back: the screen is shown them as if they had, so that
//! no control jumps back while the host takes its time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use headroom_engine::preset::RackSpec;

use crate::parameters::Parameters;
use crate::structure::rack_of;

/// A host that has called for this long and not given a value back does not want it.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Sent {
    value: f32,
    position: f32,
    at: Instant,
}

/// What is on its way.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    rows: HashMap<usize, Sent>,
    /// Some of it is built, and not only told: it is built when all of it is there.
    builds: bool,
    /// All of it together is another rack.
    is_rack: bool,
}

impl UnderWay {
    /// `[main]` A value was sent.
    pub(crate) fn sent(&mut self, row: usize, value: f32, position: f32, builds: bool) {
        let at = Instant::now();
        self.builds |= builds;
        self.rows.insert(
            row,
            Sent {
                value,
                position,
                at,
            },
        );
    }

    /// `[main]` What is sent is another rack.
    pub(crate) fn is_rack(&mut self) {
        self.is_rack = true;
    }

    /// `[main]` Whether something is waited for that is built with the rest.
    pub(crate) fn is_settling(&self) -> bool {
        self.builds && !self.rows.is_empty()
    }

    /// `[main]` A row's value as it will be.
    pub(crate) fn value(&self, parameters: &Parameters, row: usize) -> f32 {
        match self.rows.get(&row) {
            Some(sent) => sent.value,
            None => parameters.resting_value(row),
        }
    }

    /// `[main]` The rack as it will be.
    pub(crate) fn rack(&self, parameters: &Parameters) -> RackSpec {
        rack_of(parameters, false, |row| self.value(parameters, row))
    }

    /// `[main]` Forgets what has come back; whether a whole rack has. A host that does not call gives nothing
    /// back before it does.
    pub(crate) fn settle(&mut self, parameters: &Parameters, is_calling: bool) -> bool {
        self.rows.retain(|row, sent| {
            if !is_calling {
                sent.at = Instant::now();
            }
            parameters.resting_position(*row) != sent.position && sent.at.elapsed() < PATIENCE
        });
        if !self.rows.is_empty() {
            return false;
        }
        self.builds = false;
        std::mem::take(&mut self.is_rack)
    }
}
