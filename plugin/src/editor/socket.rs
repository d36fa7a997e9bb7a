//! The window under the host's that the screen lives in, by X11 and nothing else: it outlives the screen, and
//! says a few words where that is missing.

use x11rb::connection::{Connection, SequenceNumber};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeGCAux, ConfigureWindowAux, ConnectionExt as _, CreateGCAux, CreateWindowAux,
    EventMask, PropMode, StackMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT};

use super::SocketNews;

/// As the screen's ground. The highest byte is for displays that draw through what has none.
const GROUND: u32 = 0xff0e_1013;
const INK: u32 = 0xff9d_a6b2;
/// Fonts that every X server has, for a display of usual dots and of small ones.
const FONTS: [[&str; 2]; 2] = [["7x14", "fixed"], ["12x24", "10x20"]];

/// The window.
pub(crate) struct Socket {
    connection: RustConnection,
    window: u32,
    /// Lies over the screen while there are words.
    notice: u32,
    ink: u32,
    /// Of the words: one character, in pixels, and how far down they stand in it.
    character: (i16, i16, i16),
    words: Vec<String>,
    size: (u32, u32),
    child: Option<Child>,
    is_gone: bool,
}

/// The screen's own window.
#[derive(Debug, Clone, Copy)]
struct Child {
    window: u32,
    size: (u32, u32),
    /// When it was last made to fit: what is older says nothing any more.
    fitted: SequenceNumber,
}

/// `[main]` How large this display draws, as its settings say; 1 where they do not.
pub(crate) fn display_scale() -> f64 {
    let dots = || {
        let (connection, _) = x11rb::connect(None).ok()?;
        let settings = x11rb::resource_manager::new_from_default(&connection).ok()?;
        settings.get_value::<f64>("Xft.dpi", "").ok()?
    };
    dots().map_or(1.0, |dots_an_inch| (dots_an_inch / 96.0).clamp(1.0, 3.0))
}

impl Socket {
    /// `[main]` A window that nobody sees yet.
    ///
    /// # Errors
    ///
    /// There is no display, or it refuses.
    pub(crate) fn open(size: (u32, u32), scale: f64) -> Result<Self, String> {
        let (connection, screen) = x11rb::connect(None).map_err(|why| why.to_string())?;
        let root = connection.setup().roots[screen].root;
        Self::make(connection, root, size, scale).map_err(|why| why.to_string())
    }

    fn make(
        connection: RustConnection,
        root: u32,
        size: (u32, u32),
        scale: f64,
    ) -> Result<Self, ReplyOrIdError> {
        let window = connection.generate_id()?;
        let (width, height) = (side(size.0), side(size.1));
        // A host's window manager has no business with it.
        let of_window = CreateWindowAux::new()
            .background_pixel(GROUND)
            .border_pixel(GROUND)
            .override_redirect(1)
            .event_mask(EventMask::STRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_NOTIFY);
        connection
            .create_window(
                COPY_DEPTH_FROM_PARENT,
                window,
                root,
                0,
                0,
                width,
                height,
                0,
                WindowClass::INPUT_OUTPUT,
                COPY_FROM_PARENT,
                &of_window,
            )?
            .check()?;
        // Hosts that embed by XEmbed ask for it; it is shown by us, not by them.
        let info = connection
            .intern_atom(false, b"_XEMBED_INFO")?
            .reply()?
            .atom;
        connection.change_property32(PropMode::REPLACE, window, info, info, &[0, 0])?;
        let name = b"Headroom";
        connection.change_property8(
            PropMode::REPLACE,
            window,
            AtomEnum::WM_NAME,
            AtomEnum::STRING,
            name,
        )?;
        let notice = connection.generate_id()?;
        let of_notice = CreateWindowAux::new()
            .background_pixel(GROUND)
            .event_mask(EventMask::EXPOSURE | EventMask::BUTTON_PRESS);
        connection
            .create_window(
                COPY_DEPTH_FROM_PARENT,
                notice,
                window,
                0,
                0,
                width,
                height,
                0,
                WindowClass::INPUT_OUTPUT,
                COPY_FROM_PARENT,
                &of_notice,
            )?
            .check()?;
        let (font, character) = font(&connection, scale)?;
        let ink = connection.generate_id()?;
        let of_ink = CreateGCAux::new()
            .foreground(INK)
            .background(GROUND)
            .font(font);
        connection.create_gc(ink, notice, &of_ink)?.check()?;
        connection.close_font(font)?;
        connection.flush()?;
        Ok(Self {
            connection,
            window,
            notice,
            ink,
            character,
            words: Vec::new(),
            size,
            child: None,
            is_gone: false,
        })
    }

