//! Whatever a process does that was let in — dies at any point, stops, writes any bytes over all that it may
//! write, claims other versions, sends a million commands — not one sample of the sound changes.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use headroom_ipc::Client;
use headroom_ipc::Command as Order;
use headroom_ipc::State;
use headroom_ipc::Tap;
use play_common::assert_real_time;
use play_common::jackd::Jackd;
use play_common::noise;
use play_common::playing::Playing;
use play_common::rendered;
use play_common::report_of;
use play_common::stderr;
use play_common::wire;
use play_common::wire::Taken;
use play_common::wire::Wire;

/// Peers in all.
const ROUNDS: usize = 500;
/// Peers at once.
const AT_ONCE: usize = 3;
const SECONDS: usize = 60;

#[test]
#[ignore = "started by the other tests"]
fn wire() {
    wire::be_the_wire();
}

/// What a peer does, by its number.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Kills itself at some point.
    Die,
    /// Stops, and is killed much later.
    Stop,
    /// Writes random bytes over all that it may write.
    Scribble,
    /// Writes counts that could be true, and are not.
    Lie,
    /// Speaks nonsense to the socket, and comes in more often than there is room.
    Shout,
    /// Sends as many commands as it can, all of which make no sense to a rack.
    Flood,
}

const DEEDS: [Deed; 6] = [
    Deed::Die,
    Deed::Stop,
    Deed::Scribble,
    Deed::Lie,
    Deed::Shout,
    Deed::Flood,
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// The memory that this process shares and may write: where it begins and ends.
fn writable() -> Vec<(u64, u64)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let range = |line: &str| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        Some((
            u64::from_str_radix(from, 16).ok()?,
            u64::from_str_radix(to, 16).ok()?,
        ))
    };
    let ours = maps.lines().filter(|line| line.contains("memfd:headroom"));
    ours.filter(|line| line.contains(" rw-s "))
        .filter_map(range)
        .collect()
}

