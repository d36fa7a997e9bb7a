//! Windows, processes and pixels, as the system has them.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, HWND, LPARAM, RECT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{GetDC, GetPixel, ReleaseDC};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcessId, OpenProcess, PROCESS_SUSPEND_RESUME, PROCESS_SYNCHRONIZE,
    PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DispatchMessageW, GW_CHILD, GW_HWNDNEXT, GetClientRect, GetWindow,
    GetWindowThreadProcessId, MSG, PM_REMOVE, PeekMessageW, PostMessageW, TranslateMessage,
    WM_LBUTTONDOWN, WM_LBUTTONUP, WM_MOUSEMOVE, WS_OVERLAPPEDWINDOW, WS_VISIBLE,
};

/// Where the knob of the only module is, in points from the corner of a screen of 900 by 600.
const KNOB: (i32, i32) = (136, 240);

/// A window of this thread's, with room for so much.
pub(crate) fn window(room: (i32, i32)) -> HWND {
    let class: Vec<u16> = "STATIC\0".encode_utf16().collect();
    // SAFETY: the name ends with 0; the kind of window is the system's own.
    let window = unsafe {
        CreateWindowExW(
            0,
            class.as_ptr(),
            null(),
            WS_OVERLAPPEDWINDOW | WS_VISIBLE,
            0,
            0,
            room.0 + 16,
            room.1 + 40,
            null_mut(),
            null_mut(),
            null_mut(),
            null(),
        )
    };
    assert!(!window.is_null());
    window
}

/// The screen's window: a child of the socket's that another process made.
pub(crate) fn screen_in(socket: HWND) -> Option<HWND> {
    // SAFETY: asks for a number.
    let own = unsafe { GetCurrentProcessId() };
    let theirs = |window: &HWND| process_of(*window) != own;
    children(socket).into_iter().find(theirs)
}

/// What a mouse would tell the screen's window: the knob taken hold of, pulled down, let go of.
pub(crate) fn pull_knob(screen: HWND, mut play: impl FnMut(Duration)) {
    let tell = |message: u32, held: WPARAM, y: i32| {
        let place = (y << 16) | KNOB.0;
        // SAFETY: messages to a number that is no window's any more are lost.
        unsafe { PostMessageW(screen, message, held, place as LPARAM) };
    };
    tell(WM_MOUSEMOVE, 0, KNOB.1);
    play(Duration::from_millis(200));
    tell(WM_LBUTTONDOWN, 1, KNOB.1);
    for step in 1..=10 {
        tell(WM_MOUSEMOVE, 1, KNOB.1 + 8 * step);
        play(Duration::from_millis(40));
    }
    tell(WM_LBUTTONUP, 0, KNOB.1 + 80);
    play(Duration::from_millis(400));
}

pub(crate) fn children(of: HWND) -> Vec<HWND> {
    let mut found = Vec::new();
    // SAFETY: a number that is no window's has no children.
    let mut next = unsafe { GetWindow(of, GW_CHILD) };
    while !next.is_null() {
        found.push(next);
        // SAFETY: as above.
        next = unsafe { GetWindow(next, GW_HWNDNEXT) };
    }
    found
}

pub(crate) fn process_of(window: HWND) -> u32 {
    let mut process = 0;
    // SAFETY: the number is written during the call.
    unsafe { GetWindowThreadProcessId(window, &mut process) };
    process
}

pub(crate) fn size_of_window(window: HWND) -> (i32, i32) {
    let mut place = RECT::default();
    // SAFETY: the place is written during the call.
    unsafe { GetClientRect(window, &mut place) };
    (place.right, place.bottom)
}

/// Answers what the system has for this thread's windows.
pub(crate) fn pump() {
    let mut message = MSG::default();
    // SAFETY: the message is written before it is read.
    unsafe {
        while PeekMessageW(&mut message, null_mut(), 0, 0, PM_REMOVE) != 0 {
            TranslateMessage(&message);
            DispatchMessageW(&message);
        }
    }
}

/// Ends a process from outside; waits until it is gone.
pub(crate) fn kill(process: u32) {
    // SAFETY: the handle is closed behind its last use.
    unsafe {
        let handle = OpenProcess(PROCESS_TERMINATE | PROCESS_SYNCHRONIZE, 0, process);
        assert!(!handle.is_null(), "{}", std::io::Error::last_os_error());
        assert_ne!(TerminateProcess(handle, 1), 0);
        WaitForSingleObject(handle, 10_000);
        CloseHandle(handle);
    }
}

/// Lets a process stand still, or go on.
pub(crate) fn stop(process: u32, on: bool) {
    #[link(name = "ntdll")]
    unsafe extern "system" {
        fn NtSuspendProcess(process: HANDLE) -> i32;
        fn NtResumeProcess(process: HANDLE) -> i32;
    }
    // SAFETY: the handle is closed behind its last use.
    unsafe {
        let handle = OpenProcess(PROCESS_SUSPEND_RESUME, 0, process);
        assert!(!handle.is_null(), "{}", std::io::Error::last_os_error());
        let answer = if on {
            NtSuspendProcess(handle)
        } else {
            NtResumeProcess(handle)
        };
        assert_eq!(answer, 0);
        CloseHandle(handle);
    }
}

/// Whether there is such a process.
pub(crate) fn is_alive(process: u32) -> bool {
    // SAFETY: the handle is closed behind its last use.
    unsafe {
        let handle = OpenProcess(PROCESS_SYNCHRONIZE, 0, process);
        if handle.is_null() {
            return false;
        }
        let is_over = WaitForSingleObject(handle, 0) == 0;
        CloseHandle(handle);
        !is_over
    }
}

/// How many pixels of a window are not of its ground's colour.
pub(crate) fn pixels_drawn(window: HWND) -> usize {
    let (width, height) = size_of_window(window);
    // SAFETY: what is got is given back.
    unsafe {
        let on = GetDC(window);
        let ground = GetPixel(on, 1, 1);
        let row = |y: i32| (0..width).filter(|x| GetPixel(on, *x, y) != ground).count();
        let drawn = (height / 3..height * 2 / 3).map(row).sum();
        ReleaseDC(window, on);
        drawn
    }
}
