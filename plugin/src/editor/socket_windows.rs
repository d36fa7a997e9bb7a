//! The window under the host's that the screen lives in, on Windows: a child window of the host's, whose own child
//! the screen's window is, across processes. It outlives the screen, and says a few words where that is missing.
//!
//! A window belongs to the thread that made it, here the host's main thread: only there is anything done to it.
//! Housekeeping writes down what is wanted and leaves a message; it never waits for a window, least of all for
//! the screen's, which may hang.

#![allow(
    unsafe_code,
    reason = "asks the system for windows, and answers for them"
)]

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{COLORREF, HWND, LPARAM, LRESULT, RECT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{
    BeginPaint, CLIP_DEFAULT_PRECIS, CreateFontW, CreateSolidBrush, DEFAULT_CHARSET, DEFAULT_PITCH,
    DEFAULT_QUALITY, DT_CENTER, DT_NOPREFIX, DT_SINGLELINE, DT_VCENTER, DeleteObject, DrawTextW,
    EndPaint, FW_NORMAL, FillRect, HDC, InvalidateRect, OUT_DEFAULT_PRECIS, PAINTSTRUCT,
    SelectObject, SetBkMode, SetTextColor, TRANSPARENT,
};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::HiDpi::GetDpiForSystem;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, GW_CHILD, GW_HWNDNEXT, GWLP_USERDATA,
    GetClientRect, GetWindow, GetWindowLongPtrW, GetWindowRect, GetWindowThreadProcessId, HWND_TOP,
    IDC_ARROW, LoadCursorW, PostMessageW, RegisterClassExW, SW_HIDE, SW_SHOWNA, SWP_ASYNCWINDOWPOS,
    SWP_NOACTIVATE, SWP_NOMOVE, SWP_NOZORDER, SendMessageW, SetParent, SetWindowLongPtrW,
    SetWindowPos, ShowWindow, UnregisterClassW, WM_APP, WM_DESTROY, WM_ERASEBKGND, WM_LBUTTONDOWN,
    WM_NCDESTROY, WM_PAINT, WNDCLASSEXW, WS_CHILD, WS_CLIPCHILDREN, WS_CLIPSIBLINGS,
};

use super::SocketNews;
use super::beside::image;
use crate::shield::shielded;

/// As the screen's ground, and the words on it: blue, green, red.
const GROUND: COLORREF = 0x0013_100e;
const INK: COLORREF = 0x00b2_a69d;
/// Pixels of a line of words and of its letters, at a scale of 1.
const LINE: f64 = 22.0;
const LETTER: f64 = 15.0;

/// The windows are made as `Wanted` says.
const SETTLE: u32 = WM_APP;
/// They go.
const GO: u32 = WM_APP + 1;

/// The window.
pub(crate) struct Socket {
    desk: Arc<Desk>,
    /// The screen's window and how large it was when it was last looked at.
    child: Option<(usize, (u32, u32))>,
}

/// What the windows and whoever has the socket both know.
struct Desk {
    /// The windows' numbers; 0 while there are none. Writer: the windows' thread.
    window: AtomicUsize,
    notice: AtomicUsize,
    wanted: Mutex<Wanted>,
}

struct Wanted {
    size: (u32, u32),
    scale: f64,
    is_seen: bool,
    /// The screen's window is to fit.
    is_to_fit: bool,
    words: Vec<String>,
    news: Vec<SocketNews>,
}

impl Desk {
    /// Held for a few words at a time: never while the system is asked for anything.
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn window(&self) -> HWND {
        handle(self.window.load(Ordering::Acquire))
    }

    fn notice(&self) -> HWND {
        handle(self.notice.load(Ordering::Acquire))
    }

    /// The screen's window: the child that is not ours.
    fn child(&self) -> Option<HWND> {
        let window = self.window();
        if window.is_null() {
            return None;
        }
        let notice = self.notice();
        // SAFETY: a number that is no window's any more has no children.
        let mut next = unsafe { GetWindow(window, GW_CHILD) };
        while !next.is_null() && next == notice {
            // SAFETY: as above.
            next = unsafe { GetWindow(next, GW_HWNDNEXT) };
        }
        (!next.is_null()).then_some(next)
    }

