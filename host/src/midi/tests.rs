//! Claims about the way from bytes to events.

use std::sync::Arc;

use headroom_engine::Catalog;
use headroom_engine::Change;
use headroom_engine::Controller;
use headroom_engine::Event;
use headroom_engine::Memory;
use headroom_engine::Processor;
use headroom_engine::Stream;
use headroom_engine::preset;
use headroom_engine::realtime::ViolationCounts;
use headroom_engine::realtime::guarded;
use proptest::prelude::*;

use super::feed::Feed;
use super::feed::FeedEnds;
use super::heard::Heard;
use super::lane::LaneSender;
use super::lane::lane;
use super::message::Message;
use super::table::Table;

/// One block of 128 frames at 48 kHz.
const BLOCK: usize = 128;
const BLOCK_NS: u64 = 2_666_667;

/// An engine, a feed, and a port that plays into it, at times that a test chooses.
struct Bench {
    controller: Controller,
    processor: Processor,
    feed: Feed,
    ends: FeedEnds,
    heard: Arc<Heard>,
    now_ns: u64,
}

impl Bench {
    fn new(midi: &str) -> Self {
        let text =
            format!("headroom = 1\n[[module]]\nkind = \"gain\"\n[[module]]\nkind = \"eq\"\n{midi}");
        let rack = preset::parse(&text, "test", &Catalog::builtin()).unwrap();
        let stream = Stream::new(48_000, 1_024, 2).unwrap();
        let (controller, mut processor) =
            headroom_engine::open(stream, &rack, &Memory::default()).unwrap();
        processor.process(&mut [], &[]);
        let heard = Arc::new(Heard::new(u16::MAX));
        let (feed, ends) = Feed::new(&heard, Table::new(&rack.midi, &controller));
        Self {
            controller,
            processor,
            feed,
            ends,
            heard,
            now_ns: 1_000_000_000_000,
        }
    }

    fn port(&mut self) -> LaneSender {
        let (sender, receiver) = lane(&self.heard);
        self.ends.lanes.push(Box::new(receiver)).ok().unwrap();
        sender
    }

    /// Plays a block that begins one block later than the one before, and gives its events.
    fn block(&mut self, frames: usize) -> Vec<Event> {
        let mut events = Vec::with_capacity(2_048);
        let (mut left, mut right) = (vec![0.5; frames], vec![0.5; frames]);
        self.now_ns += BLOCK_NS;
        let before = ViolationCounts::of_this_thread();
        guarded(|| {
            self.feed.begin_at(self.now_ns, frames, &mut self.processor);
            let made = self.feed.next(frames);
            // Room was made before: copying them does not allocate.
            events.extend_from_slice(made);
            self.processor
                .process(&mut [&mut left, &mut right], &events);
        });
        let counts = ViolationCounts::of_this_thread().since(before);
        assert!(counts.is_zero(), "{counts:?}");
        assert!(events.is_sorted_by_key(|event| event.frame), "{events:?}");
        assert!(events.iter().all(|event| (event.frame as usize) < frames));
        events
    }

    /// What a parameter was moved to by now.
    fn value(&self, module: &str, param: &str) -> f32 {
        let rack = self.controller.current();
        let module = rack.modules.iter().find(|known| known.id == module);
        let module = module.unwrap();
        module.values[module.kind.param_index(param).unwrap()]
    }

    fn bypassed(&self) -> bool {
        self.controller.current().modules[0].bypass
    }
}

const GAIN: &str = "[[midi]]\ncc = 7\nparam = \"gain.gain_db\"\nmin = -60.0\nmax = 0.0\n";

fn cc(number: u8, value: u8) -> [u8; 3] {
    [0xB0, number, value]
}

fn frames_and_values(events: &[Event]) -> Vec<(u32, f32)> {
    let value = |event: &Event| match event.change {
        Change::Param { value, .. } => (event.frame, value),
        other => panic!("{other:?}"),
    };
    events.iter().map(value).collect()
}

