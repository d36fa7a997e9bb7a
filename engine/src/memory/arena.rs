//! A slot's arena: one region of memory, taken at once, carved into named parts, given back at once.
//!
//! Building a module runs twice over the same code. The first run measures: every part is counted,
//! buffers are empty. Then one region of that size is taken, prefaulted and locked, and the second
//! run carves. The parts keep their region alive, so nothing here depends on the order of drops.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use memmap2::{MmapMut, MmapOptions};
use thiserror::Error;

use super::map::MemoryMap;
use crate::module::Module;

const LINE_BYTES: usize = 64;
const PAGE_BYTES: usize = 4096;
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// How audio memory is taken.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Lock regions into memory where the system's limit allows it; where not, they are prefaulted
    /// only, and [`Region::is_locked`] says so.
    pub lock: bool,
    /// Ask for huge pages for regions of 2 MB and more.
    pub huge_pages: bool,
    /// A rack that would take more than this many bytes, all in all, is refused before anything is
    /// taken.
    pub budget_bytes: Option<usize>,
    /// How much room there is for what is bounded by number.
    pub capacity: Capacity,
}

/// Room for what is bounded by number. It is taken whether used or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Slots in a rack, at most [`crate::rack::MAX_SLOTS`].
    pub slots: usize,
    /// Changes and edits that may wait for the audio thread.
    pub commands: usize,
    /// Notices that may wait for the main thread.
    pub notices: usize,
}

impl Capacity {
    /// For a stage: as much as a screen, a controller and automation at once may ask for.
    pub const STAGE: Self = Self {
        slots: crate::rack::MAX_SLOTS,
        commands: 1_024,
        notices: 256,
    };
    /// For a small device with one fixed strip.
    pub const STRIP: Self = Self {
        slots: 4,
        commands: 64,
        notices: 16,
    };
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            lock: true,
            huge_pages: true,
            budget_bytes: None,
            capacity: Capacity::STAGE,
        }
    }
}

/// Why memory could not be had.
#[derive(Debug, Error)]
pub enum MemoryError {
    /// The system gave no memory.
    #[error("{bytes} bytes of audio memory: the system refused: {source}")]
    Refused {
        /// How much was asked for.
        bytes: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// The budget does not allow it.
    #[error("{needed} bytes of audio memory needed: the budget is {budget}")]
    OverBudget {
        /// What the rack needs.
        needed: usize,
        /// What it may have.
        budget: usize,
        /// What it would be taken for.
        map: Box<MemoryMap>,
    },
}

/// Bytes of all regions of this process, of those that are locked, and of those that were given back.
/// Writers: whoever takes or gives back a region, never the audio thread. Relaxed: statistics that
/// carry no order.
static REGION_BYTES: AtomicUsize = AtomicUsize::new(0);
static LOCKED_BYTES: AtomicUsize = AtomicUsize::new(0);
static RELEASED_BYTES: AtomicU64 = AtomicU64::new(0);

/// The audio memory of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AudioMemory {
    /// All of it.
    pub bytes: usize,
    /// What of it the system keeps from being paged out.
    pub locked_bytes: usize,
}

/// `[any]` The audio memory of all engines of this process, as it is now.
pub fn audio_memory() -> AudioMemory {
    AudioMemory {
        bytes: REGION_BYTES.load(Relaxed),
        locked_bytes: LOCKED_BYTES.load(Relaxed),
    }
}

/// One piece of memory from the system. Given back when its last part is dropped, which happens on
/// the collector's thread or the main thread, never on the audio thread.
#[derive(Debug)]
pub struct Region {
    base: NonNull<u8>,
    bytes: usize,
    locked: bool,
    huge: bool,
    /// The sum in which it is counted for as long as it is there.
    counted: Option<Arc<AtomicUsize>>,
    /// There until it is dropped.
    backing: Option<Backing>,
}

#[derive(Debug)]
#[allow(dead_code)] // Held for its Drop only.
enum Backing {
    Mapped(MmapMut),
    Heap(Box<[Line]>),
}

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE_BYTES]);

// SAFETY: a Region is an address range; the parts carved from it are disjoint (Carver keeps the
// cursor) and each is reached only through its own ArenaSlice or ArenaBox, which bound their
// contents by Send and Sync.
unsafe impl Send for Region {}
// SAFETY: as above; a shared Region gives out no access to its bytes.
unsafe impl Sync for Region {}

