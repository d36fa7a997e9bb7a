//! Two ends of one segment: what the server shows is what a client sees, for both kinds of segment.

use std::time::Duration;

use headroom_ipc::board::{KindInfo, ModuleInfo, ParamInfo};
use headroom_ipc::{
    AttachError, Axis, Backing, Client, Command, Curve, Description, HealthInfo, Lane, MAX_CLIENTS,
    MemoryInfo, Server, State, Stream, Tap, Walk, pair_with,
};

const BOTH: [Backing; 2] = [Backing::Usual, Backing::Named];

fn description() -> Description {
    Description {
        program: "headroom".to_owned(),
        rack: "Voice".to_owned(),
        kinds: vec![KindInfo {
            id: "gain".to_owned(),
            name: "Gain".to_owned(),
            about: String::new(),
            params: vec![ParamInfo {
                id: "gain_db".to_owned(),
                name: "Gain".to_owned(),
                unit: "dB".to_owned(),
                min: -60.0,
                max: 24.0,
                default: 0.0,
                walk: Walk::Linear,
                labels: Vec::new(),
                structural: false,
            }],
            handles: Vec::new(),
            reduces: false,
        }],
        modules: vec![ModuleInfo {
            id: "gain".to_owned(),
            kind: 0,
            lane: 5,
            first_value: 0,
            latency_frames: 0,
        }],
        ..Description::default()
    }
}

#[test]
fn a_client_sees_what_the_server_shows() {
    for backing in BOTH {
        let (mut server, mut client) = pair_with(backing).unwrap();
        assert_eq!(client.pid(), std::process::id());
        assert_eq!(client.description(), None);

        assert!(server.describe(&description()));
        let seen = client.description().unwrap();
        assert_eq!(*seen, description());
        assert!(server.describe(&description()));
        let again = client.description().unwrap();
        assert!(
            std::sync::Arc::ptr_eq(&seen, &again),
            "nothing new, nothing read"
        );

        let before = client.values_generation();
        server.set_value(2, -6.5, "-6.5 dB");
        assert_ne!(client.values_generation(), before);
        let value = client.value(2).unwrap();
        assert_eq!((value.value, value.text.as_str()), (-6.5, "-6.5 dB"));
        let now = client.values_generation();
        server.set_value(2, -6.5, "-6.5 dB");
        assert_eq!(client.values_generation(), now, "what is shown already");
        assert_eq!(client.value(3), None);
        assert_eq!(client.value(1 << 20), None);

        let curve = Curve {
            x: (Axis::FrequencyHz, 20.0, 20_000.0),
            y: (Axis::Decibels, -24.0, 24.0),
            stems: false,
            points: (0..200).map(|at| (at as f32, -1.0)).collect(),
        };
        server.set_curve(0, Some(&curve));
        assert_eq!(client.curve(0), Some(curve));
        server.set_curve(0, None);
        assert_eq!(client.curve(0), None);

        let health = HealthInfo {
            blocks: 12,
            ..HealthInfo::default()
        };
        assert!(server.show_health(&health));
        assert_eq!(*client.health().unwrap(), health);
        assert!(server.show_memory(&MemoryInfo::default()));
        assert_eq!(*client.memory().unwrap(), MemoryInfo::default());
    }
}

#[test]
fn a_rack_that_is_too_large_for_the_board_leaves_the_one_before() {
    let (mut server, mut client) = pair_with(Backing::Usual).unwrap();
    assert!(server.describe(&description()));
    let mut large = description();
    large.rack = "x".repeat(300_000);
    assert!(!server.describe(&large));
    assert_eq!(*client.description().unwrap(), description());
    let mut next = description();
    next.rack = "next".to_owned();
    assert!(server.describe(&next));
    assert_eq!(client.description().unwrap().rack, "next");
}