    /// Leaves a message; on the windows' own thread it is done at once.
    fn tell(&self, message: u32) {
        let window = self.window();
        if window.is_null() {
            return;
        }
        // SAFETY: messages to a number that is no window's any more are lost.
        unsafe {
            if GetWindowThreadProcessId(window, null_mut()) == GetCurrentThreadId() {
                SendMessageW(window, message, 0, 0);
            } else {
                PostMessageW(window, message, 0, 0);
            }
        }
    }

    /// Makes the windows as they are wanted, on their thread.
    fn settle(&self) {
        let (size, is_seen, is_to_fit, has_words) = {
            let mut wanted = self.wanted();
            let is_to_fit = std::mem::take(&mut wanted.is_to_fit);
            let has_words = !wanted.words.is_empty();
            (wanted.size, wanted.is_seen, is_to_fit, has_words)
        };
        let (window, notice) = (self.window(), self.notice());
        let (width, height) = (side(size.0), side(size.1));
        let quietly = SWP_NOACTIVATE | SWP_NOMOVE;
        // SAFETY: numbers that are no windows' any more are refused.
        unsafe {
            let place = quietly | SWP_NOZORDER;
            SetWindowPos(window, null_mut(), 0, 0, width, height, place);
            if let Some(child) = self.child().filter(|_| is_to_fit) {
                // Its process is not waited for.
                let place = place | SWP_ASYNCWINDOWPOS;
                SetWindowPos(child, null_mut(), 0, 0, width, height, place);
            }
            SetWindowPos(notice, HWND_TOP, 0, 0, width, height, quietly);
            ShowWindow(notice, if has_words { SW_SHOWNA } else { SW_HIDE });
            InvalidateRect(notice, null(), 1);
            ShowWindow(window, if is_seen { SW_SHOWNA } else { SW_HIDE });
        }
    }

    /// Writes the words in the middle.
    fn draw(&self, window: HWND) {
        let (words, scale) = {
            let wanted = self.wanted();
            (wanted.words.clone(), wanted.scale)
        };
        let (line, letter) = ((LINE * scale) as i32, (LETTER * scale) as i32);
        let face: Vec<u16> = "Segoe UI\0".encode_utf16().collect();
        let mut paint = PAINTSTRUCT::default();
        let mut room = RECT::default();
        // SAFETY: what is painted is this thread's window; brush and font live until they are deleted below, behind
        // all that is drawn with them; each text is as long as is said.
        unsafe {
            let on = BeginPaint(window, &mut paint);
            GetClientRect(window, &mut room);
            fill(on, &room);
            let font = CreateFontW(
                -letter,
                0,
                0,
                0,
                FW_NORMAL as i32,
                0,
                0,
                0,
                DEFAULT_CHARSET.into(),
                OUT_DEFAULT_PRECIS.into(),
                CLIP_DEFAULT_PRECIS.into(),
                DEFAULT_QUALITY.into(),
                DEFAULT_PITCH.into(),
                face.as_ptr(),
            );
            let before = SelectObject(on, font);
            SetBkMode(on, TRANSPARENT as i32);
            SetTextColor(on, INK);
            let lines = i32::try_from(words.len()).unwrap_or(0);
            room.top = (room.bottom - lines * line) / 2;
            for words in &words {
                room.bottom = room.top + line;
                let text: Vec<u16> = words.encode_utf16().collect();
                let length = i32::try_from(text.len()).unwrap_or(0);
                let middle = DT_CENTER | DT_VCENTER | DT_SINGLELINE | DT_NOPREFIX;
                DrawTextW(on, text.as_ptr(), length, &mut room, middle);
                room.top = room.bottom;
            }
            SelectObject(on, before);
            DeleteObject(font);
            EndPaint(window, &paint);
        }
    }
}

/// `[main]` How large this system draws.
pub(crate) fn display_scale() -> f64 {
    // SAFETY: asks for a number.
    let dots_an_inch = unsafe { GetDpiForSystem() };
    (f64::from(dots_an_inch) / 96.0).clamp(1.0, 3.0)
}

impl Socket {
    /// `[main]` A window that is made once there is one to be made under.
    ///
    /// # Errors
    ///
    /// None here.
    pub(crate) fn open(size: (u32, u32), scale: f64) -> Result<Self, String> {
        let wanted = Wanted {
            size,
            scale,
            is_seen: false,
            is_to_fit: false,
            words: Vec::new(),
            news: Vec::new(),
        };
        let desk = Arc::new(Desk {
            window: AtomicUsize::new(0),
            notice: AtomicUsize::new(0),
            wanted: Mutex::new(wanted),
        });
        Ok(Self { desk, child: None })
    }

