//! The memory map: where every byte of an engine's audio memory is, whose it is and what for.

use std::fmt;

use super::arena::{Carve, Carver, Region};

/// Whose memory it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// The engine itself: what is there once, whatever is in the rack.
    Engine,
    /// The rack: its lists.
    Rack,
    /// One slot, by its module's id.
    Slot {
        /// The module's id.
        id: String,
        /// Its kind.
        kind: &'static str,
    },
    /// A part of the program around the engine: `reader`, `recorder`.
    Program(&'static str),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => f.write_str("engine"),
            Self::Rack => f.write_str("rack"),
            Self::Slot { id, .. } => f.write_str(id),
            Self::Program(name) => f.write_str(name),
        }
    }
}

/// What kind of memory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// Taken from the system as whole pages: the parts that are inside are listed behind it.
    Region,
    /// A part of a region: samples, coefficients, a module's own state.
    Buffer,
    /// What is left over in a region: between parts, and up to the end of its last page.
    Padding,
    /// A lock-free queue.
    Ring,
    /// A list of fixed room.
    Table,
    /// Blocks of one size for what comes and goes.
    Pool,
    /// Words that one thread writes and others read.
    Cells,
    /// Samples that lie by themselves.
    Samples,
    /// An object's own fields.
    State,
    /// A thread's stack.
    Stack,
}

impl Sort {
    /// `[any]` The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Buffer => "buffer",
            Self::Padding => "padding",
            Self::Ring => "ring",
            Self::Table => "table",
            Self::Pool => "pool",
            Self::Cells => "cells",
            Self::Samples => "samples",
            Self::State => "state",
            Self::Stack => "stack",
        }
    }
}

/// How its pages are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pages {
    /// Kept from being paged out.
    pub locked: bool,
    /// Huge pages were asked for.
    pub huge: bool,
    /// Present before the audio thread touched it.
    pub prefaulted: bool,
    /// Other processes may see it.
    pub shared: bool,
}

/// One line of the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose it is.
    pub owner: Owner,
    /// What it is: `delay line left`.
    pub name: &'static str,
    /// Of what kind.
    pub sort: Sort,
    /// Its first byte; 0 where it was only measured.
    pub address: usize,
    /// Its size.
    pub bytes: usize,
    /// What it was aligned to.
    pub align_bytes: usize,
    /// How its pages are held.
    pub pages: Pages,
}

impl Part {
    /// `[any]` Whether it lies inside the region that is listed before it, and is counted with that.
    pub fn is_inside(&self) -> bool {
        matches!(self.sort, Sort::Buffer | Sort::Padding)
    }
}

/// Every part of an engine's audio memory. Regions come first, then what is inside of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryMap {
    /// In the order in which the rack walks them.
    pub parts: Vec<Part>,
    /// Taken for slots and racks that have left: they still ring, or wait for the collector.
    pub retired_bytes: usize,
}

impl MemoryMap {
    /// `[any]` All bytes, each counted once; what has left comes on top.
    pub fn bytes(&self) -> usize {
        let whole = self.parts.iter().filter(|part| !part.is_inside());
        whole.map(|part| part.bytes).sum()
    }

    /// `[any]` What each owner has, in the map's order.
    pub fn by_owner(&self) -> Vec<(Owner, usize)> {
        let mut totals: Vec<(Owner, usize)> = Vec::new();
        for part in self.parts.iter().filter(|part| !part.is_inside()) {
            match totals.iter_mut().find(|(owner, _)| *owner == part.owner) {
                Some((_, bytes)) => *bytes += part.bytes,
                None => totals.push((part.owner.clone(), part.bytes)),
            }
        }
        totals
    }

    /// `[main]` Adds a region, what was carved from it, and what is left over between.
    pub(crate) fn add_region(&mut self, owner: &Owner, taken: &Taken) {
        let part = |name, sort, offset: usize, bytes, align_bytes| Part {
            owner: owner.clone(),
            name,
            sort,
            address: if taken.address == 0 {
                0
            } else {
                taken.address + offset
            },
            bytes,
            align_bytes,
            pages: taken.pages,
        };
        let align = if taken.pages.huge { 2 << 20 } else { 4096 };
        self.parts
            .push(part("arena", Sort::Region, 0, taken.bytes, align));
        let mut end = 0;
        for carve in &taken.carves {
            if carve.bytes == 0 {
                continue;
            }
            if carve.offset > end {
                let gap = carve.offset - end;
                self.parts.push(part("padding", Sort::Padding, end, gap, 1));
            }
            let buffer = part(carve.name, Sort::Buffer, carve.offset, carve.bytes, 64);
            self.parts.push(buffer);
            end = carve.offset + carve.bytes;
        }
        if taken.bytes > end {
            let left = taken.bytes - end;
            self.parts
                .push(part("padding", Sort::Padding, end, left, 1));
        }
    }

    /// `[main]` Adds the stack of a thread: it comes page by page, as it is used.
    pub fn add_stack(&mut self, owner: Owner, name: &'static str, place: Place) {
        self.parts.push(Part {
            owner,
            name,
            sort: Sort::Stack,
            address: place.address,
            bytes: place.bytes,
            align_bytes: place.align_bytes,
            pages: Pages::default(),
        });
    }

    /// `[main]` Adds what came from the heap, touched before it was used.
    pub fn add_heap(&mut self, owner: Owner, name: &'static str, sort: Sort, place: Place) {
        self.parts.push(Part {
            owner,
            name,
            sort,
            address: place.address,
            bytes: place.bytes,
            align_bytes: place.align_bytes,
            pages: Pages {
                prefaulted: true,
                ..Pages::default()
            },
        });
    }
}

/// Where something lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its first byte.
    pub address: usize,
    /// Its size.
    pub bytes: usize,
    /// What it was aligned to.
    pub align_bytes: usize,
}

impl Place {
    /// `[any]` Of a list of so many elements.
    pub fn of<T>(elements: &[T]) -> Self {
        Self::at::<T>(elements.as_ptr(), elements.len())
    }

    /// `[any]` Of `count` elements that are not there yet: the address is 0.
    pub fn planned<T>(count: usize) -> Self {
        Self::at(std::ptr::null::<T>(), count)
    }

    /// `[any]` Of `count` elements that start here.
    pub fn at<T>(first: *const T, count: usize) -> Self {
        Self {
            address: first.addr(),
            bytes: count * size_of::<T>(),
            align_bytes: align_of::<T>(),
        }
    }
}

/// What is known of a region that was taken, or of one that would be.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) address: usize,
    pub(crate) bytes: usize,
    pub(crate) pages: Pages,
    pub(crate) carves: Vec<Carve>,
}

impl Taken {
    /// `[main]` The region of `carver` and what it was carved into.
    pub(crate) fn of(carver: &Carver) -> Self {
        let Some(region) = carver.region() else {
            return Self::planned(carver.bytes(), carver.carves());
        };
        Self {
            address: region.address(),
            bytes: region.bytes(),
            pages: Pages {
                locked: region.is_locked(),
                huge: region.is_huge(),
                prefaulted: true,
                shared: false,
            },
            carves: carver.carves().to_vec(),
        }
    }

    /// `[main]` What would be taken for these parts.
    pub(crate) fn planned(bytes: usize, carves: &[Carve]) -> Self {
        Self {
            address: 0,
            bytes: Region::whole_pages(bytes),
            pages: Pages::default(),
            carves: carves.to_vec(),
        }
    }
}