#[test]
fn levels_and_sound_arrive_while_somebody_looks_and_listens() {
    for backing in BOTH {
        let (mut server, mut client) = pair_with(backing).unwrap();
        let mut publisher = server.publisher().unwrap();
        assert!(server.publisher().is_none(), "one at a time");
        assert!(publisher.is_watched());
        assert!(!publisher.is_listened_to());
        client.want_sound(true);
        server.look();
        assert!(publisher.is_listened_to());

        publisher.set_sample_rate_hz(48_000);
        assert_eq!(publisher.publication_frames(), 512);
        let loud = Lane {
            peak: [0.5, 0.25],
            mean_square: [0.1, 0.2],
            reduction_db: 3.0,
        };
        publisher.publish(512, |frame| {
            frame.master = loud;
            frame.set(5, loud);
        });
        let span = client.meters().unwrap();
        assert_eq!(span.frame.master, loud);
        assert_eq!(span.frame.lane(5), Some(&loud));
        assert_eq!(client.meters(), None);

        publisher.before(&[0.1, 0.2], &[-0.1, -0.2]);
        publisher.after(&[0.3], &[-0.3]);
        let mut heard = Vec::new();
        assert_eq!(client.sound(Tap::Before, 10, &mut heard), 2);
        assert_eq!(heard, [[0.1, -0.1], [0.2, -0.2]]);
        assert_eq!(client.sound(Tap::After, 10, &mut heard), 1);
        assert_eq!(heard, [[0.3, -0.3]]);

        // After a pause both go on: 37 frames behind a place where a whole chunk may begin.
        publisher.align(64 + 37);
        publisher.after(&[0.5; 30], &[0.5; 30]);
        assert_eq!(client.sound(Tap::After, 30, &mut heard), 64 + 37 + 30);
        assert_eq!(heard, [[0.5, 0.5]; 30]);
        publisher.before(&[0.25; 3], &[0.25; 3]);
        assert_eq!(client.sound(Tap::Before, 3, &mut heard), 64 + 37 + 3);
        publisher.align(0);
        publisher.before(&[0.5; 64], &[-0.5; 64]);
        assert_eq!(client.sound(Tap::Before, 64, &mut heard), 192 + 64);
        assert_eq!(heard, [[0.5, -0.5]; 64]);

        // The rack was built anew for another device: the next writer goes on.
        drop(publisher);
        let mut next = server.publisher().unwrap();
        next.publish(1024, |frame| frame.master = loud);
        assert_eq!(client.meters().unwrap().publications, 1);

        drop(client);
        server.look();
        assert!(!next.is_watched());
        assert!(!next.is_listened_to());
    }
}

#[test]
fn higher_rates_publish_as_often_in_time() {
    let (server, _client) = pair_with(Backing::Usual).unwrap();
    let mut publisher = server.publisher().unwrap();
    for (rate_hz, frames) in [
        (8_000, 512),
        (44_100, 512),
        (48_000, 512),
        (96_000, 1_024),
        (192_000, 2_048),
        (384_000, 4_096),
    ] {
        publisher.set_sample_rate_hz(rate_hz);
        assert_eq!(publisher.publication_frames(), frames, "{rate_hz}");
    }
}

#[test]
fn a_command_is_answered_to_the_one_who_sent_it() {
    for backing in BOTH {
        let (mut server, mut client) = pair_with(backing).unwrap();
        let (ours, theirs) = Stream::pair().unwrap();
        server.admit(ours).unwrap();
        let mut other = Client::from_stream(theirs).unwrap();

        let sequence = client.send(&Command::Undo).unwrap();
        let look = server.look();
        assert_eq!(look.commands.len(), 1);
        server.reply(&look.commands[0], Err("nothing to undo".to_owned()));
        let replies = client.replies();
        assert_eq!(replies[0].sequence, sequence);
        assert_eq!(replies[0].result, Err("nothing to undo".to_owned()));
        assert_eq!(client.applied(), sequence);
        assert!(other.replies().is_empty());
        assert_eq!(other.applied(), 0);

        // Who comes into the place of one that has left gets none of its answers.
        client.send(&Command::Redo).unwrap();
        let late = server.look().commands;
        drop(client);
        server.look();
        let (ours, theirs) = Stream::pair().unwrap();
        server.admit(ours).unwrap();
        let mut next = Client::from_stream(theirs).unwrap();
        server.reply(&late[0], Ok("late".to_owned()));
        assert!(next.replies().is_empty());
        assert_eq!(next.applied(), 0);
    }
}

