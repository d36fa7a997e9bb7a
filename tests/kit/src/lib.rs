//! What the tests of several packages start and wait for. Nothing that is shipped imports it.

mod server;
mod x_server;

use std::time::{Duration, Instant};

pub use server::Server;
pub use x_server::XServer;

/// How long anything may take that comes at all, on a machine that does other work beside.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks: at first, and at last, so that who starts a program to look does little else.
const PAUSES: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(40)];

/// Gives what `look` finds, as soon as it does.
///
/// # Panics
///
/// When it finds nothing in half a minute: `what` it was to find is in the message.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    let [mut pause, longest] = PAUSES;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: waited for in vain");
        std::thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_later_is_waited_for() {
        let start = Instant::now();
        let late = Duration::from_millis(200);
        let found = wait_for("it", || (start.elapsed() > late).then_some(7));
        assert!(start.elapsed() > late);
        assert_eq!(found, 7);
    }
}