    /// `[any]` Its number, for the screen: 32 bits of a window's number count.
    pub(crate) fn id(&self) -> Option<u32> {
        let window = self.desk.window.load(Ordering::Acquire);
        (window != 0).then_some(window as u32)
    }

    /// `[main]` Puts it under the host's window, on the host's thread.
    pub(crate) fn set_parent(&self, parent: u32) -> Result<(), String> {
        let parent = handle(parent.cast_signed() as usize);
        let window = self.desk.window();
        if !window.is_null() {
            // SAFETY: numbers that are no windows' are refused.
            let before = unsafe { SetParent(window, parent) };
            return if before.is_null() { refused() } else { Ok(()) };
        }
        let class = Class::register(&self.desk)?;
        let window = class.window(parent, WS_CLIPCHILDREN, &self.desk)?;
        self.desk.window.store(window.addr(), Ordering::Release);
        let notice = class.window(window, WS_CLIPSIBLINGS, &self.desk)?;
        self.desk.notice.store(notice.addr(), Ordering::Release);
        self.desk.settle();
        Ok(())
    }

    /// `[main]` Shows or hides it.
    pub(crate) fn show(&self, on: bool) {
        self.desk.wanted().is_seen = on;
        self.desk.tell(SETTLE);
    }

    /// `[main]` The host has made its window as large as the screen made itself: that goes on as it does, it may
    /// be about to be another.
    pub(crate) fn follow(&mut self, size: (u32, u32)) {
        self.desk.wanted().size = size;
        self.desk.tell(SETTLE);
    }

    /// `[main]` The host has made its window this large.
    pub(crate) fn resize(&mut self, size: (u32, u32)) {
        {
            let mut wanted = self.desk.wanted();
            wanted.size = size;
            wanted.is_to_fit = true;
        }
        self.desk.tell(SETTLE);
    }

    /// `[main]` What is written in the screen's place; nothing: the screen is seen.
    pub(crate) fn say(&mut self, words: &[String]) {
        self.desk.wanted().words = words.to_vec();
        self.desk.tell(SETTLE);
    }

    /// `[main]` The host draws this large from now on: so are the words.
    pub(crate) fn rescale(&mut self, scale: f64) {
        self.desk.wanted().scale = scale;
        self.desk.tell(SETTLE);
    }

    /// `[main]` What has happened since the last look.
    pub(crate) fn look(&mut self) -> Vec<SocketNews> {
        let mut news = std::mem::take(&mut self.desk.wanted().news);
        news.extend(self.measure_child());
        news
    }

