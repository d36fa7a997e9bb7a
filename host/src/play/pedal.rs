//! Signals that press the panic button, for scripts and foot switches: SIGUSR1 presses it, SIGUSR2
//! releases it. Two, and not one that toggles: whoever presses in a panic does not know how it stands.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use headroom_engine::PanicButton;

use super::error::PlayError;

/// Listens for the signals of a panic, on a thread of its own, for as long as the program runs.
pub(super) struct Pedal {
    wire: Arc<Mutex<Wire>>,
}

/// From the pedal to the button, which comes later and may change.
#[derive(Default)]
struct Wire {
    /// Pressed when there was no button yet.
    is_pressed_early: bool,
    button: Option<PanicButton>,
}

fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pedal {
    /// `[main]` Listens from now on; what comes before there is a button is kept for it.
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, PlayError> {
        use headroom_engine::realtime::enlist_thread;
        use signal_hook::consts::SIGUSR1;
        use signal_hook::consts::SIGUSR2;

        let failed = |source| PlayError::System {
            doing: "listen for SIGUSR1 and SIGUSR2",
            source,
        };
        let mut signals =
            signal_hook::iterator::Signals::new([SIGUSR1, SIGUSR2]).map_err(failed)?;
        let wire = Arc::new(Mutex::new(Wire::default()));
        let pressed = Arc::clone(&wire);
        std::thread::Builder::new()
            .name("headroom-pedal".to_owned())
            .spawn(move || {
                let _enlisted = enlist_thread("pedal");
                for signal in signals.forever() {
                    lock(&pressed).set(signal == SIGUSR1);
                }
            })
            .map_err(failed)?;
        Ok(Self { wire })
    }

    /// `[main]` There are no such signals here.
    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, PlayError> {
        Ok(Self {
            wire: Arc::default(),
        })
    }

    /// `[main]` Moves `button` from now on, and at once if the pedal was pressed before there was one.
    pub(super) fn connect(&self, button: &PanicButton) {
        let mut wire = lock(&self.wire);
        wire.button = Some(button.clone());
        if std::mem::take(&mut wire.is_pressed_early) {
            button.press();
        }
    }
}

impl Wire {
    #[cfg_attr(not(unix), expect(dead_code))]
    fn set(&mut self, is_pressed: bool) {
        match &self.button {
            Some(button) if is_pressed => button.press(),
            Some(button) => button.release(),
            None => self.is_pressed_early = is_pressed,
        }
    }
}
