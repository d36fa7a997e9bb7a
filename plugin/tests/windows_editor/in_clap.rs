//! In a CLAP host's window.
#![allow(unsafe_code)]

use std::ptr::null_mut;
use std::time::{Duration, Instant};

use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use clack_host::prelude::*;
use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::System::Threading::GetCurrentProcessId;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    DestroyWindow, IsWindowVisible, PostMessageW, SWP_NOMOVE, SWP_NOZORDER, SetWindowPos,
    WM_LBUTTONDOWN,
};

use crate::host::{Instance, Told, noise, state_of};
use crate::win::{
    children, is_alive, kill, pixels_drawn, process_of, pull_knob, pump, screen_in, size_of_window,
    stop, window,
};
use crate::{BLOCK, PATIENCE, PLAIN, RATE_HZ, bundled};

const WIN32: GuiConfiguration<'static> = GuiConfiguration {
    api_type: GuiApiType::WIN32,
    is_floating: false,
};

/// An instance with its editor open in a window of the host's.
struct Open {
    instance: Instance,
    gui: PluginGui,
    window: HWND,
    socket: HWND,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    blocks: u64,
}

impl Open {
    fn new(entry: &PluginEntry) -> Self {
        let mut instance = Instance::new(entry);
        assert!(instance.load_state(&state_of(PLAIN)));
        instance.start(RATE_HZ, BLOCK as u32);
        let gui = instance.plugin.plugin_handle().get_extension();
        let mut open = Self {
            instance,
            gui: gui.expect("an editor"),
            window: null_mut(),
            socket: null_mut(),
            input: vec![Vec::new(); 2],
            output: vec![Vec::new(); 2],
            blocks: 0,
        };
        open.open();
        open
    }

    fn open(&mut self) {
        let handle = self.instance.plugin.plugin_handle();
        assert!(self.gui.is_api_supported(&handle, WIN32));
        self.gui.create(&handle, WIN32).expect("an editor");
        let size = self.gui.get_size(&handle).expect("a size");
        self.window = window((size.width as i32, size.height as i32));
        // SAFETY: the window is there until the editor is closed.
        unsafe {
            let parent = Window::from_win32_hwnd(self.window);
            self.gui.set_parent(&handle, parent).expect("a parent");
        }
        self.gui.show(&handle).expect("it is shown");
        self.socket = children(self.window)[0];
    }

    fn close(&mut self) {
        let handle = self.instance.plugin.plugin_handle();
        self.gui.destroy(&handle);
        pump();
        // SAFETY: this thread's own window.
        unsafe { DestroyWindow(self.window) };
        pump();
    }

    fn screen(&self) -> Option<HWND> {
        screen_in(self.socket)
    }

    /// The window that words are written on while they are.
    fn notice(&self) -> Option<HWND> {
        // SAFETY: asks for a number.
        let own = unsafe { GetCurrentProcessId() };
        let is_it = |window: &HWND| {
            // SAFETY: a number that is no window's is not seen.
            process_of(*window) == own && unsafe { IsWindowVisible(*window) } != 0
        };
        children(self.socket).into_iter().find(is_it)
    }

    fn process(&mut self) {
        self.blocks += 1;
        let input = noise(self.blocks, 2, BLOCK);
        let output = self.instance.process(&input, &[]);
        for channel in 0..2 {
            self.input[channel].extend(&input[channel]);
            self.output[channel].extend(&output[channel]);
        }
    }

    /// Sound and messages for a while, as in a host.
    fn play(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.process();
            pump();
            self.instance.plugin.call_on_main_thread_callback();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn play_until<T>(&mut self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: waited for in vain");
            self.play(Duration::from_millis(20));
        }
    }

    /// Until there is a screen as large as the socket is, and it has had time to draw its rack.
    fn wait_for_screen(&mut self) -> HWND {
        let screen = self.play_until("a screen", |open| {
            let screen = open.screen()?;
            (size_of_window(screen) == size_of_window(open.socket) && open.notice().is_none())
                .then_some(screen)
        });
        self.play(Duration::from_secs(2));
        screen
    }

    fn drag(&mut self, screen: HWND) {
        pull_knob(screen, |time| self.play(time));
    }

