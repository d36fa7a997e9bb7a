//! Where windows of other processes cannot be lived in: the screen opens a window of its own beside the host's,
//! whose own stays empty. Never run.

use super::SocketNews;

/// No window.
pub(crate) struct Socket;

pub(crate) fn display_scale() -> f64 {
    1.0
}

impl Socket {
    pub(crate) fn open(_: (u32, u32), _: f64) -> Result<Self, String> {
        Ok(Self)
    }

    pub(crate) fn id(&self) -> Option<u32> {
        None
    }

    pub(crate) fn set_parent(&self, _: u32) -> Result<(), String> {
        Ok(())
    }

    pub(crate) fn show(&self, _: bool) {}

    pub(crate) fn follow(&mut self, _: (u32, u32)) {}

    pub(crate) fn resize(&mut self, _: (u32, u32)) {}

    pub(crate) fn say(&mut self, _: &[String]) {}

    pub(crate) fn rescale(&mut self, _: f64) {}

    pub(crate) fn look(&mut self) -> Vec<SocketNews> {
        Vec::new()
    }
}
