//! An X display of a test's own, the host's window on it, and a hand at its mouse.
#![allow(dead_code, unreachable_pub)]

#[path = "../../../gui/tests/common/listener.rs"]
pub mod listener;
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use headroom_test_kit::XServer;
pub use headroom_test_kit::wait_for;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateWindowAux, ImageFormat, MapState, WindowClass,
};
use x11rb::rust_connection::RustConnection;

use self::listener::{Listener, start_bus};

/// Where a test that runs again on a display of its own finds that.
const STAGE: &str = "HEADROOM_TEST_STAGE";
/// Where programs find the session's bus.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// A test's own folder, where a plugin stands as it is bundled.
pub struct Bundle(tempfile::TempDir);

impl Bundle {
    fn new() -> Self {
        let bundle = Self(tempfile::tempdir().expect("a folder"));
        std::fs::copy(crate::host::library(), bundle.plugin()).expect("the library");
        bundle.add_screen();
        bundle
    }

    pub fn plugin(&self) -> PathBuf {
        self.0.path().join("Headroom.clap")
    }

    /// The same as hosts find a VST3; gives the folder.
    pub fn vst3(&self) -> PathBuf {
        let path = self.0.path().join("Headroom.vst3");
        let machine = format!("{}-linux", std::env::consts::ARCH);
        let binaries = path.join("Contents").join(machine);
        std::fs::create_dir_all(&binaries).expect("folders");
        std::fs::copy(self.plugin(), binaries.join("Headroom.so")).expect("the library");
        let screen = binaries.join("headroom-gui");
        std::os::unix::fs::symlink(self.screen(), screen).expect("a link");
        path
    }

    pub fn screen(&self) -> PathBuf {
        self.0.path().join("headroom-gui")
    }

    pub fn add_screen(&self) {
        std::fs::copy(screen_program(), self.screen()).expect("the screen's program");
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The screen's program as it was built beside this test; built, if only this package was.
fn screen_program() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a test has a path");
    folder.pop();
    folder.pop();
    let program = folder.join("headroom-gui");
    if !program.is_file() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--package", "headroom-gui"])
            .status();
        assert!(built.expect("cargo").success());
    }
    program
}

/// What a test has on its display.
pub struct Stage {
    pub bundle: Bundle,
    connection: RustConnection,
    root: u32,
}

/// The test that a closure of it belongs to, as the test runner calls it.
fn test_of<F>(_: &F) -> &'static str {
    // `program::module::test::{{closure}}`
    let name = std::any::type_name::<F>();
    let (_, name) = name.split_once("::").expect("a program");
    name.split_once("::{{").expect("a closure").0
}

/// Runs a test in a process of its own on a display of its own: the plugin finds its display as in any host.
pub fn on_a_display(body: impl FnOnce(&Stage)) {
    let test = test_of(&body);
    let Some(bundle) = std::env::var_os(STAGE) else {
        let server = XServer::start("2000x1400");
        let mut again = again(test, server.name(), None);
        assert!(again.0.wait().expect("it ends").success(), "{test}");
        return;
    };
    assert!(bundle.is_empty());
    body(&Stage::new());
}

/// The same where somebody listens, as screen readers do: what is on a screen is found by its name, wherever it is
/// drawn, and words that are seen are read.
pub fn on_a_display_that_is_read(body: impl FnOnce(&Stage, &Listener)) {
    let test = test_of(&body);
    if std::env::var_os(STAGE).is_some() {
        let bus = std::env::var(BUS).expect("there is one");
        return body(&Stage::new(), &Listener::come(&bus));
    }
    let server = XServer::start("2000x1400");
    let place = tempfile::tempdir().expect("a folder");
    let mut daemon = Command::new("dbus-daemon");
    daemon
        .env("HOME", place.path())
        .env("XDG_RUNTIME_DIR", place.path())
        .env("DISPLAY", server.name());
    let bus = start_bus(daemon);
    let mut again = again(test, server.name(), Some(bus.said()));
    assert!(again.0.wait().expect("it ends").success(), "{test}");
}

/// A test that was started again, and its home.
struct Again(Child, tempfile::TempDir);

fn again(test: &str, display: &str, bus: Option<&str>) -> Again {
    let home = tempfile::tempdir().expect("a folder");
    let own = std::env::current_exe().expect("a test has a path");
    let process = Command::new(own)
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(STAGE, "")
        .env("DISPLAY", display)
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("XDG_RUNTIME_DIR", home.path())
        .env("LP_NUM_THREADS", "1")
        .env("LD_LIBRARY_PATH", home.path())
        .env("PATH", "/usr/bin:/bin")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove(BUS)
        .envs(bus.map(|bus| (BUS, bus)))
        .spawn()
        .expect("this test again");
    Again(process, home)
}

/// Starts a test again as a host, kills it once `look` has found its screen, and waits for the end of that.
pub fn host_to_kill(body: impl FnOnce(&Stage), mut look: impl FnMut(u32) -> Option<u32>) {
    let test = test_of(&body);
    if std::env::var_os(STAGE).is_some() {
        return body(&Stage::new());
    }
    let server = XServer::start("2000x1400");
    let mut host = again(test, server.name(), None);
    let pid = host.0.id();
    let screen = wait_for("the host's screen", || look(pid));
    host.0.kill().expect("it runs");
    host.0.wait().expect("it ends");
    // The display goes on: it is the host's death alone that the screen hears of.
    wait_for("the end of the screen", || {
        let is_there = all_processes().iter().any(|(pid, ..)| *pid == screen);
        // Whoever its parent is now may not reap it.
        let runs = std::fs::read_link(format!("/proc/{screen}/exe")).is_ok();
        (!is_there || !runs).then_some(())
    });
}