    fn measure_child(&mut self) -> Option<SocketNews> {
        let Some(child) = self.desk.child() else {
            self.child = None;
            return None;
        };
        let mut place = RECT::default();
        // SAFETY: a number that is no window's any more is refused; the place is written during the call.
        if unsafe { GetWindowRect(child, &mut place) } == 0 {
            return None;
        }
        let length = |from: i32, to: i32| u32::try_from(to - from).unwrap_or(0);
        let size = (
            length(place.left, place.right),
            length(place.top, place.bottom),
        );
        let before = self.child.replace((child.addr(), size));
        let now = self.desk.wanted().size;
        match before {
            Some((window, before)) if window == child.addr() => {
                // What is not changed is as it was made to fit, or is about to.
                (size != before && size != now).then_some(SocketNews::Wish(size.0, size.1))
            }
            _ => {
                // It is new, and came on top.
                self.resize(now);
                None
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.desk.tell(GO);
        // The host may have destroyed the windows with its own.
        forget_class(Arc::as_ptr(&self.desk));
    }
}

/// The kind of window that `hear` answers for; it goes with the last window of it.
struct Class {
    name: Vec<u16>,
    image: *mut std::ffi::c_void,
}

impl Class {
    /// One for each socket: a class that a library leaves behind when it is unloaded cannot be told from the one
    /// that the same library brings when it is loaded again.
    fn register(desk: &Arc<Desk>) -> Result<Self, String> {
        let class = Self {
            name: class_name(Arc::as_ptr(desk)),
            image: image(),
        };
        let known = WNDCLASSEXW {
            cbSize: size_of::<WNDCLASSEXW>() as u32,
            lpfnWndProc: Some(hear),
            hInstance: class.image,
            // SAFETY: one of the system's own.
            hCursor: unsafe { LoadCursorW(null_mut(), IDC_ARROW) },
            lpszClassName: class.name.as_ptr(),
            ..WNDCLASSEXW::default()
        };
        // SAFETY: the name ends with 0 and outlives the call; `hear` is what such a function must be.
        if unsafe { RegisterClassExW(&known) } == 0 {
            refused()?;
        }
        Ok(class)
    }

    /// A window of it, which holds the desk until it goes.
    fn window(&self, parent: HWND, style: u32, desk: &Arc<Desk>) -> Result<HWND, String> {
        let title: Vec<u16> = "Headroom\0".encode_utf16().collect();
        // SAFETY: both names end with 0 and outlive the call.
        let window = unsafe {
            CreateWindowExW(
                0,
                self.name.as_ptr(),
                title.as_ptr(),
                WS_CHILD | style,
                0,
                0,
                1,
                1,
                parent,
                null_mut(),
                self.image,
                null(),
            )
        };
        if window.is_null() {
            refused()?;
        }
        let desk = Arc::into_raw(Arc::clone(desk));
        // SAFETY: the window was just made by this thread; what is kept in it is taken back once, by its last
        // message (`hear`).
        unsafe { SetWindowLongPtrW(window, GWLP_USERDATA, desk.expose_provenance() as isize) };
        Ok(window)
    }
}

fn class_name(desk: *const Desk) -> Vec<u16> {
    let name = format!("Headroom {:x}\0", desk.addr());
    name.encode_utf16().collect()
}

/// Answers for both windows, on their thread.
///
/// # Safety
///
/// The system's alone to call.
unsafe extern "system" fn hear(window: HWND, message: u32, wide: WPARAM, long: LPARAM) -> LRESULT {
    // SAFETY: the window is alive while it is told something.
    let kept = unsafe { GetWindowLongPtrW(window, GWLP_USERDATA) };
    let kept = std::ptr::with_exposed_provenance::<Desk>(kept.cast_unsigned());
    // SAFETY: what is kept was put there by `Class::window` and is taken back by the last message only.
    if let Some(desk) = unsafe { kept.as_ref() } {
        let answer = shielded(|| answer(desk, window, message));
        if message == WM_NCDESTROY {
            // SAFETY: the window's own count of the desk, which nobody asks for behind this message.
            unsafe {
                SetWindowLongPtrW(window, GWLP_USERDATA, 0);
                drop(Arc::from_raw(kept));
            }
        }
        if let Some(answer) = answer.flatten() {
            return answer;
        }
    }
    // SAFETY: what the system wants done with what nobody here has answered.
    unsafe { DefWindowProcW(window, message, wide, long) }
}

/// What is done about a message; nothing: what the system does.
fn answer(desk: &Desk, window: HWND, message: u32) -> Option<LRESULT> {
    match message {
        SETTLE => desk.settle(),
        GO => {
            // SAFETY: this thread's own; its children go with it.
            unsafe { DestroyWindow(window) };
            forget_class(desk);
        }
        WM_PAINT => desk.draw(window),
        // The ground is painted with the words.
        WM_ERASEBKGND => return Some(1),
        WM_LBUTTONDOWN => desk.wanted().news.push(SocketNews::Clicked),
        WM_DESTROY if window == desk.window() => {
            desk.wanted().news.push(SocketNews::Gone);
            desk.window.store(0, Ordering::Release);
        }
        _ => return None,
    }
    Some(0)
}

/// Unregisters the class; while there are windows of it the system refuses.
fn forget_class(desk: *const Desk) {
    let name = class_name(desk);
    // SAFETY: the name ends with 0 and outlives the call.
    unsafe { UnregisterClassW(name.as_ptr(), image()) };
}

/// # Safety
///
/// `on` is what the system gave to be drawn on.
unsafe fn fill(on: HDC, room: &RECT) {
    // SAFETY: the brush is deleted behind its use.
    unsafe {
        let brush = CreateSolidBrush(GROUND);
        FillRect(on, room, brush);
        DeleteObject(brush);
    }
}

fn handle(number: usize) -> HWND {
    std::ptr::without_provenance_mut(number)
}

fn side(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX).max(1)
}

fn refused<T>() -> Result<T, String> {
    Err(std::io::Error::last_os_error().to_string())
}
