//! The CLAP in Qtractor: a host that never comes back to its main thread, and, where the system has no MIDI
//! sequencer, never calls either. (Where it has none Qtractor's engine does not start, nothing plays, and the host
//! takes no parameter: what it does with one is not to be seen here.)

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::display::{
    Stage, files_and_threads, move_mouse, on_a_display, screens_of, wait_for, xdotool,
};
use crate::guest::{Ended, Guest, KILLS, KNOB, window_manager};

/// In the mixer's window: the box of the plugins of the only output.
const BOX: (i32, i32) = (519, 47);
/// On the screen: what adds a module, and the first of those that are offered.
const ADD: (i32, i32) = (115, 90);
const GAIN: (i32, i32) = (115, 196);

/// The program, and the server that it wants.
struct Qtractor<'a> {
    stage: &'a Stage,
    process: Ended,
    mixer: u32,
    _jackd: Ended,
}

fn session(folder: &str, plugin: &str) -> String {
    format!(
        r#"<!DOCTYPE qtractor-session>
<session name="t" version="0.9.31">
 <properties>
  <directory>{folder}</directory>
  <sample-rate>48000</sample-rate>
 </properties>
 <devices>
  <audio-engine>
   <audio-bus mode="duplex" name="Master">
    <channels>2</channels>
    <output-plugins>
     <plugin type="CLAP">
      <filename>{plugin}</filename>
      <index>0</index>
      <label>Headroom</label>
      <activated>1</activated>
     </plugin>
    </output-plugins>
   </audio-bus>
  </audio-engine>
  <midi-engine/>
 </devices>
 <tracks/>
</session>
"#
    )
}

fn quietly(command: &mut Command) -> Ended {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    Ended(command.stderr(Stdio::null()).spawn().expect("it starts"))
}

impl<'a> Qtractor<'a> {
    fn start(stage: &'a Stage) -> Self {
        // Always the same: a server that is killed keeps its place, and there are eight.
        let server = "headroom-qtractor";
        let jackd = quietly(
            Command::new("jackd")
                .args(["-n", server, "-r", "-S", "-d", "dummy", "-r", "48000"])
                .env("JACK_NO_AUDIO_RESERVATION", "1"),
        );
        let mut waits = Command::new("jack_wait");
        let up = waits.args(["-s", server, "-w", "-t", "10"]).output();
        assert!(up.expect("jack_wait").status.success());
        let folder = stage.bundle.path();
        let plugin = stage.bundle.plugin();
        let file = folder.join("t.qtr");
        let text = session(&folder.to_string_lossy(), &plugin.to_string_lossy());
        std::fs::write(&file, text).expect("it is written");
        let process = quietly(
            Command::new("qtractor")
                .arg(file)
                .env("JACK_DEFAULT_SERVER", server)
                .env("QT_QPA_PLATFORM", "xcb"),
        );
        // It says that there is no sequencer, and that nothing will play.
        let told = wait_for("what it says", || stage.named("Error"));
        sleep(Duration::from_secs(1));
        xdotool(&["windowfocus", "--sync", &told.to_string()]);
        xdotool(&["key", "Return"]);
        let window = wait_for("Qtractor's window", || stage.named("t.qtr"));
        sleep(Duration::from_secs(2));
        xdotool(&["windowfocus", "--sync", &window.to_string()]);
        xdotool(&["key", "F9"]);
        let mixer = wait_for("the mixer", || stage.named("Mixer"));
        sleep(Duration::from_secs(1));
        Self {
            stage,
            process,
            mixer,
            _jackd: jackd,
        }
    }

    fn pid(&self) -> u32 {
        self.process.0.id()
    }

    fn open(&self) -> Guest<'a> {
        let (x, y) = self.stage.point(self.mixer, BOX);
        move_mouse(x, y);
        sleep(Duration::from_millis(300));
        xdotool(&["click", "--repeat", "2", "--delay", "120", "1"]);
        Guest::wait(self.stage, self.pid())
    }

    fn window(&self) -> u32 {
        wait_for("its window", || self.stage.named("Headroom - Master"))
    }

    fn close(&self) {
        self.stage.close(self.window());
        wait_for("no screen", || {
            screens_of(self.pid()).is_empty().then_some(())
        });
        sleep(Duration::from_millis(300));
    }
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs Qtractor"]
fn qtractor_has_an_editor_though_it_never_comes_to_its_main_thread() {
    on_a_display(|stage| {
        let _openbox = window_manager();
        let host = Qtractor::start(stage);
        let guest = host.open();
        assert_eq!(guest.size(), (900, 600));

        // A module from the list, and its knob: seen where it was put, though the host takes neither.
        let text = |guest: &Guest<'_>| {
            // Inside the frame of what has the keyboard.
            let (x, y) = stage.point(guest.socket, (KNOB.0 - 34, KNOB.1 + 24));
            stage.picture(x as i16, y as i16, 68, 18)
        };
        let empty = text(&guest);
        guest.click(ADD);
        guest.click(GAIN);
        move_mouse(1_990, 1_390);
        sleep(Duration::from_secs(1));
        let added = text(&guest);
        assert_ne!(empty, added, "the knob's text");
        guest.drag(KNOB, (0, 60));
        sleep(Duration::from_secs(1));
        stage.keep_picture("qtractor");
        let dragged = text(&guest);
        assert_ne!(added, dragged);

        // By the program's window; by its own corner, which nobody grants.
        let window = host.window();
        xdotool(&["windowsize", &window.to_string(), "1040", "700"]);
        wait_for("the window's size", || {
            (guest.size() == (1_040, 700)).then_some(())
        });
        guest.pull((-50, -30));
        wait_for("the size from before", || {
            (guest.size() == (1_040, 700)).then_some(())
        });

        let clicks = guest.kill(KILLS);
        eprintln!("{KILLS} kills, {clicks} by a click");
        wait_for("the same on the next screen", || {
            (dragged == text(&guest)).then_some(())
        });
        host.close();
    });
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs Qtractor"]
fn qtractor_opens_and_closes_and_keeps_nothing() {
    on_a_display(|stage| {
        let _openbox = window_manager();
        let host = Qtractor::start(stage);
        let mut counts = Vec::new();
        for _ in 0..20 {
            host.open();
            host.close();
            counts.push(files_and_threads(host.pid()));
        }
        eprintln!("descriptors and threads: {counts:?}");
        assert_eq!(counts[2], counts[19], "{counts:?}");
    });
}