impl Region {
    /// `[main]` Takes `bytes` from the system, zeroed, page-aligned and prefaulted.
    pub fn map(bytes: usize, memory: &Memory) -> Result<Self, MemoryError> {
        let bytes = Self::whole_pages(bytes);
        let huge = memory.huge_pages && bytes >= HUGE_PAGE_BYTES;
        // Room to start on a huge page's boundary.
        let mapped = if huge { bytes + HUGE_PAGE_BYTES } else { bytes };
        let mut map = MmapOptions::new()
            .len(mapped)
            .map_anon()
            .map_err(|source| MemoryError::Refused { bytes, source })?;
        let start = map.as_mut_ptr();
        let skip = if huge {
            start.align_offset(HUGE_PAGE_BYTES)
        } else {
            0
        };
        // SAFETY: skip < HUGE_PAGE_BYTES, and the mapping is that much longer than `bytes`.
        let base = unsafe { NonNull::new_unchecked(start.add(skip)) };
        #[cfg(target_os = "linux")]
        if huge {
            // A refusal costs speed only; smaps shows what was given.
            let _ = map.advise_range(memmap2::Advice::HugePage, skip, bytes);
        }
        prefault(&mut map, skip, bytes);
        #[cfg(unix)]
        // SAFETY: the range lies inside the mapping; locking changes no contents.
        let locked = memory.lock && unsafe { libc::mlock(base.as_ptr().cast(), bytes) } == 0;
        #[cfg(not(unix))]
        let locked = false;
        REGION_BYTES.fetch_add(bytes, Relaxed);
        LOCKED_BYTES.fetch_add(if locked { bytes } else { 0 }, Relaxed);
        Ok(Self {
            base,
            bytes,
            locked,
            huge,
            counted: None,
            backing: Some(Backing::Mapped(map)),
        })
    }

    /// `[any]` What is taken for so many bytes.
    pub(crate) fn whole_pages(bytes: usize) -> usize {
        bytes.max(1).next_multiple_of(PAGE_BYTES)
    }

    /// `[main]` Counts it in `total` for as long as it is there.
    pub(crate) fn counted(mut self, total: &Arc<AtomicUsize>) -> Self {
        // Relaxed: a figure that people are shown.
        total.fetch_add(self.bytes, Relaxed);
        self.counted = Some(Arc::clone(total));
        self
    }

    /// A region from the heap, for what is built only to be measured.
    fn heap(bytes: usize) -> Self {
        let lines = bytes.div_ceil(LINE_BYTES).max(1);
        let mut backing = vec![Line([0; LINE_BYTES]); lines].into_boxed_slice();
        // PANIC: a box of at least one line has an address.
        let base = NonNull::new(backing.as_mut_ptr().cast()).expect("a box has an address");
        Self {
            base,
            bytes: lines * LINE_BYTES,
            locked: false,
            huge: false,
            counted: None,
            backing: Some(Backing::Heap(backing)),
        }
    }

    /// `[any]` Its size in bytes, whole pages.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// `[any]` Where it starts.
    pub fn address(&self) -> usize {
        self.base.as_ptr() as usize
    }

    /// `[any]` Whether the system keeps it from being paged out.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// `[any]` Whether huge pages were asked for.
    pub fn is_huge(&self) -> bool {
        self.huge
    }
}

/// `[main]` How many bytes of regions this process has given back up to now.
pub(crate) fn released_bytes() -> u64 {
    RELEASED_BYTES.load(Relaxed)
}

impl Drop for Region {
    fn drop(&mut self) {
        let backing = self.backing.take();
        let is_mapped = matches!(backing, Some(Backing::Mapped(_)));
        // First: what is counted as given back is no longer there.
        drop(backing);
        if let Some(total) = &self.counted {
            total.fetch_sub(self.bytes, Relaxed);
        }
        if is_mapped {
            RELEASED_BYTES.fetch_add(self.bytes as u64, Relaxed);
            REGION_BYTES.fetch_sub(self.bytes, Relaxed);
            LOCKED_BYTES.fetch_sub(if self.locked { self.bytes } else { 0 }, Relaxed);
        }
    }
}

/// Makes every page present and writable now, so that the audio thread never faults on it.
fn prefault(map: &mut MmapMut, skip: usize, bytes: usize) {
    #[cfg(target_os = "linux")]
    if map
        .advise_range(memmap2::Advice::PopulateWrite, skip, bytes)
        .is_ok()
    {
        return;
    }
    for page in map[skip..skip + bytes].chunks_mut(PAGE_BYTES) {
        // SAFETY: one byte of our own mapping; volatile so that the write is not left out.
        unsafe { std::ptr::write_volatile(&mut page[0], 0) };
    }
}

