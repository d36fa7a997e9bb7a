//! Every order in which two threads can meet in what is lock-free here, by the model checker; and each of the
//! orderings weakened, which it must find.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p headroom-ipc --lib orders`

use std::panic::{AssertUnwindSafe, catch_unwind};

use loom::sync::Arc;
use loom::thread;

use crate::cells::Cell;
use crate::meters::Stamp;
use crate::sheet::Sheet;
use crate::sound::{Place, SoundRing};
use crate::sync::{AtomicU32, Ordering, WEAKENED};

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A meter entry that is read while it is written anew is whole or refused.
fn stamp() {
    let entry = Arc::new((Stamp::new(), [AtomicU32::new(0), AtomicU32::new(0)]));
    let writer = Arc::clone(&entry);
    let writing = thread::spawn(move || {
        for number in 0..2_u64 {
            writer.0.begin(number);
            for word in &writer.1 {
                word.store(number as u32 + 10, Ordering::Relaxed);
            }
            writer.0.end(number);
        }
    });
    for number in 0..2_u64 {
        if entry.0.is(number) {
            let words = [0, 1].map(|at: usize| entry.1[at].load(Ordering::Relaxed));
            if entry.0.is_still(number) {
                assert_eq!(words, [number as u32 + 10; 2]);
            }
        }
    }
    writing.join().unwrap();
}

/// A cell gives both words of one write.
fn cell() {
    let cell = Arc::new(Cell::<2>::new());
    let writer = Arc::clone(&cell);
    writer.write(&[1, 1]);
    let writing = thread::spawn(move || writer.write(&[2, 2]));
    if let Some([first, second]) = cell.read() {
        assert_eq!(first, second);
        assert_ne!(first, 0);
    }
    writing.join().unwrap();
}

/// What is read of sound is what was written there in that turn, of both channels; also beside a frame that
/// comes into its neighbour's word.
fn sound() {
    let ring: Arc<Box<SoundRing<1>>> = Arc::new(SoundRing::boxed());
    let writer = Arc::clone(&ring);
    let writing = thread::spawn(move || {
        let mut place = Place::default();
        for frames in [&[1.0][..], &[2.0, 3.0], &[4.0]] {
            writer.write(&mut place, frames, frames);
        }
    });
    let mut read = Vec::new();
    let end = ring.read(2, &mut read);
    for (back, frame) in read.iter().rev().enumerate() {
        assert_eq!(*frame, [(end - back as u64) as f32; 2]);
    }
    writing.join().unwrap();
}

/// A text is one of those that were written, whole.
fn sheet() {
    let sheet: Arc<Box<Sheet<1>>> = Arc::new(Sheet::boxed());
    let writer = Arc::clone(&sheet);
    let writing = thread::spawn(move || {
        for generation in 1..=3_u64 {
            writer.write(
                generation,
                &[generation as u8; 8][..2 * generation as usize],
            );
        }
    });
    if let Some((generation, text)) = sheet.read() {
        assert_eq!(text, [generation as u8; 8][..2 * generation as usize]);
    }
    writing.join().unwrap();
}

/// Which of the four weakenings (acquire, release, release fence, acquire fence) is found.
fn found(model: fn()) -> [bool; 4] {
    [1, 2, 3, 4].map(|which| {
        WEAKENED.set(which);
        let outcome = catch_unwind(AssertUnwindSafe(|| explore(model)));
        WEAKENED.set(0);
        outcome.is_err()
    })
}

#[test]
fn a_meter_entry_is_whole_in_every_order() {
    explore(stamp);
    assert_eq!(found(stamp), [true; 4]);
}

#[test]
fn a_cell_is_whole_in_every_order() {
    explore(cell);
    assert_eq!(found(cell), [true; 4]);
}

#[test]
fn sound_is_of_its_turn_in_every_order() {
    explore(sound);
    assert_eq!(found(sound), [true; 4]);
}

#[test]
fn a_sheet_is_whole_in_every_order() {
    explore(sheet);
    assert_eq!(found(sheet), [true; 4]);
}
