//! In a VST3 host's window.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

use vst3_host::audio::AudioBuffers;
use vst3_host::{Plugin, Vst3Host, WindowHandle};
use windows_sys::Win32::UI::WindowsAndMessaging::DestroyWindow;

use crate::host::{self, state_of};
use crate::win::{
    children, is_alive, kill, process_of, pull_knob, pump, screen_in, size_of_window, window,
};
use crate::{BLOCK, PATIENCE, PLAIN, RATE_HZ, add_screen};

#[test]
fn a_vst3_hosts_window_has_a_screen_that_is_dragged_resized_killed_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = host::bundle(folder.path());
    add_screen(&path.join("Contents/x86_64-win"));
    let builder = Vst3Host::builder().sample_rate(RATE_HZ).block_size(BLOCK);
    let mut host = builder.build().expect("a host");
    let mut plugin = host.load_plugin(&path).expect("it loads");
    let state = state_of(PLAIN);
    plugin.load_state(&state[8..]).expect("it is loaded");
    plugin.start_processing().expect("it starts");
    let window = window((900, 600));
    // SAFETY: the window is there until the editor is closed.
    let parent = unsafe { WindowHandle::from_hwnd(window) };
    plugin.open_editor(parent).expect("an editor");
    let socket = children(window)[0];

    // Gives by how much the last block came out louder than it went in.
    let play = |plugin: &mut Plugin, time: Duration| {
        let (start, mut gain_db) = (Instant::now(), f64::NAN);
        while start.elapsed() < time {
            let mut buffers = AudioBuffers::new(2, 2, BLOCK, RATE_HZ);
            buffers.inputs = vec![vec![0.25; BLOCK]; 2];
            plugin.process_audio(&mut buffers).expect("it processes");
            gain_db = 20.0 * f64::from(buffers.outputs[0][BLOCK - 1] / 0.25).log10();
            pump();
            std::thread::sleep(Duration::from_millis(10));
        }
        gain_db
    };
    let wait = |plugin: &mut Plugin, what: &str, is_so: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < PATIENCE, "{what}: waited for in vain");
            play(plugin, Duration::from_millis(20));
        }
        play(plugin, Duration::from_secs(2))
    };
    wait(&mut plugin, "a screen", &|| screen_in(socket).is_some());
    let first = process_of(screen_in(socket).expect("it is there"));
    plugin.resize_editor(1_100, 700).expect("a size");
    let is_as_large = || screen_in(socket).map(size_of_window) == Some((1_100, 700));
    wait(&mut plugin, "the screen's new size", &is_as_large);
    plugin.resize_editor(900, 600).expect("a size");
    kill(first);
    let before_db = wait(&mut plugin, "another screen", &|| {
        screen_in(socket).is_some_and(|screen| {
            process_of(screen) != first && size_of_window(screen) == (900, 600)
        })
    });
    assert!(before_db.abs() < 0.001, "{before_db} dB: nobody touched it");
    let screen = screen_in(socket).expect("it is there");
    let mut after_db = f64::NAN;
    pull_knob(screen, |time| after_db = play(&mut plugin, time));
    assert!(after_db < -1.0, "{after_db} dB");
    let process = process_of(screen);
    assert!(is_alive(process));
    plugin.close_editor().expect("it closes");
    wait(&mut plugin, "the end of the screen", &|| !is_alive(process));
    // SAFETY: this thread's own window.
    unsafe { DestroyWindow(window) };
    pump();
}
