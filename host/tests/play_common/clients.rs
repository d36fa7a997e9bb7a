//! Clients of a JACK server, for a process that plays a part beside the program.

use std::time::Duration;
use std::time::Instant;

use jack::Client;
use jack::ClientOptions;

/// Opens one client of each name.
pub(crate) fn open(names: &[&str]) -> Vec<Client> {
    let options = || ClientOptions::NO_START_SERVER | ClientOptions::USE_EXACT_NAME;
    let start = Instant::now();
    loop {
        let clients = names.iter().map(|name| Client::new(name, options()));
        let clients: Vec<_> = clients.map(|opened| opened.expect("a server").0).collect();
        if !must_open_again() {
            return clients;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "others leave");
    }
}

/// Whether another client has left while ours opened.
///
/// While a process opens its first client, libjack does not take in that another one leaves: its semaphore stays,
/// and whoever gets that one's number then is never woken by us. Once all of ours are closed it is forgotten.
pub(crate) fn must_open_again() -> bool {
    std::thread::sleep(Duration::from_millis(20));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut semaphores = maps.lines().filter(|line| line.contains("/jack_sem."));
    semaphores.any(|line| line.ends_with("(deleted)"))
}

/// Connects two ports: sometimes a server does not know a port that has only just registered.
pub(crate) fn connect(client: &Client, from: &str, to: &str) {
    let start = Instant::now();
    while let Err(error) = client.connect_ports_by_name(from, to) {
        assert!(start.elapsed() < Duration::from_secs(10), "{error}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
