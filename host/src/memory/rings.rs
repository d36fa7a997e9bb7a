//! Where the elements of a ring are.

use headroom_engine::memory::Place;
use rtrb::Producer;

/// `[main]` Where the elements of a ring are into which nothing has been put yet.
pub(crate) fn ring_place<T>(ring: &mut Producer<T>) -> Place {
    let capacity = ring.buffer().capacity();
    match ring.write_chunk_uninit(capacity) {
        // Nothing is committed: the ring is as empty as before.
        Ok(mut room) => Place::of(room.as_mut_slices().0),
        Err(_) => Place::planned::<T>(capacity),
    }
}
