//! Blocks of one size, taken once: what comes and goes on the audio thread lies in one of them.

use super::map::Place;

/// A fixed number of blocks. Taking and giving back one are a few steps, however many there are; it never
/// grows. Those that are taken are in order: the one that came first is the oldest.
///
/// ```
/// use headroom_engine::memory::Pool;
///
/// let mut pool = Pool::with_room(2);
/// let first = pool.put("first").unwrap();
/// pool.put("second").unwrap();
/// assert_eq!(pool.put("third"), Err("third")); // handed back, and counted
/// assert_eq!(pool.take(first), Some("first"));
/// assert_eq!(pool.oldest_mut(), Some(&mut "second"));
/// ```
#[derive(Debug)]
pub struct Pool<T> {
    blocks: Box<[Block<T>]>,
    /// The first block of the free list.
    free: u32,
    oldest: u32,
    newest: u32,
    taken: usize,
    most: usize,
    refused: u64,
    /// Values that were put in so far.
    puts: u64,
}

/// The right to one block. There is no second one for the same block.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    at: u32,
    number: u64,
}

/// One block: free ones are a list by `next`; taken ones, in the order in which they came, by both.
#[derive(Debug)]
struct Block<T> {
    value: Option<T>,
    /// Of the value, counted from the pool's first: no ticket fits a later one.
    number: u64,
    before: u32,
    next: u32,
}

/// No block.
const NONE: u32 = u32::MAX;

impl<T> Pool<T> {
    /// `[main]` A pool of so many blocks, every byte of which has been written.
    ///
    /// # Panics
    ///
    /// With four thousand million blocks or more.
    pub fn with_room(blocks: usize) -> Self {
        let count = u32::try_from(blocks).unwrap_or(NONE);
        assert!(count < NONE, "a pool of {blocks} blocks");
        let next = |at: u32| if at + 1 < count { at + 1 } else { NONE };
        let blocks = (0..count).map(|at| Block {
            value: None,
            number: 0,
            before: NONE,
            next: next(at),
        });
        Self {
            blocks: blocks.collect(),
            free: if count > 0 { 0 } else { NONE },
            oldest: NONE,
            newest: NONE,
            taken: 0,
            most: 0,
            refused: 0,
            puts: 0,
        }
    }

    /// `[audio]` Puts a value in a free block. When there is none it is handed back, and that is counted.
    pub fn put(&mut self, value: T) -> Result<Ticket, T> {
        let at = self.free;
        let Some(block) = self.blocks.get_mut(at as usize) else {
            self.refused += 1;
            return Err(value);
        };
        self.free = block.next;
        self.puts += 1;
        let number = self.puts;
        *block = Block {
            value: Some(value),
            number,
            before: self.newest,
            next: NONE,
        };
        match self.blocks.get_mut(self.newest as usize) {
            Some(newest) => newest.next = at,
            None => self.oldest = at,
        }
        self.newest = at;
        self.taken += 1;
        self.most = self.most.max(self.taken);
        Ok(Ticket { at, number })
    }

    /// `[audio]` Takes a value out and gives its block back; `None` when [`Self::retain_mut`] or
    /// [`Self::clear`] have done so.
    pub fn take(&mut self, ticket: Ticket) -> Option<T> {
        let block = self.blocks.get(ticket.at as usize)?;
        (block.number == ticket.number).then(|| self.free_block(ticket.at))?
    }

    /// `[any]` The value that has been in for longest.
    pub fn oldest_mut(&mut self) -> Option<&mut T> {
        self.blocks.get_mut(self.oldest as usize)?.value.as_mut()
    }