    /// By how many decibels the last blocks came out louder than they went in.
    fn gain_db(&self) -> f64 {
        let energy = |channels: &[Vec<f32>]| -> f64 {
            let last = &channels[0][channels[0].len() - 4 * BLOCK..];
            last.iter().map(|sample| f64::from(*sample).powi(2)).sum()
        };
        10.0 * (energy(&self.output) / energy(&self.input)).log10()
    }
}

#[test]
fn a_screen_is_dragged_resized_hung_killed_and_back_inside_a_window_of_the_hosts() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = bundled(folder.path());
    // SAFETY: it is the library that this package has built, and its initialisers only set statics.
    let entry = unsafe { PluginEntry::load(&plugin) }.expect("the library loads");
    let mut open = Open::new(&entry);
    let screen = open.wait_for_screen();
    let process = process_of(screen);
    let id = open.instance.id("Gain Gain");
    let before = open.instance.value(id);
    assert_eq!(open.instance.told, [], "opening moves nothing");

    // Its window follows the host's.
    for (width, height) in [(1_100, 700), (900, 600)] {
        let handle = open.instance.plugin.plugin_handle();
        open.gui
            .set_size(&handle, GuiSize { width, height })
            .expect("a size");
        let size = (width as i32, height as i32);
        // SAFETY: this thread's own window.
        unsafe {
            let place = SWP_NOMOVE | SWP_NOZORDER;
            SetWindowPos(
                open.window,
                null_mut(),
                0,
                0,
                size.0 + 16,
                size.1 + 40,
                place,
            );
        }
        open.play_until("the screen's new size", |_| {
            (size_of_window(screen) == size).then_some(())
        });
        open.play(Duration::from_millis(500));
    }

    // It stands still: words stand over it, until it goes on.
    stop(process, true);
    open.play_until("words over it", |open| {
        open.notice().filter(|notice| pixels_drawn(*notice) > 200)
    });
    stop(process, false);
    assert_eq!(process_of(open.wait_for_screen()), process);

    // It dies twice: it is back by itself, then words stand in its place and a click brings it back.
    kill(process);
    let second = open.play_until("another screen", |open| {
        open.screen()
            .filter(|screen| process_of(*screen) != process)
    });
    open.wait_for_screen();
    kill(process_of(second));
    let notice = open.play_until("words in its place", |open| {
        open.notice().filter(|notice| pixels_drawn(*notice) > 200)
    });
    // SAFETY: the window is this thread's own.
    unsafe { PostMessageW(notice, WM_LBUTTONDOWN, 1, 0) };
    let screen = open.wait_for_screen();

    // None of it was heard.
    let mut other = Instance::new(&entry);
    assert!(other.load_state(&state_of(PLAIN)));
    other.start(RATE_HZ, BLOCK as u32);
    for block in 0..open.blocks {
        let at = block as usize * BLOCK;
        let output = other.process(&noise(block + 1, 2, BLOCK), &[]);
        for (channel, output) in output.iter().enumerate() {
            let is_same = output[..] == open.output[channel][at..at + BLOCK];
            assert!(is_same, "block {block}, channel {channel}");
        }
    }
    assert_eq!(open.instance.told, [], "nothing was moved");

    // A drag is one gesture of one parameter, heard as it says.
    open.drag(screen);
    let told = std::mem::take(&mut open.instance.told);
    assert_eq!(told.first(), Some(&Told::Begin(id)), "{told:?}");
    assert_eq!(told.last(), Some(&Told::End(id)), "{told:?}");
    let is_of_it = |told: &Told| matches!(told, Told::Set(of, _) if *of == id);
    assert!(told.len() > 4 && told[1..told.len() - 1].iter().all(is_of_it));
    let value = open.instance.value(id);
    assert!(value < before);
    let text = open.instance.text(id, value);
    let said: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
    assert!(said < -1.0, "{text}");
    let heard = open.gain_db();
    assert!((heard - said).abs() < 0.1, "{heard} dB heard, {text} said");

    // It goes with its editor.
    let process = process_of(screen);
    assert!(is_alive(process));
    open.close();
    open.play_until("the end of the screen", |_| {
        (!is_alive(process)).then_some(())
    });
}
