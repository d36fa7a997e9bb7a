//! The window: opened by itself or inside another program's, drawn when something changed and not more
//! often than can be seen.

mod card;
mod embedded;
mod face;
mod gl;
mod hand;
mod inside;
mod options;
mod paper;
mod reader;

use crate::hands::Hands;
use crate::link::{Line, Source, Wants};
use crate::model::Picture;
use crate::pace::Pace;
use crate::view::Screen;
use egui_winit::accesskit_winit::Event;
use face::Face;
use hand::Hand;
use reader::Bell;
use std::time::{Duration, Instant};
use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::window::WindowId;

pub use options::{DrawnBy, Options, WindowError};

/// How often the program is looked at while something moves.
const PERIOD: Duration = Duration::from_millis(33);
/// How often while nothing has moved for a while.
const IDLE_PERIOD: Duration = Duration::from_millis(100);
/// How often while the window cannot be seen.
const HIDDEN_PERIOD: Duration = Duration::from_secs(1);
/// The same inside a plugin's host, which takes a screen that does not look for one that hangs.
const HIDDEN_INSIDE_PERIOD: Duration = Duration::from_millis(200);
/// Two frames are never closer than this, whatever the mouse does.
const SHORTEST: Duration = Duration::from_micros(16_600);
/// How long a picture is drawn before it is kept.
const SETTLED: Duration = Duration::from_secs(1);

/// `[main]` Opens the window and stays until it is closed.
///
/// # Errors
///
/// There is no display, or none that can be drawn on.
pub fn run(options: Options) -> Result<(), WindowError> {
    let mut builder = EventLoop::with_user_event();
    if options.parent.is_some() {
        inside::choose_display(&mut builder);
    }
    let events = builder.build()?;
    let mut app = App::new(options, events.create_proxy());
    events.run_app(&mut app)?;
    app.say_stats();
    match app.error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

struct App {
    options: Options,
    bell: Bell,
    line: Line,
    picture: Picture,
    hands: Hands,
    screen: Screen,
    face: Option<Face>,
    error: Option<WindowError>,
    next_look: Instant,
    looked: Instant,
    /// When figures that are seldom looked at may change.
    pace: Pace,
    moved: Instant,
    drawn: Option<Instant>,
    first_frame: Option<Duration>,
    frames: u64,
    /// How often it was looked whether anything is to be drawn.
    passes: u64,
    /// Something changed that is not drawn yet.
    stale: bool,
    /// egui wants to be drawn then.
    wanted: Option<Instant>,
    hidden: bool,
    /// Other windows lie over all of it.
    covered: bool,
    hand: Hand,
    /// The picture that was asked for is kept.
    is_done: bool,
}

impl App {
    fn new(mut options: Options, bell: Bell) -> Self {
        let source = std::mem::replace(&mut options.source, Source::Newest);
        let now = Instant::now();
        let mut screen = Screen::new(options.look);
        screen.page = options.page;
        Self {
            line: Line::new(source),
            picture: Picture::default(),
            hands: Hands::default(),
            screen,
            face: None,
            error: None,
            next_look: now,
            looked: now,
            pace: Pace::default(),
            moved: now,
            drawn: None,
            first_frame: None,
            frames: 0,
            passes: 0,
            stale: true,
            wanted: None,
            hidden: false,
            covered: false,
            hand: Hand::default(),
            is_done: false,
            bell,
            options,
        }
    }

    fn say_stats(&self) {
        if self.options.has_stats {
            let first_ms = self.first_frame.unwrap_or_default().as_secs_f64() * 1_000.0;
            let secs = self.options.started.elapsed().as_secs_f64();
            eprintln!(
                "first frame {first_ms:.0} ms; {} frames in {secs:.1} s",
                self.frames
            );
        }
    }

    /// Looks at the program, if it is time.
    fn look(&mut self, now: Instant) {
        if now < self.next_look {
            return;
        }
        self.see_whether_hidden();
        let wants = Wants {
            sound: self.screen.wants_sound() && !self.hidden,
            health: self
                .pace
                .is_due(now.duration_since(self.looked).as_secs_f32()),
            averaging: self.screen.averaging,
        };
        self.looked = now;
        if self.line.look(&mut self.picture, &mut self.hands, wants) {
            self.stale = true;
            self.moved = now;
        }
        if self.options.parent.is_some()
            && let Some(face) = &mut self.face
        {
            self.stale |= embedded::follow_scale(face, &self.picture);
        }
        let period = if self.hidden && self.options.parent.is_some() {
            HIDDEN_INSIDE_PERIOD
        } else if self.hidden {
            HIDDEN_PERIOD
        } else if now.duration_since(self.moved) > Duration::from_secs(2) {
            IDLE_PERIOD
        } else {
            PERIOD
        };
        // From when it should have been, so that thirty a second are thirty.
        self.next_look = (self.next_look + period).max(now + period / 2);
    }

    fn see_whether_hidden(&mut self) {
        let keyboard = self.face.as_ref().and_then(|face| face.keyboard.as_ref());
        let is_shown = keyboard.is_none_or(inside::Keyboard::is_shown);
        let was_hidden = std::mem::replace(&mut self.hidden, self.covered || !is_shown);
        self.stale |= was_hidden && !self.hidden;
    }

    /// Draws what changed; `is_uncovered` if the display has lost the picture.
    fn draw(&mut self, is_uncovered: bool) -> Result<(), WindowError> {
        let Some(face) = &mut self.face else {
            return Ok(());
        };
        if is_uncovered {
            face.uncover();
        }
        let now = Instant::now();
        let input = face.take_input();
        let (screen, picture, hands) = (&mut self.screen, &mut self.picture, &mut self.hands);
        let is_inside = self.options.parent.is_some();
        let mut output = face.ctx.run_ui(input, |ui| {
            screen.show(ui, picture, hands);
            if is_inside {
                embedded::grip(ui.ctx());
            }
        });
        self.line.send(picture, hands);
        let window = &face.window;
        self.wanted = None;
        for (_, viewport) in output.viewport_output {
            self.wanted = now.checked_add(viewport.repaint_delay);
            let mut actions = Vec::new();
            egui_winit::process_viewport_commands(
                &face.ctx,
                &mut face.info,
                viewport.commands,
                window,
                &mut actions,
            );
        }
        face.reader.tell(&mut output.platform_output);
        face.input
            .handle_platform_output(window, output.platform_output);
        let is_new = face.paint(
            output.shapes,
            output.textures_delta,
            output.pixels_per_point,
        );
        if is_new || is_uncovered {
            face.show()?;
            self.frames += 1;
        }
        self.passes += 1;
        self.drawn = Some(now);
        self.stale = false;
        self.first_frame
            .get_or_insert_with(|| self.options.started.elapsed());
        self.keep_picture()
    }

    /// Keeps the picture that was just drawn, if one was asked for and it has settled.
    fn keep_picture(&mut self) -> Result<(), WindowError> {
        let settled = self.options.started.elapsed() > SETTLED && self.passes > 3;
        let Some(face) = self.face.as_ref().filter(|_| settled) else {
            return Ok(());
        };
        let Some(path) = self.options.screenshot.take() else {
            return Ok(());
        };
        let size = face.size();
        let image = face.picture();
        let write = || -> std::io::Result<()> {
            let file = std::fs::File::create(&path)?;
            let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), size[0], size[1]);
            encoder.set_color(png::ColorType::Rgba);
            encoder.set_compression(png::Compression::High);
            let mut writer = encoder.write_header()?;
            writer.write_image_data(&image)?;
            writer.finish()?;
            Ok(())
        };
        write().map_err(|error| WindowError::Screenshot { path, error })?;
        self.is_done = true;
        Ok(())
    }

    fn fail(&mut self, events: &ActiveEventLoop, error: WindowError) {
        self.error = Some(error);
        events.exit();
    }
}

