//! What the person sees: a rail of pages on the left, what always matters at the top and on the right,
//! and one page between them.

mod add;
mod bar;
mod blocks;
mod chain;
mod device;
mod editor;
mod graph;
mod handle;
mod heading;
mod health;
mod history;
mod master;
mod messages;
mod meters;
mod plot;
mod presets;
mod rail;
mod scope;
mod standing;
mod tempo;
mod treemap;

pub use plot::{Plane, Scale};
pub use treemap::{Node, layout as treemap_layout, tree as treemap_tree};

use crate::hands::Hands;
use crate::model::Picture;
use crate::sound::Averaging;
use crate::theme::{Look, Theme, space};
use egui::{Key, Modifiers, Rect, Ui, pos2};
use headroom_ipc::Command;
use headroom_ipc::board::ModuleInfo;
use std::collections::HashMap;

/// The pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// The chain, and the module that is worked on.
    #[default]
    Rack,
    /// Levels, spectrum, stereo image.
    Meters,
    /// What the audio thread does, and where its memory is.
    Health,
    /// Racks to be loaded.
    Presets,
    /// Where sound comes from and goes to, and what MIDI moves.
    Device,
}

/// What is remembered from frame to frame, and is nobody else's business.
#[derive(Debug)]
pub struct Screen {
    /// The page that is shown.
    pub page: Page,
    /// Dark or light.
    pub look: Look,
    /// How fast spectra follow.
    pub averaging: Averaging,
    /// By how much a spectrum is tilted, in decibels per octave.
    pub slope_db: f32,
    /// The highest of a spectrum is shown.
    pub is_holding: bool,
    /// The module that is worked on, by its id.
    selected: Option<String>,
    /// Of each module the handle that was taken last.
    handles: HashMap<String, usize>,
    taps: tempo::Taps,
    chain: chain::Memory,
    health: health::Memory,
    presets: presets::Memory,
    device: device::Memory,
}

impl Screen {
    /// A screen that has seen nothing yet.
    pub fn new(look: Look) -> Self {
        Self {
            page: Page::default(),
            look,
            averaging: Averaging::default(),
            slope_db: 4.5,
            is_holding: false,
            selected: None,
            handles: HashMap::new(),
            taps: tempo::Taps::default(),
            chain: chain::Memory::default(),
            health: health::Memory::default(),
            presets: presets::Memory::default(),
            device: device::Memory::default(),
        }
    }

    /// `[any]` Whether the page shows sound, so that it is worth the work of looking at it.
    pub fn wants_sound(&self) -> bool {
        matches!(self.page, Page::Rack | Page::Meters)
    }

    /// `[main]` Draws everything, and gives to `hands` what is done.
    pub fn show(&mut self, ui: &mut Ui, picture: &mut Picture, hands: &mut Hands) {
        self.choose_module(picture);
        self.shortcuts(ui, picture, hands);
        // Up to the edges: a root may come with a margin.
        let whole = ui.ctx().content_rect();
        ui.set_clip_rect(whole);
        let theme = Theme::of(ui);
        ui.painter().rect_filled(whole, 0.0, theme.ground);
        let rail = Rect::from_min_max(whole.min, pos2(whole.min.x + rail::WIDTH, whole.max.y));
        let bar = Rect::from_min_max(
            rail.right_top(),
            pos2(whole.max.x, whole.min.y + bar::HEIGHT),
        );
        let master = Rect::from_min_max(
            pos2(whole.max.x - master::WIDTH, bar.max.y),
            whole.right_bottom(),
        );
        let page = Rect::from_min_max(bar.left_bottom(), master.left_bottom())
            .shrink2(egui::vec2(space::TINY, space::TINY));
        if page.width() < 40.0 || page.height() < 40.0 {
            return;
        }
        rail::show(ui, rail, self, picture, hands);
        bar::show(ui, bar, self, picture, hands);
        master::show(ui, master.shrink(space::TINY), picture);
        if picture.has_rack() {
            match self.page {
                Page::Rack => self.rack(ui, page, picture, hands),
                Page::Meters => meters::show(ui, page, self, picture),
                Page::Health => health::show(ui, page, &mut self.health, picture),
                Page::Presets => presets::show(ui, page, &mut self.presets, picture, hands),
                Page::Device => device::show(ui, page, self, picture, hands),
            }
        } else {
            standing::show(ui, page, picture);
        }
        bar::notes(ui, page, picture);
    }

    fn rack(&mut self, ui: &mut Ui, page: Rect, picture: &Picture, hands: &mut Hands) {
        let strip = Rect::from_min_max(page.min, pos2(page.max.x, page.min.y + chain::HEIGHT));
        let below = Rect::from_min_max(
            pos2(page.min.x, strip.max.y + space::TINY),
            page.right_bottom(),
        );
        chain::show(ui, strip, self, picture, hands);
        editor::show(ui, below, self, picture, hands);
    }

    /// `[main]` Works on the module `id`.
    pub fn select(&mut self, id: &str) {
        self.selected = Some(id.to_owned());
    }

    fn selected<'a>(&self, picture: &'a Picture) -> Option<(usize, &'a ModuleInfo)> {
        picture.description.module(self.selected.as_deref()?)
    }

    /// The module that is worked on may have gone.
    fn choose_module(&mut self, picture: &Picture) {
        if self.selected(picture).is_none() {
            let first = picture.modules().next();
            self.selected = first.map(|(_, module, _)| module.id.clone());
        }
    }

    fn shortcuts(&mut self, ui: &Ui, picture: &Picture, hands: &mut Hands) {
        if ui.ctx().text_edit_focused() {
            return;
        }
        let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        let plain = |key| pressed(Modifiers::NONE, key);
        for (key, page) in [
            (Key::F1, Page::Rack),
            (Key::F2, Page::Meters),
            (Key::F3, Page::Health),
            (Key::F4, Page::Presets),
            (Key::F5, Page::Device),
        ] {
            if plain(key) {
                self.page = page;
            }
        }
        if !picture.has_rack() {
            return;
        }
        let description = &picture.description;
        if plain(Key::P) {
            let on = !description.panic;
            hands.act(Command::Panic { on });
        }
        if plain(Key::M) {
            let on = !description.muted;
            hands.act(Command::Mute { on });
        }
        if !picture.is_in_host() && plain(Key::R) {
            let on = !description.recording;
            hands.act(Command::Record { on });
        }
        if plain(Key::T) {
            tempo::tap(ui, &mut self.taps, picture, hands);
        }
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
            || pressed(Modifiers::COMMAND, Key::Y)
        {
            hands.act(Command::Redo);
        }
        if pressed(Modifiers::COMMAND, Key::Z) {
            hands.act(Command::Undo);
        }
        if plain(Key::C) {
            let slot = 1 - description.compared.min(1);
            hands.act(Command::Compare { slot });
        }
        if let Some(target) = &description.learning
            && plain(Key::Escape)
        {
            let target = target.clone();
            hands.act(Command::Learn { target, on: false });
        }
    }
}
