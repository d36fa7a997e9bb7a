//! The screen when what it stands on goes away: its program, its window; and how often it draws.

#![cfg(target_os = "linux")]

mod common;

use common::{Stage, end, frames, last_words, wait_for};
use std::io::Read;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_screen_whose_program_was_killed_comes_back_with_the_rack_of_the_next() {
    let stage = Stage::new();
    std::fs::write(
        stage.place.path().join("quiet.toml"),
        "headroom = 1\nname = \"Quiet\"\n\n[[module]]\nkind = \"gain\"\n\n[module.params]\ngain_db = -12.0\n",
    )
    .unwrap();
    let mut first = stage.play(&["plain.toml", "--loop", "--no-gui"]);
    let mut screen = stage.screen(&[]);
    let window = stage.window();
    wait_for("the first rack", || {
        stage.gain_db().filter(|gain| *gain == 0.0)
    });
    first.kill().unwrap();
    first.wait().unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(screen.try_wait().unwrap().is_none(), "the screen waits");
    let second = stage.play(&["quiet.toml", "--loop", "--no-gui"]);
    wait_for("the second rack", || {
        stage.gain_db().filter(|gain| *gain == -12.0)
    });
    std::thread::sleep(Duration::from_millis(1_500));
    // From where the new rack stands, not from where the old one stood.
    stage.drag_first_knob(window, 15);
    let moved = wait_for("a drag", || stage.gain_db().filter(|gain| *gain != -12.0));
    assert!(moved < -12.5 && moved > -40.0, "{moved} dB");
    end(second);
    screen.kill().unwrap();
    screen.wait().unwrap();
}

#[test]
fn a_window_that_another_program_destroys_is_said_in_one_line_and_opened_anew() {
    let stage = Stage::new();
    let mut program = stage.play(&["plain.toml", "--loop"]);
    let first = wait_for("a window", || stage.windows().into_iter().next());
    std::thread::sleep(Duration::from_millis(500));
    stage.xdotool(&["windowclose", &first]);
    // Numbers of windows may be given again: it is another process that is looked for.
    wait_for("another window", || stage.windows().into_iter().next());
    std::thread::sleep(Duration::from_millis(500));
    assert!(stage.gain_db().is_some(), "the program plays on");
    let ended = Command::new("kill")
        .args(["-INT", &program.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    let mut said = String::new();
    let mut errors = program.stderr.take().unwrap();
    errors.read_to_string(&mut said).unwrap();
    assert!(program.wait().unwrap().success());
    let screens: Vec<_> = said
        .lines()
        .filter(|line| line.contains("headroom-gui:"))
        .collect();
    assert_eq!(
        screens,
        ["headroom-gui: another program has destroyed the window"],
        "{said}"
    );
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let stage = Stage::new();
    let screen = stage.screen(&["--stats"]);
    let window = wait_for("a window", || stage.windows().into_iter().next());
    std::thread::sleep(Duration::from_secs(4));
    stage.xdotool(&["windowclose", &window]);
    let said = last_words(screen);
    assert!((1.0..=4.0).contains(&frames(&said)), "{said}");
}

#[test]
fn no_more_than_sixty_frames_a_second_are_drawn_whatever_the_mouse_does() {
    let stage = Stage::new();
    let program = stage.play(&["plain.toml", "--loop", "--no-gui"]);
    let start = Instant::now();
    let screen = stage.screen(&["--stats"]);
    let (x, y) = stage.window();
    // A knob is turned as fast as a mouse can tell.
    let at = |dx: i32, dy: i32| [(x + dx).to_string(), (y + dy).to_string()];
    let [knob_x, knob_y] = at(136, 240);
    stage.xdotool(&["mousemove", &knob_x, &knob_y, "mousedown", "1"]);
    let mut moves = 0;
    let dragged = Instant::now();
    while dragged.elapsed() < Duration::from_secs(3) {
        let mut command: Vec<String> = Vec::new();
        for step in 0..40 {
            let [to_x, to_y] = at(136, 240 + (moves + step) % 37);
            command.extend([
                "mousemove".to_owned(),
                to_x,
                to_y,
                "sleep".to_owned(),
                "0.002".to_owned(),
            ]);
        }
        moves += 40;
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        stage.xdotool(&words);
    }
    assert!(moves > 300, "{moves} moves try nothing");
    stage.xdotool(&["mouseup", "1"]);
    let window = stage.windows().into_iter().next().unwrap();
    stage.xdotool(&["windowclose", &window]);
    let said = last_words(screen);
    let most = start.elapsed().as_secs_f64() * 60.5 + 2.0;
    assert!(frames(&said) <= most, "more than {most}: {said}");
    assert!(frames(&said) > 30.0, "it draws: {said}");
    end(program);
}

#[test]
fn a_hidden_screen_draws_once_a_second() {
    let stage = Stage::new();
    let program = stage.play(&["plain.toml", "--loop", "--no-gui"]);
    let screen = stage.screen(&["--stats", "--size", "500x400"]);
    let window = wait_for("a window", || stage.windows().into_iter().next());
    let cover = stage.screen(&["--size", "880x580"]);
    wait_for("a window over it", || {
        (stage.windows().len() == 2).then_some(())
    });
    std::thread::sleep(Duration::from_secs(2));
    // All from here on is hidden.
    let before = Instant::now();
    std::thread::sleep(Duration::from_secs(8));
    let hidden_secs = before.elapsed().as_secs_f64();
    stage.xdotool(&["windowclose", &window]);
    let said = last_words(screen);
    let (_, secs) = said
        .split_once(" frames in ")
        .expect("the figures are said");
    let (secs, _) = secs.split_once(" s").expect("the figures are said");
    let shown_secs = (secs.parse::<f64>().unwrap() - hidden_secs).max(0.0);
    let most = shown_secs * 60.5 + hidden_secs * 1.1 + 3.0;
    assert!(frames(&said) <= most, "more than {most}: {said}");
    let mut cover = cover;
    cover.kill().unwrap();
    cover.wait().unwrap();
    end(program);
}