#[test]
fn messages_keep_their_distance_and_are_one_block_late() {
    let mut bench = Bench::new(GAIN);
    let mut port = bench.port();
    bench.block(BLOCK);
    let start_ns = bench.now_ns;
    port.hear(&cc(7, 0), start_ns + BLOCK_NS / 128);
    port.hear(&cc(7, 127), start_ns + BLOCK_NS * 70 / 128);
    // Stamped for the block after: JACK says so ahead of time.
    port.hear(&cc(7, 0), start_ns + BLOCK_NS * 3 / 2);
    assert_eq!(
        frames_and_values(&bench.block(BLOCK)),
        [(0, -60.0), (64, 0.0)]
    );
    assert_eq!(frames_and_values(&bench.block(BLOCK)), [(64, -60.0)]);
    assert_eq!(bench.value("gain", "gain_db"), -60.0);
}

#[test]
fn messages_of_several_ports_are_played_in_the_order_of_their_times() {
    let mut bench = Bench::new(GAIN);
    let mut ports = [bench.port(), bench.port(), bench.port()];
    bench.block(BLOCK);
    let start_ns = bench.now_ns;
    let at = |frame: u64| start_ns + BLOCK_NS * frame / 128 + 1_000;
    ports[2].hear(&cc(7, 0), at(0));
    ports[0].hear(&cc(7, 127), at(40));
    ports[1].hear(&cc(7, 0), at(70));
    ports[2].hear(&cc(7, 127), at(100));
    assert_eq!(
        frames_and_values(&bench.block(BLOCK)),
        [(0, -60.0), (32, 0.0), (64, -60.0), (96, 0.0)]
    );
}

#[test]
fn a_block_cut_in_pieces_hands_out_each_event_once_in_its_place() {
    let mut bench = Bench::new(GAIN);
    let mut port = bench.port();
    bench.block(BLOCK);
    for eighth in 0..8 {
        let at_ns = bench.now_ns + BLOCK_NS * eighth / 8 + 1_000;
        port.hear(&cc(7, eighth as u8), at_ns);
    }
    bench.now_ns += BLOCK_NS;
    bench
        .feed
        .begin_at(bench.now_ns, 1_024, &mut bench.processor);
    let mut at = 0;
    let mut frames = Vec::new();
    for piece in [100, 300, 1, 112, 511] {
        let events = bench.feed.next(piece);
        assert!(events.iter().all(|event| (event.frame as usize) < piece));
        frames.extend(events.iter().map(|event| event.frame as usize + at));
        at += piece;
    }
    assert_eq!(at, 1_024);
    assert_eq!(frames, [0, 128, 256, 384, 512, 640, 768, 896]);
}

#[test]
fn a_controller_walks_a_parameters_own_way_and_a_range_may_be_turned_round() {
    let mut bench = Bench::new(
        "[[midi]]\ncc = 1\nchannel = 3\nparam = \"eq.band1_freq_hz\"\nmin = 100.0\nmax = 10000.0\n\
         [[midi]]\ncc = 1\nparam = \"gain.gain_db\"\nmin = 12.0\nmax = -12.0\n\
         [[midi]]\ncc = 2\nfine = true\nmix = \"gain\"\n",
    );
    let mut port = bench.port();
    port.hear(&[0xB2, 1, 64], 0);
    bench.block(BLOCK);
    let freq_hz = bench.value("eq", "band1_freq_hz");
    assert!(
        (freq_hz - 1_000.0).abs() < 1.0,
        "the geometric mean: {freq_hz}"
    );
    assert!(bench.value("gain", "gain_db").abs() < 1e-5);
    port.hear(&[0xB0, 1, 127], 0);
    bench.block(BLOCK);
    assert_eq!(
        bench.value("eq", "band1_freq_hz"),
        freq_hz,
        "another channel"
    );
    assert_eq!(bench.value("gain", "gain_db"), -12.0);
    for (coarse, fine, mix) in [(127, 127, 1.0), (64, 0, 0.5), (0, 64, 32.0 / 8_192.0)] {
        port.hear(&cc(2, coarse), 0);
        port.hear(&cc(34, fine), 0);
        bench.block(BLOCK);
        assert_eq!(bench.controller.current().modules[0].mix, mix);
    }
}

