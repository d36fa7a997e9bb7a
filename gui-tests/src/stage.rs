//! A screen on a stage: a real segment in front of it, hands to be moved, pictures to be taken.

use crate::engine::{Engine, metered};
use crate::music;
use crate::software::Software;
use egui_kittest::{Harness, TestRenderer};
use headroom_gui::hands::Hands;
use headroom_gui::link::{Line, Source, Wants};
use headroom_gui::model::Picture;
use headroom_gui::sound::Averaging;
use headroom_gui::spectrum::FRAMES;
use headroom_gui::theme::{self, Look};
use headroom_gui::view::{Page, Screen};

/// What the harness keeps.
#[derive(Debug)]
pub struct Stage {
    /// The other side.
    pub engine: Engine,
    /// The line between them.
    pub line: Line,
    /// What is drawn.
    pub picture: Picture,
    /// What is done.
    pub hands: Hands,
    /// How it is drawn.
    pub screen: Screen,
    /// The engine answers nobody for now.
    pub is_slow: bool,
    /// The picture stays as it was put.
    pub is_frozen: bool,
}

/// How a stage is set.
#[derive(Debug, Clone)]
pub struct Set {
    /// Dark or light.
    pub look: Look,
    /// The page.
    pub page: Page,
    /// The kinds in the rack.
    pub modules: Vec<u16>,
    /// Points of the window.
    pub size: (f32, f32),
    /// Pixels of a point.
    pub scale: f32,
    /// Seconds of sound that were played.
    pub secs: f32,
    /// How loud.
    pub gain: f32,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            look: Look::Dark,
            page: Page::Rack,
            modules: vec![0, 1, 2, 3],
            size: (900.0, 600.0),
            scale: 1.0,
            secs: 7.0,
            gain: 0.6,
        }
    }
}

impl Stage {
    /// A stage as `set`; the sound is the same every time.
    ///
    /// # Panics
    ///
    /// The system gives no memory for a segment.
    pub fn new(set: &Set) -> Self {
        let (server, client) = headroom_ipc::pair().expect("the system gives memory for a segment");
        let engine = Engine::new(server, &set.modules);
        let mut screen = Screen::new(set.look);
        screen.page = set.page;
        let mut stage = Self {
            engine,
            line: Line::of(client, Source::Given(None)),
            picture: Picture::default(),
            hands: Hands::default(),
            screen,
            is_slow: false,
            is_frozen: false,
        };
        stage.look();
        stage.play(set.secs, set.gain);
        stage
    }

    /// Ends the engine, as if its process had died.
    ///
    /// # Panics
    ///
    /// The system gives no memory for another segment.
    pub fn end_engine(&mut self) {
        let (server, _) = headroom_ipc::pair().expect("the system gives memory for a segment");
        self.engine = Engine::new(server, &[]);
    }

    /// Brings the picture up to date with the board, without sound and meters: those depend on the
    /// clock.
    pub fn look(&mut self) {
        let wants = Wants {
            sound: false,
            health: true,
            averaging: Averaging::Medium,
        };
        self.line.look(&mut self.picture, &mut self.hands, wants);
    }

    /// Lets `secs` of sound be seen, thirty times a second.
    pub fn play(&mut self, secs: f32, gain: f32) {
        let step = 1_600;
        let steps = (secs * 30.0) as usize;
        let lanes = self.picture.description.modules.len();
        let scaled = |frames: Vec<[f32; 2]>| -> Vec<[f32; 2]> {
            frames
                .into_iter()
                .map(|frame| frame.map(|sample| sample * gain))
                .collect()
        };
        for index in 0..steps {
            let end = (index + 1) as u64 * step as u64;
            let before = scaled(music::frames(end - step as u64, step));
            let after = music::after(&before);
            self.picture
                .levels
                .take(&metered(end, &after, lanes), 1.0 / 30.0);
            self.picture.sound.measure(&after, music::RATE_HZ);
            if index + 12 > steps {
                let before = scaled(music::frames(end.saturating_sub(FRAMES as u64), FRAMES));
                let after = music::after(&before);
                let sound = &mut self.picture.sound;
                sound.look(
                    &before,
                    &after,
                    music::RATE_HZ,
                    Averaging::Medium,
                    1.0 / 10.0,
                );
            }
        }
    }

    /// One frame: what is done goes to the engine, what it says comes back.
    pub fn frame(&mut self, ui: &mut egui::Ui) {
        self.screen.show(ui, &mut self.picture, &mut self.hands);
        if self.is_frozen {
            return;
        }
        self.line.send(&mut self.picture, &mut self.hands);
        if !self.is_slow {
            self.engine.obey();
        }
        self.look();
    }
}

/// A harness around a stage.
pub fn harness(set: &Set) -> Harness<'static, Stage> {
    harness_of(Stage::new(set), set)
}

/// A harness around this stage.
pub fn harness_of(stage: Stage, set: &Set) -> Harness<'static, Stage> {
    harness_drawn_by(stage, set, Software::default())
}

/// A harness around this stage, drawn by `renderer`.
pub fn harness_drawn_by(
    stage: Stage,
    set: &Set,
    renderer: impl TestRenderer + 'static,
) -> Harness<'static, Stage> {
    let look = set.look;
    let theme = match look {
        Look::Dark => egui::Theme::Dark,
        Look::Light => egui::Theme::Light,
    };
    Harness::builder()
        .with_size(egui::vec2(set.size.0, set.size.1))
        .with_pixels_per_point(set.scale)
        .with_theme(theme)
        .with_render_cursor(false)
        // As on a screen: each event is a frame, and a double-click has to be quick enough.
        .with_step_dt(1.0 / 60.0)
        .renderer(renderer)
        .with_context_setup(move |ctx| theme::install(ctx, look))
        .build_ui_state(|ui, stage: &mut Stage| stage.frame(ui), stage)
}