    /// `[any]` All values, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let mut at = self.oldest;
        std::iter::from_fn(move || {
            let block = self.blocks.get(at as usize)?;
            at = block.next;
            block.value.as_ref()
        })
    }

    /// `[audio]` Runs over all values, the oldest first.
    pub fn for_each_mut(&mut self, mut each: impl FnMut(&mut T)) {
        self.retain_mut(|value| {
            each(value);
            true
        });
    }

    /// `[audio]` Runs over all values, the oldest first, and drops those that are not to be kept.
    pub fn retain_mut(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut at = self.oldest;
        while let Some(block) = self.blocks.get_mut(at as usize) {
            let next = block.next;
            if !block.value.as_mut().is_none_or(&mut keep) {
                self.free_block(at);
            }
            at = next;
        }
    }

    /// `[audio]` Drops all values.
    pub fn clear(&mut self) {
        self.retain_mut(|_| false);
    }

    /// `[any]` Blocks that are taken.
    pub fn len(&self) -> usize {
        self.taken
    }

    /// `[any]` Whether none is.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// `[any]` Whether all are.
    pub fn is_full(&self) -> bool {
        self.taken == self.blocks.len()
    }

    /// `[any]` How many blocks there are.
    pub fn room(&self) -> usize {
        self.blocks.len()
    }

    /// `[any]` The most that were ever taken at once.
    pub fn most(&self) -> usize {
        self.most
    }

    /// `[any]` Values that were handed back because all blocks were taken.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// `[any]` Where the blocks are.
    pub fn place(&self) -> Place {
        Place::of(&self.blocks)
    }

    /// `[main]` What so many blocks take.
    pub fn planned(blocks: usize) -> Place {
        Place::planned::<Block<T>>(blocks)
    }

    /// Takes a block out of the list of those that are taken, and puts it first in the free one.
    fn free_block(&mut self, at: u32) -> Option<T> {
        let block = self.blocks.get_mut(at as usize)?;
        let value = block.value.take()?;
        let (before, next) = (block.before, block.next);
        block.before = NONE;
        block.next = std::mem::replace(&mut self.free, at);
        match self.blocks.get_mut(before as usize) {
            Some(before) => before.next = next,
            None => self.oldest = next,
        }
        match self.blocks.get_mut(next as usize) {
            Some(next) => next.before = before,
            None => self.newest = before,
        }
        self.taken -= 1;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is done to a pool and to its model.
    #[derive(Debug, Clone)]
    enum Step {
        Put,
        /// Of the tickets that are held, the one at this place.
        Take(usize),
        /// Drops those whose number, modulo the first, is the second.
        Drop(u64, u64),
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => Just(Step::Put),
            4 => (0..64_usize).prop_map(Step::Take),
            1 => (2..5_u64, 0..5_u64).prop_map(|(of, rest)| Step::Drop(of, rest)),
            1 => Just(Step::Clear),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn it_does_what_a_list_of_fixed_room_does(room in 0..9_usize, steps in steps()) {
            let mut pool = Pool::with_room(room);
            let place = pool.place();
            let mut model: Vec<u64> = Vec::new();
            let mut tickets: Vec<(u64, Ticket)> = Vec::new();
            let (mut most, mut refused) = (0, 0);
            for (number, step) in (0_u64..).zip(steps) {
                match step {
                    Step::Put if model.len() == room => {
                        prop_assert_eq!(pool.put(number), Err(number));
                        refused += 1;
                    }
                    Step::Put => {
                        tickets.push((number, pool.put(number).unwrap()));
                        model.push(number);
                    }
                    Step::Take(_) if tickets.is_empty() => {}
                    Step::Take(at) => {
                        let (number, ticket) = tickets.swap_remove(at % tickets.len());
                        prop_assert_eq!(pool.take(ticket), Some(number));
                        model.retain(|it| *it != number);
                    }
                    Step::Drop(of, rest) => {
                        let mut seen = Vec::new();
                        pool.retain_mut(|it| {
                            seen.push(*it);
                            *it % of != rest
                        });
                        prop_assert_eq!(&seen, &model);
                        model.retain(|it| it % of != rest);
                        tickets.retain(|(it, _)| it % of != rest);
                    }
                    Step::Clear => {
                        pool.clear();
                        model.clear();
                        tickets.clear();
                    }
                }
                most = most.max(model.len());
                prop_assert_eq!(pool.iter().copied().collect::<Vec<_>>(), model.clone());
                prop_assert_eq!(pool.oldest_mut().copied(), model.first().copied());
                prop_assert_eq!((pool.len(), pool.is_empty()), (model.len(), model.is_empty()));
                prop_assert_eq!((pool.room(), pool.is_full()), (room, model.len() == room));
                prop_assert_eq!((pool.most(), pool.refused()), (most, refused));
                prop_assert_eq!(pool.place(), place);
            }
            // No block is lost on the way.
            pool.clear();
            for _ in 0..room {
                prop_assert!(pool.put(0).is_ok());
            }
            prop_assert!(pool.is_full());
        }
    }

    #[test]
    fn what_was_planned_is_what_it_takes() {
        let pool = Pool::<[f32; 7]>::with_room(5);
        assert_eq!(Pool::<[f32; 7]>::planned(5).bytes, pool.place().bytes);
    }

    #[test]
    fn values_are_dropped_once_and_those_still_in_with_the_pool() {
        let values = [(); 4].map(|()| std::sync::Arc::new(()));
        let held = || {
            values
                .each_ref()
                .map(|it| std::sync::Arc::strong_count(it) - 1)
        };
        let mut pool = Pool::with_room(4);
        let mut tickets = values
            .each_ref()
            .map(|it| Some(pool.put(it.clone()).unwrap()));
        assert_eq!(held(), [1, 1, 1, 1]);
        drop(pool.take(tickets[1].take().unwrap()));
        assert_eq!(held(), [1, 0, 1, 1]);
        let mut at = 0;
        pool.retain_mut(|_| {
            at += 1;
            at != 2
        });
        assert_eq!(held(), [1, 0, 0, 1]);
        // A ticket whose block has been given back for it, and taken by another value.
        assert!(pool.put(values[1].clone()).is_ok());
        assert_eq!(pool.take(tickets[2].take().unwrap()), None);
        assert_eq!(held(), [1, 1, 0, 1]);
        drop(pool);
        assert_eq!(held(), [0; 4]);
    }
}