#[test]
fn keys_turn_switches_over_and_pedals_hold_them() {
    let mut bench = Bench::new(
        "[[midi]]\nnote = 36\nbypass = \"gain\"\n[[midi]]\ncc = 64\nbypass = \"gain\"\n\
         [[midi]]\nnote = 37\nmute = true\n[[midi]]\nnote = 38\npanic = true\ntoggle = false\n",
    );
    let mut port = bench.port();
    let mut press = |bench: &mut Bench, messages: &[[u8; 3]]| {
        for message in messages {
            port.hear(message, 0);
        }
        bench.block(BLOCK);
    };
    let (down, up) = ([0x90, 36, 100], [0x80, 36, 0]);
    press(&mut bench, &[down, up]);
    assert!(bench.bypassed());
    press(&mut bench, &[down, [0x90, 36, 0], down, up, down]);
    assert!(!bench.bypassed(), "three presses in one block");
    press(&mut bench, &[cc(64, 64)]);
    assert!(bench.bypassed());
    press(&mut bench, &[cc(64, 127)]);
    assert!(bench.bypassed());
    press(&mut bench, &[cc(64, 63)]);
    assert!(!bench.bypassed());
    // The main thread turns it: the key turns it back.
    bench.controller.set_bypass("gain", true).unwrap();
    bench.block(BLOCK);
    press(&mut bench, &[down]);
    assert!(!bench.bypassed());

    press(&mut bench, &[[0x90, 37, 1]]);
    assert!(bench.processor.is_muted());
    assert_eq!(bench.heard.take_muted(), Some(true));
    press(&mut bench, &[[0x90, 37, 1]]);
    assert!(!bench.processor.is_muted());
    assert_eq!(bench.heard.take_muted(), Some(false));
    assert_eq!(bench.heard.take_muted(), None);
    press(&mut bench, &[[0x90, 38, 1]]);
    assert!(bench.controller.panic_button().is_pressed());
    press(&mut bench, &[[0x80, 38, 1]]);
    assert!(!bench.controller.panic_button().is_pressed());
}

/// 64 controllers, each with its own binding.
fn many() -> String {
    let bind = |number: u32| {
        let band = number % 8 + 1;
        format!("[[midi]]\ncc = {number}\nparam = \"eq.band{band}_gain_db\"\n")
    };
    (0..64).map(bind).collect()
}

#[test]
fn a_storm_of_100_000_events_a_second_is_bounded_and_ends_where_it_ended() {
    let mut bench = Bench::new(&many());
    let mut port = bench.port();
    bench.block(BLOCK);
    let a_block = 267; // 100,000 a second
    let mut sent = 0_u32;
    let (mut most, mut all) = (0, 0);
    for _ in 0..750 {
        for message in 0..a_block {
            let at_ns = bench.now_ns + BLOCK_NS * message / a_block;
            port.hear(&cc((sent % 64) as u8, (sent / 64 % 128) as u8), at_ns);
            sent += 1;
        }
        let events = bench.block(BLOCK);
        most = most.max(events.len());
        all += events.len() as u64;
    }
    // 64 bindings, 4 places on the grid.
    assert!(most <= 256, "{most} events in a block");
    let counts = bench.heard.counts();
    assert_eq!(counts.events, u64::from(sent));
    assert_eq!(counts.dropped, 0);
    assert_eq!(
        all + counts.superseded,
        u64::from(sent),
        "each is heard or counted"
    );
    for number in 0..8 {
        port.hear(&cc(number + 56, 127), bench.now_ns);
    }
    bench.block(BLOCK);
    for band in 1..=8 {
        let param = format!("band{band}_gain_db");
        let kind = Catalog::builtin().find("eq").unwrap();
        let row = kind.params[kind.param_index(&param).unwrap()];
        assert_eq!(bench.value("eq", &param), row.max, "{param}");
    }
}

