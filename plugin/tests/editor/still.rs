//! Hosts that do not play while somebody is at the screen, and one that knows nothing but how to load a plugin.
// The host's windows are given by their numbers.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clack_extensions::gui::{GuiApiType, GuiConfiguration, PluginGui, Window};
use clack_extensions::state::PluginState;
use clack_host::prelude::*;

use crate::display::{move_mouse, on_a_display, wait_for, xdotool};
use crate::host::Told;
use crate::host::asked::Asked;
use crate::open::{KNOB, Open, load, plain, size};

#[test]
fn what_is_done_while_the_host_does_not_play_goes_out_with_a_flush() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let id = open.instance.id("Gain Gain");
        let before = open.instance.value(id);
        open.instance.stop();
        open.take_told();
        let count = |open: &Open<'_>, of: fn(&Asked) -> &AtomicUsize| {
            open.instance
                .asked(|asked| of(asked).load(Ordering::SeqCst))
        };
        let flushes = count(&open, |asked| &asked.flushes);
        move_mouse(KNOB.0, KNOB.1);
        std::thread::sleep(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            move_mouse(KNOB.0, KNOB.1 + 6 * step);
            std::thread::sleep(Duration::from_millis(40));
        }
        xdotool(&["mouseup", "1"]);
        let callbacks = count(&open, |asked| &asked.callbacks);
        wait_for("the end of the gesture", || {
            (count(&open, |asked| &asked.callbacks) > callbacks).then_some(())
        });
        assert!(
            count(&open, |asked| &asked.flushes) > flushes,
            "it is asked to flush"
        );
        assert_eq!(open.instance.value(id), before, "and not passed by");
        open.instance.set(&[]);
        let told = open.take_told();
        assert_eq!(told.first(), Some(&Told::Begin(id)), "{told:?}");
        assert_eq!(told.last(), Some(&Told::End(id)), "{told:?}");
        let Told::Set(_, last) = told[told.len() - 2] else {
            panic!("{told:?}");
        };
        assert!(last < before);
        assert_eq!(open.instance.value(id), last);
        let dirty = count(&open, |asked| &asked.dirty);
        open.instance.plugin.call_on_main_thread_callback();
        assert_eq!(
            count(&open, |asked| &asked.dirty),
            dirty + 1,
            "the project is another"
        );
        open.instance.plugin.call_on_main_thread_callback();
        assert_eq!(count(&open, |asked| &asked.dirty), dirty + 1, "said once");
        open.close();
    });
}

/// A host without any extension.
struct Bare;
struct Nothing;

impl SharedHandler<'_> for Nothing {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

impl HostHandlers for Bare {
    type Shared<'a> = Nothing;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

#[test]
fn a_host_that_knows_no_extension_has_an_editor_all_the_same() {
    on_a_display(|stage| {
        let entry = load(stage);
        let info = HostInfo::new("bare host", "Headroom", "", "1").expect("no zeros");
        let id = c"org.headroom.strip";
        let plugin = PluginInstance::<Bare>::new(|_| Nothing, |_| (), &entry, id, &info);
        let mut plugin = plugin.expect("an instance");
        let handle = plugin.plugin_handle();
        let state: PluginState = handle.get_extension().expect("states");
        state.load(&handle, &mut &plain()[..]).expect("it is taken");
        let gui: PluginGui = handle.get_extension().expect("an editor");
        let x11 = GuiConfiguration {
            api_type: GuiApiType::X11,
            is_floating: false,
        };
        gui.create(&handle, x11).expect("it opens");
        assert!(gui.create(&handle, x11).is_err(), "one at a time");
        let window = stage.window(0, 0, (900, 600));
        // SAFETY: the window is there until the editor is closed.
        unsafe { gui.set_parent(&handle, Window::from_x11_handle(window.into())) }
            .expect("a parent");
        gui.show(&handle).expect("it is shown");
        let socket = stage.socket(window);
        wait_for("a screen", || stage.has_screen(socket).then_some(()));
        gui.set_size(&handle, size(800, 500)).expect("another size");
        plugin.call_on_main_thread_callback();
        let handle = plugin.plugin_handle();
        gui.destroy(&handle);
        assert!(gui.show(&handle).is_err(), "it is closed");
        // And again, so that an instance goes with its editor open.
        gui.create(&handle, x11).expect("it opens again");
        drop(plugin);
        stage.destroy(window);
    });
}