    /// `[any]` Its number, for the screen.
    pub(crate) fn id(&self) -> Option<u32> {
        Some(self.window)
    }

    /// `[main]` The host draws this large from now on: so are the words.
    pub(crate) fn rescale(&mut self, scale: f64) {
        let changed = || -> Result<Character, ReplyOrIdError> {
            let (font, character) = font(&self.connection, scale)?;
            let of_ink = ChangeGCAux::new().font(font);
            self.connection.change_gc(self.ink, &of_ink)?;
            self.connection.close_font(font)?;
            Ok(character)
        };
        // Without another font they stay as they are.
        if let Ok(character) = changed() {
            self.character = character;
            self.draw();
        }
    }

    /// `[main]` Puts it under the host's window.
    pub(crate) fn set_parent(&self, parent: u32) -> Result<(), String> {
        let put = || -> Result<(), ReplyError> {
            let under = self.connection.reparent_window(self.window, parent, 0, 0)?;
            under.check()
        };
        put().map_err(|why| why.to_string())
    }

    /// `[main]` Shows or hides it.
    pub(crate) fn show(&self, on: bool) {
        self.tell(|display| {
            if on {
                display.map_window(self.window)?;
            } else {
                display.unmap_window(self.window)?;
            }
            Ok(())
        });
    }

    /// `[main]` The host has made its window as large as the screen made itself: that goes on as it does, it may
    /// be about to be another.
    pub(crate) fn follow(&mut self, size: (u32, u32)) {
        self.resize_around(size);
    }

    /// `[main]` The host has made its window this large.
    pub(crate) fn resize(&mut self, size: (u32, u32)) {
        self.resize_around(size);
        self.fit_child();
    }

    fn resize_around(&mut self, size: (u32, u32)) {
        self.size = size;
        let to = ConfigureWindowAux::new().width(size.0).height(size.1);
        self.tell(|display| {
            display.configure_window(self.window, &to)?;
            display.configure_window(self.notice, &to)?;
            Ok(())
        });
    }

    /// `[main]` What is written in the screen's place; nothing: the screen is seen.
    pub(crate) fn say(&mut self, words: &[String]) {
        self.words = words.to_vec();
        let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.tell(|display| {
            if self.words.is_empty() {
                display.unmap_window(self.notice)?;
            } else {
                display.configure_window(self.notice, &above)?;
                display.map_window(self.notice)?;
            }
            Ok(())
        });
        self.draw();
    }

    /// `[main]` What has happened since the last look.
    pub(crate) fn look(&mut self) -> Vec<SocketNews> {
        let mut news = Vec::new();
        loop {
            match self.connection.poll_for_event_with_sequence() {
                Ok(Some((event, at))) => news.extend(self.hear(&event, at)),
                Ok(None) => break,
                // The display is gone, and with it all that was seen.
                Err(_) => {
                    news.extend(self.go());
                    break;
                }
            }
        }
        news
    }