#[test]
fn what_comes_while_nobody_plays_ends_where_it_ended_and_lost_keys_are_counted() {
    let mut bench = Bench::new(&many());
    let mut port = bench.port();
    bench.block(BLOCK);
    for message in 0..100_000_u32 {
        port.hear(
            &cc((message % 64) as u8, (message / 64 % 128) as u8),
            bench.now_ns,
        );
    }
    for _ in 0..10 {
        port.hear(&[0x90, 36, 100], bench.now_ns);
    }
    for number in 0..64 {
        port.hear(&cc(number, 0), bench.now_ns);
    }
    assert_eq!(bench.heard.counts().dropped, 10);
    // A block takes so many messages and no more.
    let before = bench.heard.counts().superseded;
    let events = bench.block(BLOCK).len() as u64;
    let taken = events + bench.heard.counts().superseded - before;
    assert_eq!(taken, 64 + 4 * BLOCK as u64);
    // A few blocks for what waits, none of them longer than others.
    for _ in 0..8 {
        assert!(bench.block(BLOCK).len() <= 1_024);
    }
    for band in 1..=8 {
        let param = format!("band{band}_gain_db");
        let kind = Catalog::builtin().find("eq").unwrap();
        let row = kind.params[kind.param_index(&param).unwrap()];
        assert_eq!(bench.value("eq", &param), row.min, "{param}");
    }
    // And what comes now is not held up.
    port.hear(&cc(0, 127), bench.now_ns);
    bench.block(BLOCK);
    assert!(bench.value("eq", "band1_gain_db") > 0.0);
}

#[test]
fn nothing_overtakes_a_position_that_found_the_ring_full() {
    let mut bench = Bench::new(GAIN);
    let mut port = bench.port();
    bench.block(BLOCK);
    for _ in 0..2_048 {
        port.hear(&cc(7, 64), bench.now_ns);
    }
    // The ring is full: this is parked. Then there is room again, but not for what comes behind it.
    port.hear(&cc(7, 0), bench.now_ns);
    bench.block(1);
    port.hear(&cc(7, 127), bench.now_ns);
    for _ in 0..8 {
        bench.block(BLOCK);
    }
    assert_eq!(bench.value("gain", "gain_db"), 0.0);
}

#[test]
fn channel_mode_messages_and_what_is_cut_short_move_nothing() {
    for bytes in [
        &[0xB0, 120, 0][..],
        &[0xB0, 123, 127],
        &[0xB0, 7],
        &[0xB0, 7, 200],
        &[7, 100],
        &[0xC0],
        &[0xF0, 7, 1, 0xF7],
        &[0xF8],
        &[0xF8, 0xB0, 7, 1],
        &[],
    ] {
        assert_eq!(Message::parse(bytes), None, "{bytes:x?}");
    }
}

#[test]
fn the_last_position_arrives_however_the_threads_race() {
    let mut bench = Bench::new(GAIN);
    let mut port = bench.port();
    for round in 0..20_u8 {
        let last = 20 + round * 5;
        let sender = std::thread::spawn(move || {
            for message in 0..20_000_u32 {
                port.hear(&cc(7, (message % 128) as u8), 0);
            }
            port.hear(&cc(7, last), 0);
            port
        });
        while !sender.is_finished() {
            bench.block(BLOCK);
        }
        port = sender.join().unwrap();
        for _ in 0..8 {
            bench.block(BLOCK);
        }
        let position = if last <= 64 {
            f32::from(last) / 128.0
        } else {
            0.5 + f32::from(last - 64) / 126.0
        };
        let wanted = -60.0 + 60.0 * position;
        let value = bench.value("gain", "gain_db");
        assert!((value - wanted).abs() < 1e-3, "{value} and not {wanted}");
    }
}