/// One named part of an arena, as the memory map lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carve {
    /// What it is: `delay line left`.
    pub name: &'static str,
    /// Bytes from the region's start.
    pub offset: usize,
    /// Its size in bytes.
    pub bytes: usize,
}

/// Cuts a region into parts, in the order in which they are asked for; or, while measuring, only
/// counts them.
#[derive(Debug)]
pub struct Carver {
    region: Option<Arc<Region>>,
    cursor: usize,
    carves: Vec<Carve>,
}

impl Carver {
    /// `[main]` Counts, and takes nothing.
    pub fn measuring() -> Self {
        Self {
            region: None,
            cursor: 0,
            carves: Vec::new(),
        }
    }

    /// `[main]` Carves from `region`.
    pub fn carving(region: Region) -> Self {
        Self {
            region: Some(Arc::new(region)),
            cursor: 0,
            carves: Vec::new(),
        }
    }

    /// `[main]` Leaves `bytes` free before the next part; whole cache lines.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.cursor += bytes;
    }

    /// `[main]` Bytes asked for up to now.
    pub fn bytes(&self) -> usize {
        self.cursor
    }

    /// `[main]` The parts in their order.
    pub fn carves(&self) -> &[Carve] {
        &self.carves
    }

    /// `[main]` The region that is carved, or `None` while measuring.
    pub fn region(&self) -> Option<&Arc<Region>> {
        self.region.as_ref()
    }

    /// `[main]` Carves `len` elements, aligned to a cache line, each made by `init`. While measuring
    /// the slice is empty and `init` is not called.
    pub fn slice<T: Copy + Send + Sync + 'static>(
        &mut self,
        name: &'static str,
        len: usize,
        mut init: impl FnMut(usize) -> T,
    ) -> ArenaSlice<T> {
        // PANIC: more than the address space is a mistake of the module, found while measuring.
        let bytes = len.checked_mul(size_of::<T>()).expect("a length in bytes");
        let Some((region, start)) = self.take(name, bytes, align_of::<T>()) else {
            return ArenaSlice::empty();
        };
        let start = start.cast::<T>();
        for i in 0..len {
            // SAFETY: take() gave len * size_of::<T>() bytes at T's alignment, ours alone.
            unsafe { start.add(i).write(init(i)) };
        }
        ArenaSlice {
            start,
            len,
            _region: Some(region),
        }
    }

    /// `[main]` Moves a module into the arena.
    pub fn module<M: Module>(&mut self, module: M) -> ArenaBox<dyn Module> {
        let ArenaBox { value, region } = &*std::mem::ManuallyDrop::new(self.put("module", module));
        // SAFETY: the box is not dropped (ManuallyDrop), so its region is moved out exactly once.
        let region = unsafe { std::ptr::read(region) };
        let value: NonNull<dyn Module> = *value;
        ArenaBox { value, region }
    }

    /// `[main]` Moves any value into the arena. While measuring it goes to the heap instead.
    pub fn put<T: Send + 'static>(&mut self, name: &'static str, value: T) -> ArenaBox<T> {
        let (region, start) = self
            .take(name, size_of::<T>(), align_of::<T>())
            .unwrap_or_else(|| {
                assert!(align_of::<T>() <= LINE_BYTES, "aligned to a line at most");
                let region = Arc::new(Region::heap(size_of::<T>()));
                let start = region.base;
                (region, start)
            });
        let start = start.cast::<T>();
        // SAFETY: room for one T at its alignment, ours alone.
        unsafe { start.write(value) };
        ArenaBox {
            value: start,
            region,
        }
    }

    /// The next `bytes`, on a cache line of their own; `None` while measuring.
    fn take(
        &mut self,
        name: &'static str,
        bytes: usize,
        align: usize,
    ) -> Option<(Arc<Region>, NonNull<u8>)> {
        assert!(align <= PAGE_BYTES, "a region starts on a page");
        // PANIC: as in slice().
        let offset = self
            .cursor
            .checked_next_multiple_of(align.max(LINE_BYTES))
            .expect("an offset in bytes");
        let end = offset.checked_add(bytes).expect("an offset in bytes");
        self.cursor = end;
        self.carves.push(Carve {
            name,
            offset,
            bytes,
        });
        let region = self.region.as_ref()?;
        assert!(
            end <= region.bytes,
            "carving `{name}` asks for more than was measured"
        );
        // SAFETY: offset <= end <= region.bytes, checked above.
        let start = unsafe { region.base.add(offset) };
        Some((Arc::clone(region), start))
    }
}