/// The body of a peer.
#[test]
#[ignore = "started by the other tests"]
fn peer() {
    let Ok(number) = std::env::var("HEADROOM_TEST_PEER") else {
        return;
    };
    let number: usize = number.parse().unwrap();
    let mut random = Random(number as u64 * 0x9e37_79b9 + 77);
    let deed = DEEDS[number % DEEDS.len()];
    let path = Client::running().unwrap()[0].path.clone();
    if let Deed::Shout = deed {
        let mut lines: Vec<UnixStream> = Vec::new();
        for _ in 0..20 {
            let mut line = UnixStream::connect(&path).unwrap();
            let noise: Vec<u8> = (0..4096).map(|_| random.next() as u8).collect();
            line.set_nonblocking(true).unwrap();
            let _full = line.write(&noise);
            lines.push(line);
        }
        std::thread::sleep(Duration::from_millis(40));
        return;
    }
    if let Deed::Die = deed
        && number.is_multiple_of(4)
    {
        let _before_the_answer = UnixStream::connect(&path).unwrap();
        std::process::abort();
    }
    // There may be no place for the moment.
    let start = Instant::now();
    let mut client = loop {
        match Client::attach(&path) {
            Ok(client) => break client,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let memory = std::fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/mem")
        .unwrap();
    let ranges = writable();
    assert_eq!(ranges.len(), 1, "the commands and nothing else");
    let (from, to) = ranges[0];
    match deed {
        Deed::Shout => {}
        Deed::Die => {
            client.want_sound(number.is_multiple_of(3));
            let nonsense = Order::Remove {
                module: "nobody".to_owned(),
            };
            for _ in 0..random.below(50) {
                let _full = client.send(&nonsense);
            }
            // Half of a command, and the count that says that it is whole.
            memory
                .write_at(
                    &random.next().to_le_bytes(),
                    from + 64 + random.below(2_000),
                )
                .unwrap();
            std::process::abort();
        }
        Deed::Stop => {
            client.want_sound(true);
            let own = std::process::id().to_string();
            Command::new("kill").args(["-STOP", &own]).status().unwrap();
        }
        Deed::Scribble => {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(40) {
                let length = 1 + random.below(2_000);
                let at = from + random.below(to - from - length);
                let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
                memory.write_at(&bytes, at).unwrap();
            }
        }
        Deed::Lie => {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(40) {
                // The counts stand behind the head: commands sent, commands taken, whether sound is wanted.
                let count = match random.below(4) {
                    0 => random.below(300),
                    1 => u64::MAX - random.below(300),
                    _ => random.next(),
                };
                memory
                    .write_at(&count.to_le_bytes(), from + 64 + 8 * random.below(3))
                    .unwrap();
                // And over the head itself, which nobody asks again.
                memory
                    .write_at(&count.to_le_bytes(), from + 8 * random.below(8))
                    .unwrap();
            }
        }
        Deed::Flood => {
            let orders = [
                Order::Set {
                    target: "nobody.gain_db".to_owned(),
                    value: 1.0,
                },
                Order::Insert {
                    kind: "nothing".to_owned(),
                    index: u16::MAX,
                },
                Order::Move {
                    module: "nobody".to_owned(),
                    index: 3,
                },
                Order::Preset {
                    name: "nothing".to_owned(),
                },
                Order::End {
                    target: "nobody.x".to_owned(),
                },
                Order::Redo,
            ];
            let start = Instant::now();
            let mut sent = 0_u64;
            while start.elapsed() < Duration::from_millis(60) {
                let order = &orders[random.below(orders.len() as u64) as usize];
                sent += u64::from(client.send(order).is_ok());
            }
            assert!(sent > 0);
        }
    }
}

fn start_peer(place: &Path, number: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "peer", "--ignored", "--nocapture"])
        .env("HEADROOM_TEST_PEER", number.to_string())
        .env("HEADROOM_RUNTIME_DIR", place.join("headroom"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn is_stopped(peer: &Child) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", peer.id())).unwrap_or_default();
    state
        .rsplit(") ")
        .next()
        .is_some_and(|rest| rest.starts_with('T'))
}

#[test]
fn no_peer_changes_a_sample() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("hostile");
    let noise = noise(5 * 48_000);
    let wire = Wire {
        frames: SECONDS * 48_000,
        kept: SECONDS * 48_000,
        // Slow enough that the peers are there all the while.
        speed: 2,
        ..Wire::default()
    };
    let wire = wire.start(&jackd, place.path(), &noise);
    let args = [
        "--preset",
        "drum-bus",
        "--input-device",
        wire::SOURCE,
        "--output-device",
        wire::SINK,
    ];
    let playing = Playing::start(&jackd, place.path(), &args);

    // A well-behaved one among them, who always sees sense.
    let folder = place.path().join("headroom");
    let sockets = || {
        std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .next()
    };
    let start = Instant::now();
    let socket = loop {
        if let Some(socket) = sockets() {
            break socket.path();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no socket");
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut client = Client::attach(&socket).unwrap();
    client.want_sound(true);
    // The first sound came before it, and is the loudest: the compressor was still open.
    let mut since = None;

    let mut peers: Vec<(usize, Instant, Child)> = Vec::new();
    let (mut next, mut spans, mut frames) = (0, 0, Vec::new());
    let mut most = 0.0_f32;
    while next < ROUNDS || !peers.is_empty() {
        while peers.len() < AT_ONCE && next < ROUNDS {
            peers.push((next, Instant::now(), start_peer(place.path(), next)));
            next += 1;
        }
        peers.retain_mut(|(number, since, peer)| {
            if is_stopped(peer) && since.elapsed() > Duration::from_millis(150) {
                peer.kill().unwrap();
            }
            let Some(status) = peer.try_wait().unwrap() else {
                assert!(
                    since.elapsed() < Duration::from_secs(30),
                    "peer {number} hangs"
                );
                return true;
            };
            let deed = DEEDS[*number % DEEDS.len()];
            if !matches!(deed, Deed::Die | Deed::Stop) {
                let mut said = String::new();
                if let Some(stderr) = &mut peer.stderr {
                    let _read = std::io::Read::read_to_string(stderr, &mut said);
                }
                assert!(status.success(), "{deed:?} {number}: {status} {said}");
            }
            false
        });
        assert_ne!(client.state(), State::Gone);
        if let Some(span) = client.meters() {
            spans += 1;
            assert!(!span.is_widened);
            since.get_or_insert(span.frame.to);
            most = most
                .max(span.frame.master.peak[0])
                .max(span.frame.master.peak[1]);
        }
        client.sound(Tap::After, 1_024, &mut frames);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(client.bad_commands() > 1_000, "{}", client.bad_commands());
    let reply = client.ask(&Order::Redo, Duration::from_secs(5)).unwrap();
    assert_eq!(reply.result, Err("there is nothing to redo".to_owned()));

    let Taken {
        offset,
        frames: heard,
    } = wire.end();
    // All that came since the last peer.
    if let Some(span) = client.meters() {
        most = most
            .max(span.frame.master.peak[0])
            .max(span.frame.master.peak[1]);
    }
    let output = playing.end();
    let report = report_of(&output);
    assert!(spans > 100, "{spans}");
    assert_real_time(&report);
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));

    let input: Vec<[f32; 2]> = (0..heard.len())
        .map(|at| noise[(offset + at) % noise.len()])
        .collect();
    let expected = rendered(place.path(), "drum-bus", &input);
    let pairs = heard.iter().zip(&expected);
    let same = pairs
        .take_while(|(ours, theirs)| ours.map(f32::to_bits) == theirs.map(f32::to_bits))
        .count();
    assert_eq!(same, heard.len(), "other bits from frame {same} on");
    // The program's count begins before the wire's, so that this frame is none that came before the client.
    let since = since.unwrap() as usize;
    assert!(
        heard.len() > since + noise.len(),
        "the client came at {since}"
    );
    let peak = heard[since..]
        .iter()
        .flatten()
        .fold(0.0_f32, |peak, it| peak.max(it.abs()));
    assert!(most >= peak * 0.99, "{most} of {peak} was seen");
}
