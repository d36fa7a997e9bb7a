//! Either side is killed at any moment: the other says so at once, and nothing is left behind.

#![cfg(any(target_os = "linux", windows))]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use headroom_ipc::AttachError;
use headroom_ipc::{Backing, Client, Command as Order, Server, State};

use left::{ROUNDS, named_segments, own_descriptors, own_mappings};

#[cfg_attr(target_os = "linux", path = "left/linux.rs")]
#[cfg_attr(windows, path = "left/windows.rs")]
mod left;

fn again(role: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", role, "--ignored", "--nocapture"])
        .env("HEADROOM_RUNTIME_DIR", folder)
        .env("HEADROOM_TEST_ROLE", role)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn role() -> Option<String> {
    std::env::var("HEADROOM_TEST_ROLE").ok()
}

fn backing() -> Backing {
    match std::env::var("HEADROOM_TEST_BACKING").as_deref() {
        Ok("named") => Backing::Named,
        _ => Backing::Usual,
    }
}

/// A program that can be attached to, until it is killed.
#[test]
#[ignore = "started by the tests below"]
fn be_a_server() {
    if role().is_none() {
        return;
    }
    let mut server = Server::open(backing()).unwrap();
    let mut publisher = server.publisher().unwrap();
    let start = Instant::now();
    let mut to = 0;
    while start.elapsed() < Duration::from_secs(60) {
        for incoming in server.look().commands {
            server.reply(&incoming, Ok("done".to_owned()));
        }
        server.beat(true);
        to += 512;
        publisher.publish(to, |frame| frame.master.peak = [0.5; 2]);
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// A client that is killed while it attaches, reads or sends.
#[test]
#[ignore = "started by the tests below"]
fn be_a_client() {
    if role().is_none() {
        return;
    }
    let mut client = Client::attach_to_newest().unwrap();
    client.want_sound(true);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        let _full = client.send(&Order::Undo);
        client.meters();
        client.replies();
    }
}

/// A moment that differs from round to round.
fn moment(round: usize) -> Duration {
    Duration::from_micros((round as u64).wrapping_mul(7_919) % 9_000)
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Each test has a folder and a process of its own.
fn alone(test: &str, backing: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = again(test, &folder.path().join("own"));
    command
        .env("HEADROOM_TEST_BACKING", backing)
        .stdout(Stdio::piped());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn clients_that_are_killed_leave_the_program_as_it_was() {
    alone("with_killed_clients", "sealed");
}

#[test]
#[ignore = "run by the test above, in a folder of its own"]
fn with_killed_clients() {
    let folder = std::env::var_os("HEADROOM_RUNTIME_DIR").unwrap();
    let mut server = Server::open(backing()).unwrap();
    let mut publisher = server.publisher().unwrap();
    let (descriptors, mappings) = (own_descriptors(), own_mappings());
    let (mut to, mut arrived, mut commands) = (0, 0, 0);
    for round in 0..ROUNDS {
        let client = again("be_a_client", Path::new(&folder)).spawn().unwrap();
        let start = Instant::now();
        // Most are killed when they have come in, some on their way.
        let attached = arrived;
        let patience = if round % 5 == 0 {
            moment(round)
        } else {
            Duration::from_secs(5)
        };
        while start.elapsed() < patience && arrived == attached {
            arrived += server.look().arrived;
        }
        let since = Instant::now();
        while since.elapsed() < moment(round) / 4 {
            for incoming in server.look().commands {
                commands += 1;
                server.reply(&incoming, Ok(String::new()));
            }
            to += 512;
            publisher.publish(to, |frame| frame.master.peak = [0.5; 2]);
        }
        kill(client);
    }
    server.look();
    server.look();
    assert_eq!(server.clients(), 0);
    assert!(!publisher.is_watched() && !publisher.is_listened_to());
    assert!(arrived > ROUNDS / 2, "{arrived}");
    assert!(commands > arrived, "{commands}");
    assert_eq!(
        server.bad_commands(),
        0,
        "a killed client's half commands are not seen"
    );
    assert_eq!(own_descriptors(), descriptors);
    assert_eq!(own_mappings(), mappings);
}

#[test]
fn programs_that_are_killed_are_noticed_at_once_and_leave_nothing() {
    for backing in ["sealed", "named"] {
        alone("with_killed_programs", backing);
    }
}

#[test]
#[ignore = "run by the test above, in a folder of its own"]
fn with_killed_programs() {
    let folder = std::env::var_os("HEADROOM_RUNTIME_DIR").unwrap();
    let folder = Path::new(&folder);
    let mut held = (0, 0);
    let rounds = if backing() == Backing::Named {
        ROUNDS / 10
    } else {
        ROUNDS
    };
    for round in 0..rounds {
        // Behind what the system opens once for who attaches first.
        if round == 2 {
            held = (own_descriptors(), own_mappings());
        }
        let program = again("be_a_server", folder).spawn().unwrap();
        if round % 7 == 0 {
            // On its way up.
            std::thread::sleep(moment(round));
            kill(program);
            continue;
        }
        let start = Instant::now();
        let mut client = loop {
            match Client::attach_to_newest() {
                Ok(client) if client.pid() == program.id() => break client,
                _ => assert!(start.elapsed() < Duration::from_secs(10), "round {round}"),
            }
        };
        let _sent = client.send(&Order::Undo).unwrap();
        std::thread::sleep(moment(round) / 8);
        kill(program);
        let dead = Instant::now();
        while client.state() != State::Gone {
            assert!(
                dead.elapsed() < Duration::from_secs(1),
                "round {round}: it is not noticed"
            );
            client.meters();
            client.replies();
        }
    }
    // The next one to start sweeps.
    drop(Server::open(backing()).unwrap());
    assert!(!folder.exists(), "the folder goes with the last one in it");
    assert_eq!(named_segments(), 0);
    assert_eq!((own_descriptors(), own_mappings()), held);
}

#[test]
#[cfg(target_os = "linux")]
fn another_user_cannot_attach() {
    alone("as_another_user", "sealed");
}

/// Needs a superuser, who can become another; is the folder opened by somebody, the socket still asks who it is.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "run by the test above, in a folder of its own"]
fn as_another_user() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = std::env::var_os("HEADROOM_RUNTIME_DIR").unwrap();
    let mut server = Server::open(Backing::Usual).unwrap();
    let path = server.path().unwrap().to_owned();
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // Where everybody can run it.
    let place = tempfile::tempdir().unwrap();
    open(place.path(), 0o755);
    let program = place.path().join("stranger");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    open(&program, 0o755);
    let attempt = |server: &mut Server| {
        let mut stranger = Command::new(&program);
        stranger.args(["--exact", "be_a_stranger", "--ignored", "--nocapture"]);
        let spawned = stranger
            .env("HEADROOM_TEST_SOCKET", &path)
            .uid(65_534)
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut stranger) = spawned else {
            eprintln!("not a superuser: the system itself is not asked");
            return None;
        };
        let mut arrived = 0;
        while stranger.try_wait().unwrap().is_none() {
            arrived += server.look().arrived;
        }
        assert_eq!(arrived, 0);
        let output = stranger.wait_with_output().unwrap();
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(said) = attempt(&mut server) else {
        return;
    };
    assert!(said.contains("refused: the folder"), "{said}");
    // As if somebody had opened folder and socket to all.
    let mut up = Path::new(&folder);
    while let Some(parent) = up.parent().filter(|parent| *parent != Path::new("/tmp")) {
        if parent == Path::new("/") {
            break;
        }
        open(parent, 0o755);
        up = parent;
    }
    open(Path::new(&folder), 0o755);
    open(&path, 0o777);
    let said = attempt(&mut server).unwrap();
    assert!(said.contains("refused: by the program"), "{said}");
    assert_eq!(server.clients(), 0);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "started by the test above"]
fn be_a_stranger() {
    let Ok(socket) = std::env::var("HEADROOM_TEST_SOCKET") else {
        return;
    };
    println!(
        "{}",
        match Client::attach(Path::new(&socket)) {
            Ok(_) => "let in".to_owned(),
            Err(AttachError::Connect { .. }) => "refused: the folder".to_owned(),
            Err(AttachError::Refused | AttachError::Stranger | AttachError::System(_)) =>
                "refused: by the program".to_owned(),
            Err(error) => error.to_string(),
        }
    );
}