/// A buffer in an arena.
#[derive(Debug)]
pub struct ArenaSlice<T> {
    start: NonNull<T>,
    len: usize,
    _region: Option<Arc<Region>>,
}

// SAFETY: it owns its elements as a Box<[T]> would; nobody else has this part of the region.
unsafe impl<T: Send> Send for ArenaSlice<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for ArenaSlice<T> {}

impl<T> ArenaSlice<T> {
    /// `[any]` No elements, of no region.
    pub(crate) const fn empty() -> Self {
        Self {
            start: NonNull::dangling(),
            len: 0,
            _region: None,
        }
    }
}

impl<T> Deref for ArenaSlice<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: len elements were written at start, which the region keeps alive; no other part
        // overlaps them.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for ArenaSlice<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for deref; `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

/// One value in an arena, owned like a `Box`.
#[derive(Debug)]
pub struct ArenaBox<T: ?Sized> {
    value: NonNull<T>,
    region: Arc<Region>,
}

// SAFETY: it owns its value as a Box<T> would.
unsafe impl<T: ?Sized + Send> Send for ArenaBox<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for ArenaBox<T> {}

impl<T: ?Sized> ArenaBox<T> {
    /// `[any]` The region it lives in.
    pub fn region(&self) -> &Region {
        &self.region
    }
}

impl<T: ?Sized> Deref for ArenaBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: put() wrote the value; the region lives as long as this box.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for ArenaBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as for deref; `&mut self` makes the access exclusive.
        unsafe { self.value.as_mut() }
    }
}

impl<T: ?Sized> Drop for ArenaBox<T> {
    fn drop(&mut self) {
        // SAFETY: the value was written once and is dropped once, here; the region outlives it,
        // since the field `region` is dropped after this.
        unsafe { std::ptr::drop_in_place(self.value.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carved_is_what_was_measured() {
        let build = |carver: &mut Carver| {
            let a = carver.slice("a", 100, |i| i as f32);
            let b = carver.slice("b", 3, |_| 7u8);
            let c = carver.put("c", String::from("kept"));
            (a, b, c)
        };
        let mut measure = Carver::measuring();
        let (a, b, _) = build(&mut measure);
        assert!(a.is_empty() && b.is_empty());

        let region = Region::map(measure.bytes(), &Memory::default()).unwrap();
        let mut carver = Carver::carving(region);
        let (a, b, c) = build(&mut carver);
        assert_eq!(carver.carves(), measure.carves());
        assert_eq!(a[99], 99.0);
        assert_eq!(&b[..], [7, 7, 7]);
        assert_eq!(*c, "kept");
        for part in [a.as_ptr() as usize, b.as_ptr() as usize] {
            assert_eq!(part % 64, 0);
        }
        drop(carver);
        assert_eq!(a[1] + f32::from(b[0]), 8.0, "parts keep their region alive");
    }

    #[test]
    fn all_regions_are_counted_while_they_live() {
        // More than all other tests of this process together.
        const BYTES: usize = 64 << 20;
        let unlocked = Memory {
            lock: false,
            ..Memory::default()
        };
        let before = audio_memory();
        let region = Region::map(BYTES, &unlocked).unwrap();
        assert!(audio_memory().bytes >= BYTES);
        let part = Carver::carving(region).put("part", 7_u8);
        assert!(audio_memory().bytes >= BYTES, "a part keeps it alive");
        drop(part);
        assert!(audio_memory().bytes < before.bytes + BYTES);
        assert!(audio_memory().locked_bytes <= audio_memory().bytes);
    }

    #[test]
    #[should_panic(expected = "more than was measured")]
    fn carving_past_the_end_is_refused() {
        let region = Region::map(64, &Memory::default()).unwrap();
        let mut carver = Carver::carving(region);
        let _ = carver.slice("too long", 5_000, |_| 0.0f32);
    }

    #[test]
    #[should_panic(expected = "a length in bytes")]
    fn a_length_beyond_the_address_space_is_refused() {
        let _ = Carver::measuring().slice("too long", (1 << 61) + 1, |_| 0u64);
    }

    #[test]
    fn a_region_of_two_megabytes_starts_on_a_huge_page() {
        let region = Region::map(3 << 20, &Memory::default()).unwrap();
        assert!(region.is_huge());
        assert_eq!(region.address() % HUGE_PAGE_BYTES, 0);
        assert!(!Region::map(1 << 20, &Memory::default()).unwrap().is_huge());
    }
}