/// The screens that a process has started, running or not reaped.
pub fn screens_of(parent: u32) -> Vec<u32> {
    let ours = all_processes().into_iter();
    ours.filter(|(_, name, of)| name == "headroom-gui" && *of == parent)
        .map(|(pid, ..)| pid)
        .collect()
}

fn all_processes() -> Vec<(u32, String, u32)> {
    let entries = std::fs::read_dir("/proc").expect("the processes");
    let one = |entry: std::io::Result<std::fs::DirEntry>| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (before, after) = stat.rsplit_once(')')?;
        let name = before.split_once('(')?.1.to_owned();
        let parent = after.split_whitespace().nth(1)?.parse().ok()?;
        Some((pid, name, parent))
    };
    entries.filter_map(one).collect()
}

/// Files that a process has open, and its threads.
pub fn files_and_threads(process: u32) -> (usize, usize) {
    let count = |what: &str| {
        let entries = std::fs::read_dir(format!("/proc/{process}/{what}"));
        entries.expect("it runs").count()
    };
    (count("fd"), count("task"))
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.expect("kill").success(), "{name} to {pid}");
}

impl Stage {
    fn new() -> Self {
        let (connection, screen) = x11rb::connect(None).expect("a display");
        let root = connection.setup().roots[screen].root;
        Self {
            bundle: Bundle::new(),
            connection,
            root,
        }
    }

    /// A host's window.
    pub fn window(&self, x: i16, y: i16, size: (u32, u32)) -> u32 {
        let window = self.connection.generate_id().expect("a number");
        let aux = CreateWindowAux::new().override_redirect(1);
        self.connection
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                self.root,
                x,
                y,
                size.0 as u16,
                size.1 as u16,
                0,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                &aux,
            )
            .expect("a window");
        // It is there, for other clients of the display too, when this has an answer.
        let shown = self.connection.map_window(window).expect("it is shown");
        shown.check().expect("the display is there");
        window
    }

    /// The host resizes its window, or takes it away.
    pub fn resize(&self, window: u32, size: (u32, u32)) {
        let to = x11rb::protocol::xproto::ConfigureWindowAux::new()
            .width(size.0)
            .height(size.1);
        self.connection
            .configure_window(window, &to)
            .expect("the display is there");
        self.connection.flush().expect("the display is there");
    }

    /// Or shows it, or hides it.
    pub fn put(&self, window: u32, is_seen: bool) {
        let asked = if is_seen {
            self.connection.map_window(window)
        } else {
            self.connection.unmap_window(window)
        };
        asked
            .expect("a request")
            .check()
            .expect("the display is there");
    }

    pub fn destroy(&self, window: u32) {
        self.connection
            .destroy_window(window)
            .expect("the display is there");
        self.connection.flush().expect("the display is there");
    }

    fn children(&self, window: u32) -> Vec<u32> {
        let tree = self.connection.query_tree(window).expect("a question");
        tree.reply().map(|tree| tree.children).unwrap_or_default()
    }

    /// The plugin's window under a host's.
    pub fn socket(&self, parent: u32) -> u32 {
        wait_for("a window of the plugin's", || {
            self.children(parent).first().copied()
        })
    }

    /// The screen's window in a socket: there are the words' and the screen's; that of the words was first made.
    pub fn screen(&self, socket: u32) -> Option<u32> {
        let mut children = self.children(socket);
        children.sort_unstable();
        let notice = self.notice(socket)?;
        children.into_iter().find(|child| *child != notice)
    }

    /// The words' window in a socket: made right behind it.
    fn notice(&self, socket: u32) -> Option<u32> {
        let children = self.children(socket).into_iter();
        children.min_by_key(|child| child.abs_diff(socket))
    }

    pub fn is_seen(&self, window: u32) -> bool {
        let asked = self
            .connection
            .get_window_attributes(window)
            .expect("a question");
        asked
            .reply()
            .is_ok_and(|it| it.map_state == MapState::VIEWABLE)
    }

    /// Whether words stand in a socket.
    pub fn has_words(&self, socket: u32) -> bool {
        self.notice(socket).is_some_and(|it| self.is_seen(it))
    }

    /// Whether a screen is seen in a socket.
    pub fn has_screen(&self, socket: u32) -> bool {
        !self.has_words(socket) && self.screen(socket).is_some_and(|it| self.is_seen(it))
    }

    pub fn size(&self, window: u32) -> (u32, u32) {
        let asked = self.connection.get_geometry(window).expect("a question");
        let found = asked.reply().expect("a size");
        (found.width.into(), found.height.into())
    }

    /// What is seen on the display: a word for each pixel.
    pub fn picture(&self, x: i16, y: i16, width: u16, height: u16) -> Vec<u32> {
        let asked = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.root, x, y, width, height, !0)
            .expect("a question");
        let image = asked.reply().expect("a picture");
        let pixels = image.data.chunks_exact(4);
        pixels
            .map(|pixel| u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0]))
            .collect()
    }

    /// Keeps what is seen, for people, if `HEADROOM_TEST_PICTURES` says where.
    pub fn keep_picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("HEADROOM_TEST_PICTURES") else {
            return;
        };
        let path = PathBuf::from(folder).join(format!("{name}.png"));
        let kept = Command::new("import")
            .args(["-window", "root"])
            .arg(path)
            .status();
        assert!(kept.is_ok_and(|it| it.success()), "{name}: not kept");
    }
}

/// Moves the mouse, presses, types.
pub fn xdotool(args: &[&str]) {
    let done = Command::new("xdotool").args(args).status();
    let done = done.expect("this test needs xdotool: install the package of that name");
    assert!(done.success(), "{args:?}");
}

pub fn move_mouse(x: i32, y: i32) {
    xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
}
