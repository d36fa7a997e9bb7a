//! The VST3 in Ardour 7, on its own engine without a device: its window, and what it records of a hand.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::ardour::{Home, run};
use crate::display::{Stage, move_mouse, on_a_display, screens_of, wait_for, xdotool};
use crate::guest::{Ended, Guest, KILLS, KNOB, window_manager};

const STRIP: &str = "headroom = 1\nname = \"Strip\"\n\n[[module]]\nkind = \"gain\"\n";

/// As a user has it who has chosen that engine, and the mixer.
const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="try-autostart-engine" value="1"/>
    <Option name="hide-dummy-backend" value="0"/>
  </Config>
  <Extra>
    <AudioMIDISetup>
      <EngineStates>
        <State backend="None (Dummy)" driver="Normal Speed" device="Silence" input-device="" output-device="" sample-rate="48000" buffer-size="1024" n-periods="0" input-latency="0" output-latency="0" lm-input="" lm-output="" active="1" use-buffered-io="0" midi-option="1 in, 1 out, Silence" lru="1">
          <MIDIDevices/>
        </State>
      </EngineStates>
    </AudioMIDISetup>
  </Extra>
</Ardour>
"#;
const WINDOW: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<instant>
  <Main x="0" y="0" w="1348" h="1300" current-tab="mixer"/>
</instant>
"#;
/// In that window: the button that shows the mixer, and the plugin's box in the strip of the only track.
const MIXER: (i32, i32) = (1_326, 72);
const BOX: (i32, i32) = (328, 276);

/// The program, with a session in which the gain is automated by touch.
struct Ardour<'a> {
    stage: &'a Stage,
    process: Ended,
    window: u32,
    session: PathBuf,
}

impl<'a> Ardour<'a> {
    fn start(stage: &'a Stage) -> Self {
        let home = Home::new(&stage.bundle.path().join("home"), STRIP);
        let screen = home.binaries().join("headroom-gui");
        std::os::unix::fs::symlink(stage.bundle.screen(), screen).expect("a link");
        let folder = home.path().join("session");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/in_windows/session.lua");
        let words = ["ardour7-lua", script.to_str().expect("UTF-8")];
        let make = &mut home.command(&words);
        run(make.env("HEADROOM_FOLDER", &folder), "saved");
        let settings = home.settings();
        let write = |name: &str, text: &str| {
            std::fs::write(settings.join(name), text).expect("it is written");
        };
        write("config", SETTINGS);
        write("instant.xml", WINDOW);
        // It has been started before: no questions.
        write(".a7", "");
        let session = folder.join("session.ardour");
        let file = session.to_str().expect("UTF-8");
        let words = ["ardour", "--no-announcements", "--no-splash", file];
        let process = home
            .command(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = Ended(process.expect("it starts"));
        let window = wait_for("Ardour's window", || stage.named("session - Ardour"));
        sleep(Duration::from_secs(2));
        Self {
            stage,
            process,
            window,
            session,
        }
    }

    fn pid(&self) -> u32 {
        self.process.0.id()
    }

    fn click(&self, at: (i32, i32), times: &str) {
        let (x, y) = self.stage.point(self.window, at);
        move_mouse(x, y);
        sleep(Duration::from_millis(300));
        xdotool(&["click", "--repeat", times, "--delay", "120", "1"]);
        sleep(Duration::from_millis(500));
    }

    fn open(&self) -> Guest<'a> {
        self.click(MIXER, "1");
        sleep(Duration::from_secs(1));
        self.click(BOX, "2");
        Guest::wait(self.stage, self.pid())
    }

    fn plugins_window(&self) -> u32 {
        wait_for("its window", || self.stage.named("Headroom (by Headroom)"))
    }

    /// A key, in the program's own window.
    fn key(&self, key: &str) {
        xdotool(&["windowfocus", "--sync", &self.window.to_string()]);
        sleep(Duration::from_millis(200));
        xdotool(&["key", key]);
        sleep(Duration::from_millis(500));
    }

    /// Saves the session, and reads what it says of the one parameter that is automated by touch: values.
    fn automation(&self) -> Vec<f64> {
        let modified = || std::fs::metadata(&self.session).and_then(|it| it.modified());
        let before = modified().expect("a session");
        self.key("ctrl+s");
        wait_for("a saved session", || {
            (modified().ok()? > before).then_some(())
        });
        let text = std::fs::read_to_string(&self.session).expect("a session");
        let (_, list) = text.split_once("state=\"Touch\">").expect("one by touch");
        let (_, events) = list.split_once("<events>").expect("events");
        let (events, _) = events.split_once("</events>").expect("an end");
        let value = |line: &str| line.split_whitespace().nth(1)?.parse().ok();
        events.lines().filter_map(value).collect()
    }
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs Ardour"]
fn ardour_records_a_drag_as_automation_and_lives_through_its_screens() {
    on_a_display(|stage| {
        let _openbox = window_manager();
        let host = Ardour::start(stage);
        let guest = host.open();
        assert_eq!(guest.size(), (900, 600));
        assert_eq!(screens_of(host.pid()).len(), 1);

        // It plays, and a hand is at the knob.
        host.key("space");
        guest.drag(KNOB, (0, 60));
        stage.keep_picture("ardour");
        host.key("space");
        let values = host.automation();
        eprintln!("recorded: {values:?}");
        assert!(values.len() > 5, "{values:?}");
        assert_eq!(values[0], 0.75, "0 dB");
        let least = values.iter().copied().fold(1.0, f64::min);
        assert!(least < 0.7, "{values:?}");

        // The screen's corner takes the window along, and the window the screen.
        guest.pull((60, 30));
        wait_for("a larger screen", || {
            (guest.size() == (960, 630)).then_some(())
        });
        let window = host.plugins_window();
        let (_, bar) = stage.size(window);
        let bar = bar - 630;
        xdotool(&["windowsize", &window.to_string(), "1000", "720"]);
        wait_for("the window's size", || {
            (guest.size() == (1_000, 720 - bar)).then_some(())
        });

        let clicks = guest.kill(KILLS);
        eprintln!("{KILLS} kills, {clicks} by a click");
        // What is done at the last of them is recorded as at the first.
        host.key("space");
        guest.drag(KNOB, (0, 30));
        host.key("space");
        let more = host.automation();
        eprintln!("recorded: {more:?}");
        assert!(more.len() > values.len() + 5, "{more:?}");
        // Ardour keeps what is closed: the same screen, not seen, and seen again.
        let screens = screens_of(host.pid());
        stage.close(window);
        wait_for("no screen to be seen", || {
            stage.sockets().is_empty().then_some(())
        });
        host.click(BOX, "2");
        Guest::wait(stage, host.pid());
        assert_eq!(screens_of(host.pid()), screens);
    });
}
