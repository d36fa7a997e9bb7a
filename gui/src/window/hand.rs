//! What the mouse holds.

use winit::event::WindowEvent;

/// Whether the mouse holds something. A knob that is held stays so outside of the window, whose end it is not
/// told of before it is let go of.
#[derive(Debug, Default)]
pub(super) struct Hand {
    buttons: u32,
    left: Option<WindowEvent>,
}

impl Hand {
    /// `[main]` Whether an event is told now.
    pub(super) fn passes(&mut self, event: &WindowEvent) -> bool {
        match event {
            WindowEvent::CursorLeft { .. } if self.buttons > 0 => {
                self.left = Some(event.clone());
                return false;
            }
            WindowEvent::CursorEntered { .. } => self.left = None,
            WindowEvent::MouseInput { state, .. } if state.is_pressed() => self.buttons += 1,
            WindowEvent::MouseInput { .. } => self.buttons = self.buttons.saturating_sub(1),
            _ => {}
        }
        true
    }

    /// `[main]` What is told behind `event`: that the mouse is out, once it holds nothing.
    pub(super) fn take_leave(&mut self, event: &WindowEvent) -> Option<WindowEvent> {
        let is_let_go = matches!(event, WindowEvent::MouseInput { .. }) && self.buttons == 0;
        is_let_go.then(|| self.left.take()).flatten()
    }
}