#[test]
fn tables_and_ports_come_and_go_without_memory_on_the_audio_thread() {
    let mut bench = Bench::new(GAIN);
    for round in 0..200_u8 {
        let mut port = bench.port();
        let table = Table::new(&bench.controller.spec().midi, &bench.controller);
        bench.ends.tables.push(Box::new(table)).ok().unwrap();
        port.hear(&cc(7, round % 128), 0);
        drop(port);
        assert_eq!(
            bench.block(BLOCK).len(),
            1,
            "heard although the port has gone"
        );
        bench.block(BLOCK);
        while bench.ends.lanes_back.pop().is_ok() {}
        while bench.ends.tables_back.pop().is_ok() {}
    }
    // Nobody takes back what is returned: nothing is lost, it only waits.
    for _ in 0..4 {
        let table = Table::new(&[], &bench.controller);
        bench.ends.tables.push(Box::new(table)).ok().unwrap();
        bench.block(BLOCK);
    }
    let table = Table::new(&bench.controller.spec().midi, &bench.controller);
    bench.ends.tables.push(Box::new(table)).ok().unwrap();
    bench.block(BLOCK);
    assert!(
        !bench.ends.tables.is_full() && bench.ends.tables.slots() < 4,
        "it waits"
    );
    while bench.ends.tables_back.pop().is_ok() {}
    let mut port = bench.port();
    port.hear(&cc(7, 0), 0);
    assert_eq!(bench.block(BLOCK).len(), 1, "by the newest table");
}

#[test]
fn programs_are_heard_on_the_channels_of_the_map_and_the_newest_counts() {
    let heard = Arc::new(Heard::new(0b10));
    let (mut port, _receiver) = lane(&heard);
    port.hear(&[0xC0, 4], 0);
    assert_eq!(heard.take_program(), None);
    port.hear(&[0xC1, 4], 0);
    port.hear(&[0xC1, 5], 0);
    assert_eq!(heard.take_program(), Some((1, 5)));
    assert_eq!(heard.take_program(), None);
}

proptest! {
    /// What the standard says of a message's bytes, put differently.
    #[test]
    fn bytes_are_a_message_only_when_they_are_one_whole(bytes in bytes_like_midi()) {
        let message = Message::parse(&bytes);
        let data = |at: usize| bytes.get(at).copied().filter(|byte| *byte < 128);
        let status = bytes.first().copied().unwrap_or(0);
        let channel = status & 15;
        let expected = match (status >> 4, data(1), data(2)) {
            (0xB, Some(number), Some(value)) if number < 120 => {
                Some(Message::Controller { channel, number, value })
            }
            (0x9, Some(number), Some(velocity)) => {
                Some(Message::Note { channel, number, down: velocity > 0 })
            }
            (0x8, Some(number), Some(_)) => Some(Message::Note { channel, number, down: false }),
            (0xC, Some(number), _) => Some(Message::Program { channel, number }),
            // Running status, real-time bytes, system exclusive, what is cut short: nothing.
            _ => None,
        };
        prop_assert_eq!(message, expected, "{:?}", bytes);
        if let Some(message) = message {
            prop_assert_eq!(Message::unpack(message.pack()), Some(message));
        }
    }
}

/// Bytes of all kinds, with status bytes in front more often than not.
fn bytes_like_midi() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![3 => 0x80..=0xFF_u8, 1 => any::<u8>()];
    let data = prop_oneof![6 => 0..128_u8, 1 => any::<u8>()];
    (status, prop::collection::vec(data, 0..6), any::<bool>()).prop_map(|(status, data, empty)| {
        if empty && data.len() > 4 {
            return Vec::new();
        }
        [&[status], &data[..]].concat()
    })
}
