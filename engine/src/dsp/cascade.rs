//! Up to eight second-order sections in series, on one or two channels, whose coefficients move
//! without a click: what an equaliser or a steep filter is made of.

use crate::block::Block;
use crate::dsp::design::Design;
use crate::dsp::quad::Quad;
use crate::dsp::skewed::{Lanes, MOVERS, QUADS, STAGES};
use crate::stream::Stream;

/// Sections in the longest cascade.
pub const SECTIONS: usize = 8;

/// Time constant of each of the three poles that smooth a movement. Half of it is over after 8 ms,
/// nine tenths after 16 ms. Less than this is heard when a steep filter's cutoff leaps.
const SMOOTHING_SECS: f64 = 0.003;

/// After this a movement is over, to within 3 millionths, and the target itself is used.
const SETTLE_SECS: f64 = 18.0 * SMOOTHING_SECS;

/// Lowest damping that is let through: a guard against designs that ring for ever.
const LOWEST_DAMPING: f64 = 1e-4;

/// Sections in series. At rest a section that passes everything as it is costs nothing and touches
/// no bit.
#[derive(Debug, Clone, Copy)]
pub struct Cascade {
    sections: [Section; SECTIONS],
    lanes: Lanes,
    /// Which section is where in the lanes.
    order: [usize; SECTIONS],
    active: usize,
    channels: usize,
    pace: f32,
    settle_frames: u32,
    /// Whether states and smoothers are in `lanes` now, or in `sections`.
    packed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Section {
    target: [f32; MOVERS],
    stages: [[f32; MOVERS]; STAGES],
    state: [[f32; 2]; 2],
    /// Frames until it is on its target.
    remaining_frames: u32,
    active: bool,
}

impl Section {
    fn at_rest(design: &Design) -> Self {
        let target = movers(design);
        Self {
            target,
            stages: [target; STAGES],
            state: [[0.0; 2]; 2],
            remaining_frames: 0,
            active: !is_identity(&target),
        }
    }

    /// Ends a movement.
    fn finish(&mut self) {
        self.stages = [self.target; STAGES];
        self.remaining_frames = 0;
        self.active = !is_identity(&self.target);
        if !self.active {
            self.state = [[0.0; 2]; 2];
        }
    }
}

/// What glides of a design; see [`MOVERS`].
fn movers(design: &Design) -> [f32; MOVERS] {
    let k = design.k.max(LOWEST_DAMPING);
    let band = if design.is_identity() {
        0.0
    } else {
        design.band - design.high * k
    };
    [
        design.g.sqrt().sqrt() as f32,
        k as f32,
        design.low as f32,
        design.high as f32,
        band as f32,
    ]
}

fn is_identity(movers: &[f32; MOVERS]) -> bool {
    movers[2..] == [1.0, 1.0, 0.0]
}

impl Cascade {
    /// `[any]` Starts at rest on `designs`.
    pub fn new(stream: Stream, designs: &[Design; SECTIONS]) -> Self {
        let rate = f64::from(stream.sample_rate_hz());
        Self {
            sections: designs.map(|design| Section::at_rest(&design)),
            lanes: Lanes::idle(),
            order: [0; SECTIONS],
            active: 0,
            channels: stream.channels(),
            pace: -(-1.0 / (SMOOTHING_SECS * rate)).exp_m1() as f32,
            settle_frames: stream.frames(SETTLE_SECS).max(1) as u32,
            packed: false,
        }
    }

    /// `[audio]` Moves section `index` to `design`, smoothly from the next frame on.
    pub fn set(&mut self, index: usize, design: &Design) {
        let mut target = movers(design);
        if is_identity(&target) {
            // Where the poles of nothing are does not matter: they stay.
            target[..2].copy_from_slice(&self.sections[index].target[..2]);
        }
        if target == self.sections[index].target {
            return;
        }
        self.unpack();
        let section = &mut self.sections[index];
        section.target = target;
        if !section.active {
            if is_identity(&target) {
                return;
            }
            section.active = true;
            section.stages = [[target[0], target[1], 1.0, 1.0, 0.0]; STAGES];
        }
        section.remaining_frames = self.settle_frames;
    }

