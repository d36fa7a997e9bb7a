//! Screens, scripts and people at other terminals: lets them in, shows them the board, does what they ask.

use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::Board;
use headroom_engine::Catalog;
use headroom_engine::RackSpec;
use headroom_engine::kinds;
use headroom_ipc::Server;
use headroom_ipc::board::KindInfo;
use headroom_ipc::board::ModuleInfo;
use headroom_ipc::board::PresetInfo;
use headroom_ipc::screen::Screen;
use headroom_ipc::screen::ScreenNews;

use super::Session;
use crate::presets;

/// Between two looks while somebody is attached: a knob should not stick.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// Between two descriptions: undo's words, the device, presets.
const DESCRIPTION: Duration = Duration::from_millis(50);
/// Between two readings of the health.
const HEALTH: Duration = Duration::from_millis(100);
/// Between two of what costs more: the presets' folder, the system's view of the memory.
const SLOW: Duration = Duration::from_secs(2);
/// Messages that are kept for who comes later.
const MESSAGES: usize = 20;

/// What there is of it.
pub(in crate::play) struct Remote {
    pub(super) server: Server,
    pub(super) catalog: Catalog,
    pub(super) kinds: Vec<KindInfo>,
    pub(super) presets: Vec<PresetInfo>,
    /// Which of the two racks that are compared plays, and the other one, once there is one.
    pub(super) compared: u8,
    pub(super) other: Option<RackSpec>,
    pub(super) messages: VecDeque<String>,
    board: Board,
    modules: Vec<ModuleInfo>,
    screen: Option<Screen>,
    described: Due,
    healthy: Due,
    slow: Due,
}

/// When something is due again.
#[derive(Default)]
struct Due(Option<Instant>);

impl Due {
    /// Whether it is; it is done now then.
    fn is_due(&mut self, period: Duration) -> bool {
        let is_due = self.0.is_none_or(|done| done.elapsed() >= period);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}

impl Remote {
    /// `[main]` What `server` is shown, and who comes in by it.
    pub(in crate::play) fn new(server: Server) -> Self {
        let catalog = Catalog::builtin();
        Self {
            kinds: kinds(&catalog),
            catalog,
            server,
            presets: Vec::new(),
            compared: 0,
            other: None,
            messages: VecDeque::new(),
            board: Board::default(),
            modules: Vec::new(),
            screen: None,
            described: Due::default(),
            healthy: Due::default(),
            slow: Due::default(),
        }
    }

    /// `[main]` Opens the screen. What there is to say if that fails.
    pub(in crate::play) fn open_screen(&mut self) -> Result<(), String> {
        let program =
            Screen::find().ok_or_else(|| headroom_ipc::screen::ScreenError::Missing.to_string())?;
        let screen = Screen::start(program, Vec::new(), &mut self.server);
        self.screen = Some(screen.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Whether somebody is attached.
    pub(super) fn is_watched(&self) -> bool {
        self.server.is_watched()
    }

    /// Keeps a message for screens.
    pub(super) fn hear(&mut self, message: &str) {
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(message.to_owned());
    }

    /// What became of the screen, in words, if anything.
    fn look_after_screen(&mut self) -> Option<&'static str> {
        match self.screen.as_mut()?.look(&mut self.server) {
            ScreenNews::Same => None,
            ScreenNews::Closed => Some("the screen was closed: `headroom gui` opens another"),
            ScreenNews::Renewed => Some("warning: the screen died and was started anew"),
            ScreenNews::GivenUp => {
                Some("warning: the screen dies again and again: sound goes on without it")
            }
        }
    }

    /// The rack is another one: the board is shown at once.
    pub(super) fn hurry(&mut self) {
        self.described = Due::default();
    }
}

impl Session<'_> {
    /// Lets clients in, does what they ask, shows them what there is.
    pub(super) fn look_at_clients(&mut self) {
        let Some(remote) = &mut self.remote else {
            return;
        };
        let calling = self.lost.is_none();
        remote.server.beat(calling);
        let told = remote.look_after_screen();
        let news = remote.server.look();
        if news.arrived > 0 {
            remote.slow = Due::default();
        }
        if let Some(told) = told {
            self.say(told);
        }
        let mut done = Vec::with_capacity(news.commands.len());
        for incoming in news.commands {
            let result = self.obey(&incoming.command);
            done.push((incoming, result));
        }
        self.show(!done.is_empty());
        // Behind the board: who sees the answer sees what it speaks of.
        if let Some(remote) = &mut self.remote {
            for (incoming, result) in done {
                remote.server.reply(&incoming, result);
            }
        }
    }

    /// Shows what has changed, if anybody looks.
    fn show(&mut self, must: bool) {
        let Some(remote) = &mut self.remote else {
            return;
        };
        if !remote.is_watched() {
            return;
        }
        let slow = remote.slow.is_due(SLOW);
        if slow {
            remote.presets = presets::infos(&remote.catalog);
        }
        let description = remote.described.is_due(DESCRIPTION) || must;
        let health = remote.healthy.is_due(HEALTH);
        if description {
            remote.modules = Board::modules(&self.open.controller, &remote.kinds);
            let modules = remote.modules.clone();
            let description = self.description(modules);
            if let Some(remote) = &mut self.remote
                && !remote.server.describe(&description)
            {
                tracing::warn!("the rack is too large for the board");
            }
        }
        let health = health.then(|| self.health_info());
        let memory = slow.then(|| self.memory_info());
        let Some(remote) = &mut self.remote else {
            return;
        };
        remote
            .board
            .show(&self.open.controller, &remote.modules, &mut remote.server);
        if let Some(health) = health {
            remote.server.show_health(&health);
        }
        if let Some(memory) = memory {
            remote.server.show_memory(&memory);
        }
    }
}
