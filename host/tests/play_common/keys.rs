//! A keyboard on a JACK server: sends what it is told to, and listens to what the program plays.
//!
//! It runs in a process of its own (the test's own binary, started again), because libjack knows one server
//! a process and learns its name from the environment; and because a keyboard can be pulled out.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jack::AudioIn;
use jack::Client;
use jack::ClientOptions;
use jack::Control;
use jack::MidiOut;
use jack::Port;
use jack::PortFlags;
use jack::ProcessScope;
use jack::RawMidi;

use super::clients::must_open_again;
use super::jackd::Jackd;

/// The port that it sends from.
pub(crate) const PORT: &str = "headroom-test-keys:out";
const CLIENT: &str = "headroom-test-keys";
/// What makes the test's binary into the keyboard; see [`be_the_keys`].
const TEST_NAME: &str = "keys";
const ROLE: &str = "HEADROOM_TEST_KEYS";
/// What its lines begin with, among those of the test harness.
const MARK: &str = "keys>";

/// The keyboard, until it is dropped or pulled out.
pub(crate) struct Keys {
    child: Child,
    tell: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Keys {
    pub(crate) fn plug_in(jackd: &Jackd) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        jackd.env(&mut command);
        let mut child = command
            .args(["--exact", TEST_NAME, "--ignored", "--nocapture"])
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tell = child.stdin.take().unwrap();
        let hear = BufReader::new(child.stdout.take().unwrap());
        let mut keys = Self { child, tell, hear };
        keys.answer();
        keys
    }

    /// As a cable that is pulled: the port goes.
    pub(crate) fn pull_out(mut self) {
        writeln!(self.tell, "end").unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Sends one message.
    pub(crate) fn send(&mut self, message: &[u8]) {
        let hex: Vec<String> = message.iter().map(|byte| format!("{byte:02x}")).collect();
        self.ask(&format!("send {}", hex.join(" ")));
    }

    /// Sends so many messages a second, of controllers 0 to 63 in turn, for so many seconds; gives how
    /// many the server took.
    pub(crate) fn storm(&mut self, messages_per_sec: u32, secs: u32) -> u64 {
        let said = self.ask(&format!("storm {messages_per_sec} {secs}"));
        said.parse().unwrap()
    }

    /// The greatest sample of what the program plays, over the next 200 ms.
    pub(crate) fn level(&mut self) -> f32 {
        self.ask("level").parse().unwrap()
    }

    /// Waits until that is about `level`: a controller is heard after a block, a preset once it is built.
    pub(crate) fn wait_for_level(&mut self, level: f32) {
        let mut heard = 0.0;
        for _ in 0..50 {
            heard = self.level();
            if (heard - level).abs() <= 0.03 * level + 1e-4 {
                return;
            }
        }
        panic!("the level is {heard} and not {level}");
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.tell, "{line}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self.hear.read_line(&mut line).unwrap();
            assert!(read > 0, "the keyboard has gone");
            if let Some((_, said)) = line.trim_end().split_once(MARK) {
                return said.to_owned();
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_gone = self.child.wait();
    }
}

/// What the keyboard's process runs: call it from an ignored test named `keys`.
pub(crate) fn be_the_keys() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    jack::set_logger(jack::LoggerType::None);
    let client = connect();
    let out = client.register_port("out", MidiOut::default()).unwrap();
    let ear = client.register_port("ear", AudioIn::default()).unwrap();
    let (mut send, messages) = rtrb::RingBuffer::<[u8; 3]>::new(1_024);
    let words = Arc::new(Words::default());
    let hands = Hands {
        out,
        ear,
        messages,
        words: Arc::clone(&words),
        due: 0.0,
        sent: 0,
    };
    let client = client.activate_async((), hands).unwrap();
    println!("{MARK}");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb {
            "send" => {
                let bytes = rest
                    .split(' ')
                    .map(|hex| u8::from_str_radix(hex, 16).unwrap());
                let mut message = [0xFE; 3];
                message
                    .iter_mut()
                    .zip(bytes)
                    .for_each(|(to, byte)| *to = byte);
                send.push(message).unwrap();
                println!("{MARK}");
            }
            "storm" => {
                let mut numbers = rest.split(' ').map(|number| number.parse::<u32>().unwrap());
                let (rate, secs) = (numbers.next().unwrap(), numbers.next().unwrap());
                words.storm.store(rate, Relaxed);
                std::thread::sleep(Duration::from_secs(u64::from(secs)));
                words.storm.store(0, Relaxed);
                std::thread::sleep(Duration::from_millis(100));
                println!("{MARK}{}", words.taken.swap(0, Relaxed));
            }
            "level" => {
                connect_ear(client.as_client());
                words.peak.store(0, Relaxed);
                std::thread::sleep(Duration::from_millis(200));
                println!("{MARK}{}", f32::from_bits(words.peak.load(Relaxed)));
            }
            "end" => return,
            other => panic!("{other}"),
        }
    }
}

/// A server that is busy with the end of a client it lost refuses the next for a moment.
fn connect() -> Client {
    for _ in 0..50 {
        if let Ok((client, _)) = Client::new(CLIENT, ClientOptions::NO_START_SERVER)
            && !must_open_again()
        {
            return client;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the server takes no client");
}

/// Connects the program's first output to our ear, if that is not done.
fn connect_ear(client: &Client) {
    let ear = format!("{CLIENT}:ear");
    let outputs = client.ports(None, Some("32 bit float mono audio"), PortFlags::IS_OUTPUT);
    let output = outputs.iter().find(|name| !name.starts_with("system:"));
    if let Some(output) = output {
        // It may be there already.
        let _connected = client.connect_ports_by_name(output, &ear);
    }
}

#[derive(Default)]
struct Words {
    storm: AtomicU32,
    taken: AtomicU64,
    peak: AtomicU32,
}

struct Hands {
    out: Port<MidiOut>,
    ear: Port<AudioIn>,
    messages: rtrb::Consumer<[u8; 3]>,
    words: Arc<Words>,
    /// Messages of the storm that are due.
    due: f64,
    sent: u32,
}

impl jack::ProcessHandler for Hands {
    fn process(&mut self, client: &Client, scope: &ProcessScope) -> Control {
        let peak = self
            .ear
            .as_slice(scope)
            .iter()
            .fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        self.words.peak.fetch_max(peak.to_bits(), Relaxed);
        let mut writer = self.out.writer(scope);
        while let Ok(message) = self.messages.pop() {
            let length = match message[0] >> 4 {
                0xC | 0xD => 2,
                0xF => 1,
                _ => 3,
            };
            let bytes = &message[..length];
            writer.write(&RawMidi { time: 0, bytes }).unwrap();
        }
        let rate = f64::from(self.words.storm.load(Relaxed));
        if rate == 0.0 {
            self.due = 0.0;
            return Control::Continue;
        }
        let frames = scope.n_frames();
        self.due += rate * f64::from(frames) / f64::from(client.sample_rate());
        let count = self.due as u32;
        self.due -= f64::from(count);
        for at in 0..count {
            let bytes = [0xB0, (self.sent % 64) as u8, (self.sent / 64 % 128) as u8];
            let message = RawMidi {
                time: at * frames / count,
                bytes: &bytes,
            };
            if writer.write(&message).is_ok() {
                self.words.taken.fetch_add(1, Relaxed);
            }
            self.sent += 1;
        }
        Control::Continue
    }
}
