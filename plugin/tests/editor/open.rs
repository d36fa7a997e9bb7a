//! An instance with its editor open in a window of the host's.
// The host's windows are given by their numbers.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use clack_host::prelude::*;

use crate::display::{Stage, move_mouse, screens_of, xdotool};
use crate::host::{Instance, Set, Told, noise, state_of};

pub(crate) const RATE_HZ: f64 = 48_000.0;
pub(crate) const BLOCK: usize = 512;
const X11: GuiConfiguration<'static> = GuiConfiguration {
    api_type: GuiApiType::X11,
    is_floating: false,
};
/// Where the knob of the only module is, in points from the corner of a screen of 900 by 600.
pub(crate) const KNOB: (i32, i32) = (136, 240);
/// Deaths that a screen is put to.
pub(crate) const KILLS: usize = 20;

pub(crate) fn plain() -> Vec<u8> {
    state_of("headroom = 1\nname = \"Plain\"\n\n[[module]]\nkind = \"gain\"\n")
}

pub(crate) fn size(width: u32, height: u32) -> GuiSize {
    GuiSize { width, height }
}

/// An instance with its editor open in a window of the host's.
pub(crate) struct Open<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) instance: Instance,
    pub(crate) window: u32,
    pub(crate) socket: u32,
    pub(crate) gui: PluginGui,
    /// What has gone in, and come out.
    pub(crate) input: Vec<Vec<f32>>,
    pub(crate) output: Vec<Vec<f32>>,
    random: u64,
    /// Nothing goes in.
    pub(crate) is_silent: bool,
    /// What the host says of how large it draws, if anything.
    scale: Option<f64>,
    /// The host comes back to its main thread when it is asked to; some never do.
    pub(crate) answers: bool,
}

impl<'a> Open<'a> {
    pub(crate) fn new(stage: &'a Stage, entry: &PluginEntry, x: i16, y: i16) -> Self {
        let mut instance = Instance::new(entry);
        assert!(instance.load_state(&plain()));
        Self::of(stage, instance, (x, y), None)
    }

    /// The editor of this one, in a host that draws as large as it says.
    pub(crate) fn of(
        stage: &'a Stage,
        mut instance: Instance,
        (x, y): (i16, i16),
        scale: Option<f64>,
    ) -> Self {
        let channels = instance.channels;
        instance.start(RATE_HZ, BLOCK as u32);
        let handle = instance.plugin.plugin_handle();
        let gui: PluginGui = handle.get_extension().expect("an editor");
        let mut open = Self {
            stage,
            instance,
            window: 0,
            socket: 0,
            gui,
            input: vec![Vec::new(); channels],
            output: vec![Vec::new(); channels],
            random: 7,
            is_silent: false,
            answers: false,
            scale,
        };
        open.open(x, y);
        open
    }

    /// As hosts do it: the size first, then the window, then all of it is shown.
    pub(crate) fn open(&mut self, x: i16, y: i16) {
        let handle = self.instance.plugin.plugin_handle();
        assert!(self.gui.is_api_supported(&handle, X11));
        self.gui.create(&handle, X11).expect("an editor");
        if let Some(scale) = self.scale {
            self.gui.set_scale(&handle, scale).expect("a scale");
        }
        assert!(self.gui.can_resize(&handle));
        let asked = self.gui.get_size(&handle).expect("a size");
        self.window = self.stage.window(x, y, (asked.width, asked.height));
        let parent = Window::from_x11_handle(self.window.into());
        // SAFETY: the window is there until the editor is closed.
        unsafe { self.gui.set_parent(&handle, parent) }.expect("a parent");
        self.gui.show(&handle).expect("it is shown");
        self.socket = self.stage.socket(self.window);
    }

    pub(crate) fn close(&mut self) {
        let handle = self.instance.plugin.plugin_handle();
        self.gui.destroy(&handle);
        self.stage.destroy(self.window);
    }

    /// One block of noise.
    pub(crate) fn process(&mut self, sets: &[Set]) {
        self.random += 1;
        let channels = self.input.len();
        let input = if self.is_silent {
            vec![vec![0.0; BLOCK]; channels]
        } else {
            noise(self.random, channels, BLOCK)
        };
        let output = self.instance.process(&input, sets);
        for channel in 0..channels {
            self.input[channel].extend(&input[channel]);
            self.output[channel].extend(&output[channel]);
        }
    }

    /// Sound for a while, as a host makes it: a block each ten milliseconds.
    pub(crate) fn play(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.process(&[]);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until it is so; a host comes back to its main thread all the while.
    pub(crate) fn play_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            if self.answers {
                self.instance.plugin.call_on_main_thread_callback();
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{what}: waited for in vain"
            );
            self.process(&[]);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until the screen is seen, with the rack on it.
    pub(crate) fn wait_for_screen(&mut self) {
        self.play_until("a screen", |open| open.stage.has_screen(open.socket));
        self.play(Duration::from_millis(500));
    }

    pub(crate) fn screen_pid(&self) -> Option<u32> {
        screens_of(std::process::id())
            .into_iter()
            .find(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok())
    }

    /// By how many decibels the last blocks came out louder than they went in.
    pub(crate) fn gain_db(&self) -> f64 {
        let energy = |channels: &[Vec<f32>]| -> f64 {
            let last = &channels[0][channels[0].len() - 4 * BLOCK..];
            last.iter().map(|sample| f64::from(*sample).powi(2)).sum()
        };
        10.0 * (energy(&self.output) / energy(&self.input)).log10()
    }

    /// Takes hold of the knob, pulls it `dy` points down, and lets go.
    pub(crate) fn drag(&mut self, from: (i32, i32), dy: i32) {
        move_mouse(from.0, from.1);
        self.play(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            move_mouse(from.0, from.1 + dy * step / 10);
            self.play(Duration::from_millis(40));
        }
        xdotool(&["mouseup", "1"]);
        self.play(Duration::from_millis(300));
        move_mouse(1_990, 1_390);
        self.play(Duration::from_millis(300));
    }

    /// What the host was told of one parameter since it last looked.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.instance.told)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.stage.keep_picture("panicked");
    }
}

/// A plugin loaded from a bundle.
pub(crate) fn load(stage: &Stage) -> PluginEntry {
    // SAFETY: it is the library that this package has built, and its initialisers only set statics.
    unsafe { PluginEntry::load(stage.bundle.plugin()) }.expect("the library loads")
}

/// What came out of a rack at 0 dB that nobody touched: what another instance makes of the same, without an
/// editor.
pub(crate) fn assert_untouched(open: &Open<'_>, entry: &PluginEntry) {
    let mut other = Instance::new(entry);
    assert!(other.load_state(&plain()));
    other.start(RATE_HZ, BLOCK as u32);
    for (block, at) in (0..open.input[0].len()).step_by(BLOCK).enumerate() {
        let input = [0, 1].map(|channel| open.input[channel][at..at + BLOCK].to_vec());
        let output = other.process(&input, &[]);
        for (channel, output) in output.iter().enumerate() {
            let is_same = output[..] == open.output[channel][at..at + BLOCK];
            assert!(is_same, "block {block}, channel {channel}");
        }
    }
}
