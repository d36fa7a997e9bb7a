//! A screen reader: once one listens it is told in words what is drawn, and what it does arrives as if by hand.
//! While none does, nothing is put into words.

use egui::{PlatformOutput, accesskit};
use egui_winit::accesskit_winit::{Adapter, Event, WindowEvent as Asked};
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoopProxy};
use winit::window::Window;

/// How the thread that talks to readers wakes the main thread.
pub(super) type Bell = EventLoopProxy<Event>;

/// The way to the system's readers.
pub(super) struct Reader {
    adapter: Adapter,
    listens: bool,
}

impl Reader {
    /// `[main]` For `window`, which has not been shown yet.
    pub(super) fn open(events: &ActiveEventLoop, window: &Window, bell: &Bell) -> Self {
        Self {
            adapter: Adapter::with_event_loop_proxy(events, window, bell.clone()),
            listens: false,
        }
    }

    /// `[main]` A reader has come, has gone, or does something, which is put among `input`.
    pub(super) fn take(
        &mut self,
        asked: Asked,
        ctx: &egui::Context,
        input: &mut egui::RawInput,
        window: &Window,
    ) {
        match asked {
            Asked::InitialTreeRequested => {
                self.listens = true;
                ctx.enable_accesskit();
                let place = WindowEvent::Resized(window.inner_size());
                self.adapter.process_event(window, &place);
            }
            Asked::ActionRequested(request) => {
                let event = egui::Event::AccessKitActionRequest(request);
                input.events.push(event);
            }
            Asked::AccessibilityDeactivated => {
                self.listens = false;
                ctx.disable_accesskit();
            }
        }
    }

    /// `[main]` What happens to the window. Where it stands is asked of the display: only for somebody who
    /// listens, for to ask a window that somebody has destroyed ends the process.
    pub(super) fn follow(&mut self, window: &Window, event: &WindowEvent) {
        let is_place = matches!(event, WindowEvent::Moved(_) | WindowEvent::Resized(_));
        if self.listens || !is_place {
            self.adapter.process_event(window, event);
        }
    }

    /// `[main]` Tells what was drawn, if somebody listens.
    pub(super) fn tell(&mut self, output: &mut PlatformOutput) {
        let Some(mut update) = output.accesskit_update.take() else {
            return;
        };
        name_window(&mut update);
        self.adapter.update_if_active(|| update);
    }
}

fn name_window(update: &mut accesskit::TreeUpdate) {
    let root = update.tree.as_ref().map(|tree| tree.root);
    let mut nodes = update.nodes.iter_mut();
    if let Some((_, window)) = nodes.find(|(id, _)| Some(*id) == root) {
        window.set_label("Headroom");
    }
}
