//! The other end of the cables: plays a signal into the ports of a program and takes what comes out of
//! others, frame for frame, most of it with the server in freewheel.
//!
//! It runs in a process of its own (the test's own binary, started again), because libjack knows one server
//! a process and learns its name from the environment. Two clients, so that there is no loop through it: in
//! one cycle the server runs the source, then the program, then the sink.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::time::Instant;

use jack::AudioIn;
use jack::AudioOut;
use jack::Client;
use jack::Control;
use jack::NotificationHandler;
use jack::Port;
use jack::ProcessScope;

use super::JackServer;
use super::clients;

/// How long any step may take: the whole of a long freewheel too.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run of the wire.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wire<'a> {
    /// Ports of the program to play into, left and right, and ports to take from. Where there are none the
    /// program connects itself to [`SOURCE`] and [`SINK`].
    pub(crate) ports: Option<[[&'a str; 2]; 2]>,
    /// Frames to take from the first sound on.
    pub(crate) frames: usize,
    /// Of which are kept.
    pub(crate) kept: usize,
    /// Seconds of sound for each second at most; 0 for no limit, 1 for real time without freewheel.
    pub(crate) speed: u32,
}

/// The clients that a program may connect itself to.
pub(crate) const SOURCE: &str = "wire-source";
pub(crate) const SINK: &str = "wire-sink";
/// In the place of ports that the program does not have.
pub(crate) const UNUSED: [&str; 2] = ["-", "-"];

/// The command line and the environment that make the test's binary into the wire; see [`be_the_wire`].
const TEST_NAME: &str = "wire";
const PLAN: &str = "HEADROOM_TEST_WIRE";

/// The wire while it runs.
pub(crate) struct Running {
    process: Child,
    output: PathBuf,
}

/// What came out.
pub(crate) struct Taken {
    /// Frames of the signal that had been sent when the first of these came.
    pub(crate) offset: usize,
    /// From the block on in which the first sound was.
    pub(crate) frames: Vec<[f32; 2]>,
}

impl Wire<'_> {
    /// Plays `signal`, again and again, until enough has come out.
    pub(crate) fn run(&self, server: &impl JackServer, place: &Path, signal: &[[f32; 2]]) -> Taken {
        self.start(server, place, signal).end()
    }

    /// Plays `signal`, again and again, from now on.
    pub(crate) fn start(
        &self,
        server: &impl JackServer,
        place: &Path,
        signal: &[[f32; 2]],
    ) -> Running {
        let (input, output) = (place.join("wire-in.raw"), place.join("wire-out.raw"));
        std::fs::write(&input, bytes(signal)).unwrap();
        let [into, from] = self.ports.unwrap_or_default();
        let plan = [
            into.join(","),
            from.join(","),
            self.frames.to_string(),
            self.kept.to_string(),
            self.speed.to_string(),
            input.display().to_string(),
            output.display().to_string(),
        ];
        let mut wire = Command::new(std::env::current_exe().unwrap());
        let process = server
            .env(&mut wire)
            .args(["--exact", TEST_NAME, "--ignored", "--nocapture"])
            .env(PLAN, plan.join(";"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = ready(&output);
        let _not_there = std::fs::remove_file(&ready);
        let mut running = Running { process, output };
        let start = Instant::now();
        while !ready.exists() {
            let ended = running.process.try_wait().unwrap();
            let late = start.elapsed() > Duration::from_secs(10);
            assert!(ended.is_none() && !late, "the wire did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }
}

impl Running {
    /// Waits until enough has come out.
    pub(crate) fn end(self) -> Taken {
        let said = self.process.wait_with_output().unwrap();
        assert!(
            said.status.success(),
            "the wire: {}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        );
        let mut bytes = std::fs::read(&self.output).unwrap();
        let sound = bytes.split_off(8);
        Taken {
            offset: u64::from_le_bytes(bytes.try_into().unwrap()) as usize,
            frames: frames(&sound),
        }
    }
}

/// The file that says that both clients run and may be connected to.
fn ready(output: &Path) -> PathBuf {
    output.with_extension("ready")
}

fn bytes(frames: &[[f32; 2]]) -> Vec<u8> {
    frames
        .iter()
        .flatten()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

fn frames(bytes: &[u8]) -> Vec<[f32; 2]> {
    let sample = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    bytes
        .chunks_exact(8)
        .map(|frame| [sample(&frame[..4]), sample(&frame[4..])])
        .collect()
}

/// What the two clients tell each other.
#[derive(Default)]
struct Words {
    /// The server is in freewheel, as its notification says: its change is not over when the tool returns.
    freewheeling: AtomicBool,
    /// The signal is to begin.
    go: AtomicBool,
    /// The program is heard. Writer: sink.
    sounding: AtomicBool,
    /// Enough has come out: nobody is to be held back any more.
    enough: AtomicBool,
    /// Frames that were sent before this cycle. Writer: source, which runs before the program, and that
    /// before the sink.
    sent_before: AtomicU64,
    /// Cycles that came without their signal. Writer: sink.
    gaps: AtomicU64,
}

/// The wire itself: the body of a test that does nothing unless [`Wire::start`] starts it.
pub(crate) fn be_the_wire() {
    let Ok(plan) = std::env::var(PLAN) else {
        return;
    };
    let plan: Vec<&str> = plan.split(';').collect();
    let [into, from, length, kept, speed, input, output] = plan[..] else {
        panic!("not a plan: {plan:?}")
    };
    let [length, kept] = [length, kept].map(|number| number.parse().unwrap());
    let speed = speed.parse().unwrap();
    let signal = frames(&std::fs::read(input).unwrap());
    let words = Arc::new(Words::default());

    let mut clients = clients::open(&[SOURCE, SINK]).into_iter();
    let (source, sink) = (clients.next().unwrap(), clients.next().unwrap());
    let ports = ["left", "right"];
    let outs = ports.map(|name| source.register_port(name, AudioOut::default()).unwrap());
    let ins = ports.map(|name| sink.register_port(name, AudioIn::default()).unwrap());
    let rate_hz = source.sample_rate();
    let source = source
        .activate_async(
            Notify(Arc::clone(&words)),
            sourcing(outs, signal, (speed, rate_hz), &words),
        )
        .unwrap();
    let (taking, taken) = sinking(ins, (length, kept), &words);
    let sink = sink.activate_async((), taking).unwrap();

    std::fs::write(ready(Path::new(output)), "").unwrap();
    for (side, (into, from)) in ports.iter().zip(into.split(',').zip(from.split(','))) {
        if !into.is_empty() && into != UNUSED[0] {
            clients::connect(source.as_client(), &format!("{SOURCE}:{side}"), into);
        }
        if !from.is_empty() {
            clients::connect(sink.as_client(), from, &format!("{SINK}:{side}"));
        }
    }
    // A connection counts from the next cycle on.
    std::thread::sleep(Duration::from_millis(100));
    words.go.store(true, Release);
    let start = Instant::now();
    while !words.sounding.load(Acquire) {
        assert!(start.elapsed() < PATIENCE, "no sound");
        // The program may have come back as another client since, without its cables.
        for (side, from) in ports.iter().zip(from.split(',')) {
            let into = format!("{SINK}:{side}");
            let _there_already = sink.as_client().connect_ports_by_name(from, &into);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // Only now: whoever joins a server in freewheel is forgotten when it leaves it.
    if speed != 1 {
        freewheel(true, &words);
    }
    let (offset, heard) = taken.recv_timeout(PATIENCE).unwrap();
    let elapsed = start.elapsed();
    words.enough.store(true, Release);
    if speed != 1 {
        freewheel(false, &words);
    }
    if into != UNUSED.join(",") {
        assert_eq!(words.gaps.load(Relaxed), 0, "cycles were left out");
    }
    println!("{length} frames in {elapsed:.1?}");
    let mut written = offset.to_le_bytes().to_vec();
    written.extend(bytes(&heard));
    std::fs::write(output, written).unwrap();
    drop((source, sink));
}

/// Hears of the change of freewheel.
struct Notify(Arc<Words>);

impl NotificationHandler for Notify {
    fn freewheel(&mut self, _: &Client, on: bool) {
        self.0.freewheeling.store(on, Release);
    }
}

/// Returns when the server has made the change, and some cycles have come after it.
fn freewheel(on: bool, words: &Words) {
    let tool = Command::new("jack_freewheel")
        .arg(if on { "y" } else { "n" })
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let status = tool.expect("this test needs JACK's tools: install the package `jackd2`");
    assert!(status.success(), "jack_freewheel: {status}");
    let start = Instant::now();
    while words.freewheeling.load(Acquire) != on {
        assert!(start.elapsed() < Duration::from_secs(10), "freewheel {on}");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
}

type Processing = jack::contrib::ClosureProcessHandler<
    (),
    Box<dyn FnMut(&Client, &ProcessScope) -> Control + Send>,
>;

/// Silence until it may go, then the signal, again and again, no faster than `speed`.
fn sourcing(
    mut ports: [Port<AudioOut>; 2],
    signal: Vec<[f32; 2]>,
    (speed, rate_hz): (u32, u32),
    words: &Arc<Words>,
) -> Processing {
    let words = Arc::clone(words);
    let mut sent = 0_usize;
    let mut paced = None;
    jack::contrib::ClosureProcessHandler::new(Box::new(move |_, scope| {
        let going = words.go.load(Acquire);
        words.sent_before.store(sent as u64, Release);
        for (side, port) in ports.iter_mut().enumerate() {
            for (at, sample) in port.as_mut_slice(scope).iter_mut().enumerate() {
                *sample = if going {
                    signal[(sent + at) % signal.len()][side]
                } else {
                    0.0
                };
            }
        }
        if going {
            sent += scope.n_frames() as usize;
        }
        // In freewheel nobody is in a hurry: here the sound may be held back.
        let free = words.freewheeling.load(Acquire) && !words.enough.load(Acquire);
        if free && speed > 0 {
            let (since, from) = *paced.get_or_insert((Instant::now(), sent));
            let least = (sent - from) as f64 / (f64::from(rate_hz) * f64::from(speed));
            std::thread::sleep(Duration::from_secs_f64(least).saturating_sub(since.elapsed()));
        }
        Control::Continue
    }))
}

/// How many frames had been sent before, and the sound.
type Heard = (u64, Vec<[f32; 2]>);

/// Keeps the first of what comes from the first sound on, and gives it when enough has come: how many frames
/// had been sent before, and the sound.
fn sinking(
    ports: [Port<AudioIn>; 2],
    (length, kept): (usize, usize),
    words: &Arc<Words>,
) -> (Processing, Receiver<Heard>) {
    let words = Arc::clone(words);
    let (give, take) = std::sync::mpsc::channel();
    let mut give = Some(give);
    let mut heard: Vec<[f32; 2]> = Vec::with_capacity(kept);
    let (mut offset, mut taken) = (None, 0);
    let process = move |_: &Client, scope: &ProcessScope| {
        if give.is_none() || !words.go.load(Acquire) {
            return Control::Continue;
        }
        let sent_before = words.sent_before.load(Acquire);
        let [left, right] = [&ports[0], &ports[1]].map(|port| port.as_slice(scope));
        if left.iter().chain(right).any(|sample| *sample != 0.0) {
            offset.get_or_insert(sent_before);
            words.sounding.store(true, Release);
        }
        let Some(offset) = offset else {
            return Control::Continue;
        };
        if sent_before != offset + taken as u64 {
            words.gaps.fetch_add(1, Relaxed);
        }
        let frames = left.iter().zip(right).take(kept - heard.len());
        heard.extend(frames.map(|(left, right)| [*left, *right]));
        taken += scope.n_frames() as usize;
        if taken >= length
            && let Some(give) = give.take()
        {
            let _nobody_listens = give.send((offset, std::mem::take(&mut heard)));
        }
        Control::Continue
    };
    (
        jack::contrib::ClosureProcessHandler::new(Box::new(process)),
        take,
    )
}
