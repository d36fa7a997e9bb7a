//! Keeps libraries from writing on our standard error while devices are searched: what was found, and why
//! not, is said once, by us.

/// While it lives, ALSA's messages of this thread go nowhere.
pub(crate) struct Hushed {
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    _alsa: Option<std::rc::Rc<std::cell::RefCell<alsa::Output>>>,
}

/// `[main]` Hushes libasound on this thread, and libjack for good.
pub(crate) fn hush() -> Hushed {
    #[cfg(feature = "jack")]
    // Where libjack is not installed there is nothing to hush, and asking it would panic.
    if jack::jack_sys::library().is_ok() {
        jack::set_logger(jack::LoggerType::None);
    }
    Hushed {
        #[cfg(any(target_os = "linux", target_os = "freebsd"))]
        _alsa: alsa::Output::local_error_handler().ok(),
    }
}
