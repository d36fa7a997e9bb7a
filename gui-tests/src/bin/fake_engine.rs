//! An engine that only pretends: for a screen to be tried on without a sound server.
//!
//! `fake_engine [SECONDS]` opens a segment that `headroom-gui` finds by itself, plays, and obeys.

use headroom_gui_tests::engine::Engine;
use headroom_gui_tests::music::RATE_HZ;
use headroom_ipc::{Backing, Server};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secs = std::env::args()
        .nth(1)
        .map_or(Ok(3_600.0), |text| text.parse::<f64>())?;
    let server = Server::open(Backing::default())?;
    if let Some(path) = server.path() {
        println!("{}", path.display());
    }
    let mut publisher = server.publisher().ok_or("the publisher is taken")?;
    publisher.set_sample_rate_hz(RATE_HZ);
    let mut engine = Engine::new(server, &[0, 1, 2, 3]);
    let start = Instant::now();
    let mut played = 0u64;
    while start.elapsed().as_secs_f64() < secs {
        let due = (start.elapsed().as_secs_f64() * f64::from(RATE_HZ)) as u64;
        while played + 512 <= due {
            engine.play(&mut publisher, 512);
            played += 512;
        }
        engine.obey();
        for command in engine.commands.drain(..) {
            println!("{command:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
