//! What a host changes within a block, in the order of the frames. Takes no memory while it plays.
#![allow(unsafe_code)]

use nice_plug::wrapper::vst3::vst3::ComRef;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::kResultOk;

use crate::table::Table;

/// Room for changes of a block. Where there is none left, a row gets its last one only.
const ROOM: usize = 2_048;

#[derive(Debug, Clone, Copy)]
struct Point {
    frame: u32,
    /// Of two at one frame the later counts.
    order: u16,
    row: u16,
    position: f32,
}

/// The changes of one block.
pub(super) struct Points {
    list: Vec<Point>,
    /// How many have been set.
    done: usize,
}

impl Points {
    /// `[main]` For so many rows.
    pub(super) fn new(rows: usize) -> Self {
        Self {
            list: Vec::with_capacity(ROOM + rows),
            done: 0,
        }
    }

    /// `[audio]` Takes what a host changes in a block of so many frames.
    ///
    /// # Safety
    ///
    /// `changes` is null or an object of that interface.
    pub(super) unsafe fn read(
        &mut self,
        changes: *mut IParameterChanges,
        frames: usize,
        table: &Table,
    ) {
        self.list.clear();
        self.done = 0;
        // SAFETY: the caller's word.
        let Some(changes) = (unsafe { ComRef::from_raw(changes) }) else {
            return;
        };
        // SAFETY: an object of the host's, and one that it hands out.
        let count = unsafe { changes.getParameterCount() };
        for index in 0..count {
            // SAFETY: as above.
            let queue = unsafe { ComRef::from_raw(changes.getParameterData(index)) };
            if let Some(queue) = queue {
                self.take(queue, frames, table);
            }
        }
        let is_in_order = self.list.is_sorted_by_key(|point| point.frame);
        if !is_in_order {
            let list = &mut self.list;
            list.sort_unstable_by_key(|point| (point.frame, point.order));
        }
    }

    fn take(&mut self, queue: ComRef<'_, IParamValueQueue>, frames: usize, table: &Table) {
        // SAFETY: an object of the host's, which asks nothing of who calls it.
        let (id, count) = unsafe { (queue.getParameterId(), queue.getPointCount()) };
        let Some(row) = table.row(id) else {
            return;
        };
        let has_room = self.list.len() + usize::try_from(count).unwrap_or(0) <= ROOM;
        let first = if has_room { 0 } else { count - 1 };
        for index in first.max(0)..count {
            let (mut frame, mut value) = (0, 0.0);
            // SAFETY: both are places for the answer.
            if unsafe { queue.getPoint(index, &mut frame, &mut value) } != kResultOk {
                continue;
            }
            let point = Point {
                frame: frame.clamp(0, frames.saturating_sub(1) as i32) as u32,
                order: self.list.len() as u16,
                row,
                position: value as f32,
            };
            if self.list.len() < self.list.capacity() {
                self.list.push(point);
            } else {
                // More lists than rows: some row has several.
                table.set(row, point.position);
            }
        }
    }

    /// `[audio]` Sets what is due at `frame`; gives the frame of the next change, if there is one.
    pub(super) fn set_until(&mut self, frame: usize, table: &Table) -> Option<usize> {
        while let Some(point) = self.list.get(self.done) {
            if point.frame as usize > frame {
                return Some(point.frame as usize);
            }
            table.set(point.row, point.position);
            self.done += 1;
        }
        None
    }

    /// `[audio]` Sets all that is left: there is no sound for it to be at a frame of.
    pub(super) fn set_all(&mut self, table: &Table) {
        self.set_until(usize::MAX, table);
    }
}
