//! The memory map of a program that plays: the engine's, and what lies around it.

use headroom_engine::MemoryMap;
use headroom_engine::memory::Owner;
use headroom_engine::realtime::own_threads;

use super::attempt::Open;
use crate::memory::MemoryReport;

/// `[main]` Where every byte is of what plays now, and what the system says of it. At any time: it reads what
/// the audio thread owns the addresses of, and not what is there.
pub(super) fn report(open: &Open) -> MemoryReport {
    let mut map = open.controller.memory_map();
    add_surroundings(open, &mut map);
    let stream = open.controller.stream();
    MemoryReport::new(&open.controller.spec().name, &stream, &map).beside_the_system()
}

/// What is not the engine's: the player and what feeds it, recordings, MIDI, and the stacks of our threads.
fn add_surroundings(open: &Open, map: &mut MemoryMap) {
    map.parts.extend(open.around.parts.iter().cloned());
    open.recorder.list(map);
    if let Some(heard) = &open.heard {
        heard.list(map);
    }
    let stacks = || Owner::Program("stacks");
    let audio = open.shared.stack.watch();
    // A thread that has ended has no stack any more.
    if let Some(watch) = audio.filter(|watch| watch.used_bytes().is_some()) {
        map.add_stack(stacks(), "audio thread", watch.place());
    }
    for thread in own_threads() {
        map.add_stack(stacks(), thread.name, thread.stack);
    }
}