#[test]
fn there_is_room_for_so_many_and_the_next_is_told() {
    let (mut server, _first) = pair_with(Backing::Usual).unwrap();
    let mut clients = Vec::new();
    for _ in 1..MAX_CLIENTS {
        let (ours, theirs) = Stream::pair().unwrap();
        server.admit(ours).unwrap();
        clients.push(Client::from_stream(theirs).unwrap());
    }
    let (ours, theirs) = Stream::pair().unwrap();
    assert!(server.admit(ours).is_err());
    assert!(matches!(
        Client::from_stream(theirs),
        Err(AttachError::Refused)
    ));
    clients.pop();
    server.look();
    let (ours, theirs) = Stream::pair().unwrap();
    server.admit(ours).unwrap();
    Client::from_stream(theirs).unwrap();
}

#[test]
fn a_client_tells_a_device_that_is_gone_from_a_program_that_is() {
    let (server, mut client) = pair_with(Backing::Usual).unwrap();
    server.beat(true);
    assert_eq!(client.state(), State::Playing);
    server.beat(false);
    assert_eq!(client.state(), State::NotCalled);
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(client.state(), State::Stalled);
    server.beat(true);
    assert_eq!(client.state(), State::Playing);
    drop(server);
    assert_eq!(client.state(), State::Gone);
    assert!(client.send(&Command::Undo).is_err());
}

#[test]
fn who_never_answers_is_given_up_after_a_while() {
    let (_silent, theirs) = Stream::pair().unwrap();
    let start = std::time::Instant::now();
    assert!(matches!(
        Client::from_stream(theirs),
        Err(AttachError::Silent)
    ));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn nonsense_over_the_socket_is_an_error_and_nothing_else() {
    use std::io::Write;
    for bytes in [&b"x"[..], &[0; 96], &[255; 96], b"HRM:\x09\0\0\0"] {
        let (mut ours, theirs) = Stream::pair().unwrap();
        ours.write_all(bytes).unwrap();
        drop(ours);
        assert!(Client::from_stream(theirs).is_err());
    }
    let mut other_version = [0; 96];
    other_version[..4].copy_from_slice(b"HRM:");
    other_version[4] = 99;
    let (mut ours, theirs) = Stream::pair().unwrap();
    ours.write_all(&other_version).unwrap();
    assert!(matches!(
        Client::from_stream(theirs),
        Err(AttachError::Version(99))
    ));
    // The right words, but no memory beside them.
    other_version[4] = headroom_ipc::VERSION as u8;
    let (mut ours, theirs) = Stream::pair().unwrap();
    ours.write_all(&other_version).unwrap();
    assert!(matches!(
        Client::from_stream(theirs),
        Err(AttachError::Foreign)
    ));
}

/// Programs show themselves in a folder that an environment variable names: a test of its own process.
#[test]
fn a_program_is_found_in_the_runtime_folder_and_leaves_nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    let script = |what: &str| {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again
            .args(["--exact", "--ignored", what])
            .env("HEADROOM_RUNTIME_DIR", folder.path().join("own"));
        again.output().unwrap()
    };
    let output = script("in_a_folder_of_its_own");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(!folder.path().join("own").exists());
}

#[test]
#[ignore = "run by the test above, with a folder of its own"]
fn in_a_folder_of_its_own() {
    assert!(Client::running().unwrap().is_empty());
    assert!(matches!(
        Client::attach_to_newest(),
        Err(AttachError::Nobody)
    ));
    // What a program that was killed has left: no process has this number.
    let folder = std::path::PathBuf::from(std::env::var_os("HEADROOM_RUNTIME_DIR").unwrap());
    assert!(!folder.exists(), "looking makes nothing");
    std::fs::create_dir(&folder).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(folder.join("4194305-0.sock"), b"").unwrap();
    let mut server = Server::open(Backing::Usual).unwrap();
    let running = Client::running().unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!(running[0].pid, std::process::id());
    assert_eq!(Some(running[0].path.as_path()), server.path());
    let path = running[0].path.clone();
    let client = std::thread::spawn(move || Client::attach(&path));
    while server.look().arrived == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut client = client.join().unwrap().unwrap();
    client.send(&Command::Redo).unwrap();
    assert_eq!(server.look().commands[0].command, Command::Redo);
    drop(server);
    assert_eq!(client.state(), State::Gone);
    assert!(Client::running().unwrap().is_empty());
}