impl ApplicationHandler<Event> for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.face.is_some() {
            return;
        }
        match Face::open(events, &self.options, &self.bell) {
            Ok(face) => {
                self.look(Instant::now());
                face.window.request_redraw();
                self.face = Some(face);
            }
            Err(error) => self.fail(events, error),
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(face) = &mut self.face else {
            return;
        };
        match &event {
            WindowEvent::CloseRequested => {
                events.exit();
                return;
            }
            WindowEvent::Destroyed => {
                self.fail(events, WindowError::Destroyed);
                return;
            }
            WindowEvent::RedrawRequested => {
                // Nobody here asks for one but at the beginning: the display does.
                if let Err(error) = self.draw(true) {
                    self.fail(events, error);
                }
                return;
            }
            WindowEvent::Resized(size) => face.resize(*size),
            WindowEvent::Occluded(hidden) => {
                self.covered = *hidden;
                self.next_look = Instant::now();
            }
            WindowEvent::MouseInput { state, .. } if state.is_pressed() => {
                if let Some(keyboard) = &face.keyboard {
                    keyboard.take();
                }
            }
            _ => {}
        }
        face.reader.follow(&face.window, &event);
        if !self.hand.passes(&event) {
            return;
        }
        self.stale |= face.input.on_window_event(&face.window, &event).repaint;
        if let Some(left) = self.hand.take_leave(&event) {
            self.stale |= face.input.on_window_event(&face.window, &left).repaint;
        }
    }

    fn user_event(&mut self, _: &ActiveEventLoop, event: Event) {
        if let Some(face) = &mut self.face {
            face.take_asked(event.window_event);
            self.stale = true;
        }
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let now = Instant::now();
        self.look(now);
        if self.is_done || self.line.is_over() {
            events.exit();
            return;
        }
        // A picture that was asked for is taken whether anything moves or not.
        if self.wanted.is_some_and(|wanted| wanted <= now) || self.options.screenshot.is_some() {
            self.stale = true;
        }
        let shortest = if self.hidden { HIDDEN_PERIOD } else { SHORTEST };
        let ready = self.drawn.map_or(now, |drawn| drawn + shortest);
        let mut wake = self.next_look;
        if self.stale {
            if ready <= now {
                if let Err(error) = self.draw(false) {
                    self.fail(events, error);
                    return;
                }
            } else {
                wake = wake.min(ready);
            }
        }
        if let Some(wanted) = self.wanted {
            wake = wake.min(wanted.max(ready));
        }
        events.set_control_flow(ControlFlow::WaitUntil(wake));
    }

    fn exiting(&mut self, _: &ActiveEventLoop) {
        // While there is a display to be told.
        self.face = None;
    }
}