    /// `[audio]` Runs one chunk in place.
    pub fn process(&mut self, block: &mut Block<'_>) {
        let (mut left, mut right) = block.split();
        while !left.is_empty() {
            if !self.packed {
                self.pack();
            }
            if self.active == 0 {
                return;
            }
            let moving = self.sections.iter().map(|section| section.remaining_frames);
            let next_end = moving.filter(|&frames| frames > 0).min();
            let span = next_end.map_or(left.len(), |frames| left.len().min(frames as usize));
            let (now, later) = left.split_at_mut(span);
            left = later;
            let (right_now, right_later) = match right {
                Some(right) => {
                    let (now, later) = right.split_at_mut(span);
                    (Some(now), Some(later))
                }
                None => (None, None),
            };
            right = right_later;
            let quads = (self.active * self.channels).div_ceil(4);
            let smoothing = next_end.map(|_| self.pace);
            self.lanes.run(quads, now, right_now, smoothing);
            if next_end.is_some() {
                self.pass(span as u32);
            }
        }
    }

    /// `[audio]` Forgets all sound and ends all movements.
    pub fn reset(&mut self) {
        self.unpack();
        for section in &mut self.sections {
            section.finish();
            section.state = [[0.0; 2]; 2];
        }
    }

    /// `[audio]` Takes over where another's coefficients are on their way; not its sound.
    pub fn adopt(&mut self, old: &Self) {
        let mut old = *old;
        old.unpack();
        self.unpack();
        for (section, old) in self.sections.iter_mut().zip(&old.sections) {
            if !section.active && !old.active {
                continue;
            }
            let mut stages = old.stages;
            if !old.active {
                for stage in &mut stages {
                    stage[..2].copy_from_slice(&section.target[..2]);
                }
            } else if is_identity(&section.target) {
                section.target[..2].copy_from_slice(&old.target[..2]);
            }
            section.stages = stages;
            section.active = true;
            section.remaining_frames = if section.target == old.target {
                old.remaining_frames
            } else {
                self.settle_frames
            };
        }
    }

    /// `[any]` Two periods of the lowest section: a filter that was silent for so long stays silent.
    pub fn quiet_frames(&self) -> usize {
        let lowest = self
            .sections
            .iter()
            .filter(|section| section.active)
            .map(|section| section.target[0].powi(4))
            .fold(1.0, f32::min);
        (2.0 * std::f32::consts::PI / lowest.atan()).ceil() as usize
    }

    /// Counts the frames of a movement, and ends it where it ends.
    fn pass(&mut self, frames: u32) {
        let mut ended = false;
        for section in &mut self.sections {
            ended |= section.remaining_frames == frames;
            section.remaining_frames -= frames.min(section.remaining_frames);
        }
        if ended {
            self.unpack();
            for section in &mut self.sections {
                if section.active && section.remaining_frames == 0 {
                    section.finish();
                }
            }
        }
    }

    /// Puts the active sections side by side into the lanes.
    fn pack(&mut self) {
        self.lanes = Lanes::idle();
        self.active = 0;
        for (index, section) in self.sections.iter().enumerate() {
            if !section.active {
                continue;
            }
            self.order[self.active] = index;
            for channel in 0..self.channels {
                let lane = self.channels * self.active + channel;
                for (row, value) in self.lanes.state.iter_mut().zip(section.state) {
                    put(row, lane, value[channel]);
                }
                for (rows, values) in self.lanes.stages.iter_mut().zip(section.stages) {
                    for (row, value) in rows.iter_mut().zip(values) {
                        put(row, lane, value);
                    }
                }
                for (row, value) in self.lanes.targets.iter_mut().zip(section.target) {
                    put(row, lane, value);
                }
            }
            self.active += 1;
        }
        self.lanes.settle();
        self.packed = true;
    }

    /// Takes states and smoothers back out of the lanes.
    fn unpack(&mut self) {
        if !self.packed {
            return;
        }
        for position in 0..self.active {
            let section = &mut self.sections[self.order[position]];
            for channel in 0..self.channels {
                let lane = self.channels * position + channel;
                for (row, value) in self.lanes.state.iter().zip(&mut section.state) {
                    value[channel] = get(row, lane);
                }
                for (rows, values) in self.lanes.stages.iter().zip(&mut section.stages) {
                    for (row, value) in rows.iter().zip(values) {
                        *value = get(row, lane);
                    }
                }
            }
        }
        self.packed = false;
    }
}

fn get(row: &[Quad; QUADS], lane: usize) -> f32 {
    row[lane / 4].lanes()[lane % 4]
}

fn put(row: &mut [Quad; QUADS], lane: usize, value: f32) {
    let mut lanes = row[lane / 4].lanes();
    lanes[lane % 4] = value;
    row[lane / 4] = Quad::new(lanes);
}