    fn hear(&mut self, event: &Event, at: SequenceNumber) -> Option<SocketNews> {
        match event {
            Event::Expose(exposed) if exposed.window == self.notice && exposed.count == 0 => {
                self.draw();
            }
            Event::ButtonPress(press) if press.event == self.notice => {
                return Some(SocketNews::Clicked);
            }
            Event::CreateNotify(made)
                if made.parent == self.window && made.window != self.notice =>
            {
                self.child = Some(Child {
                    window: made.window,
                    size: (made.width.into(), made.height.into()),
                    fitted: 0,
                });
                self.fit_child();
                // It came on top.
                if !self.words.is_empty() {
                    let words = std::mem::take(&mut self.words);
                    self.say(&words);
                }
            }
            Event::ConfigureNotify(now) => {
                return self.measure_child(now.window, (now.width, now.height), at);
            }
            Event::DestroyNotify(gone) if gone.window == self.window => return self.go(),
            Event::DestroyNotify(gone)
                if self.child.is_some_and(|child| child.window == gone.window) =>
            {
                self.child = None;
            }
            _ => {}
        }
        None
    }

    fn measure_child(
        &mut self,
        window: u32,
        (width, height): (u16, u16),
        at: SequenceNumber,
    ) -> Option<SocketNews> {
        let child = self.child.as_mut()?;
        if child.window != window || at < child.fitted {
            return None;
        }
        child.size = (u32::from(width), u32::from(height));
        let (width, height) = child.size;
        (child.size != self.size).then_some(SocketNews::Wish(width, height))
    }

    fn fit_child(&mut self) {
        let Some(child) = &mut self.child else { return };
        let (width, height) = self.size;
        let to = ConfigureWindowAux::new().width(width).height(height);
        if let Ok(asked) = self.connection.configure_window(child.window, &to) {
            child.fitted = asked.sequence_number();
        }
        // A display that is gone is noticed at the next look.
        self.connection.flush().unwrap_or_default();
    }

    fn go(&mut self) -> Option<SocketNews> {
        let was_there = !std::mem::replace(&mut self.is_gone, true);
        was_there.then_some(SocketNews::Gone)
    }

    /// Writes the words in the middle.
    fn draw(&self) {
        let (wide, high, down) = self.character;
        self.tell(|display| {
            display.clear_area(false, self.notice, 0, 0, 0, 0)?;
            let middle = |side: u32, taken: i16| (side.min(16_000) as i16 - taken) / 2;
            let line = high + high / 2;
            let mut y = middle(self.size.1, line * self.words.len() as i16) + down;
            for words in &self.words {
                // What these fonts have; a request takes 255 characters.
                let known = |letter: char| {
                    if letter.is_ascii() {
                        letter as u8
                    } else {
                        b'?'
                    }
                };
                let text: Vec<u8> = words.chars().take(255).map(known).collect();
                let x = middle(self.size.0, wide * text.len() as i16).max(4);
                display.image_text8(self.notice, self.ink, x, y, &text)?;
                y += line;
            }
            Ok(())
        });
    }

    /// Sends requests that have no answer. A display that refuses one has lost the window, or is gone: both
    /// are heard of at the next look.
    fn tell(&self, requests: impl FnOnce(&RustConnection) -> Result<(), ConnectionError>) {
        let sent = requests(&self.connection).and_then(|()| self.connection.flush());
        sent.unwrap_or_default();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.is_gone {
            self.tell(|display| {
                display.destroy_window(self.window)?;
                Ok(())
            });
        }
    }
}

fn side(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap_or(u16::MAX).max(1)
}

type Character = (i16, i16, i16);

fn font(connection: &RustConnection, scale: f64) -> Result<(u32, Character), ReplyOrIdError> {
    let mut refused = None;
    for name in FONTS[usize::from(scale >= 1.5)].iter().chain(&["fixed"]) {
        let font = connection.generate_id()?;
        match connection.open_font(font, name.as_bytes())?.check() {
            Ok(()) => {
                let metrics = connection.query_font(font)?.reply()?;
                let high = metrics.font_ascent + metrics.font_descent;
                let wide = metrics.max_bounds.character_width;
                return Ok((font, (wide, high, metrics.font_ascent)));
            }
            Err(why) => refused = Some(why),
        }
    }
    // PANIC: the list is not empty, so the last of it was refused.
    Err(refused.expect("a font was asked for").into())
}
