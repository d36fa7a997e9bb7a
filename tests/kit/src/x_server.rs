use std::process::Command;

use crate::Server;

/// An X server without a screen, until it is dropped.
pub struct XServer {
    _server: Server,
    name: String,
}

impl XServer {
    /// Starts one whose screen is so large: `900x600`.
    ///
    /// # Panics
    ///
    /// When there is no such program, or it does not start.
    #[must_use]
    pub fn start(size: &str) -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24")])
            .args(["+extension", "GLX", "-noreset"]);
        let server = Server::start(&mut command, "xvfb");
        let name = format!(":{}", server.said());
        Self {
            _server: server,
            name,
        }
    }

    /// What `DISPLAY` is to be for those who draw on it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
