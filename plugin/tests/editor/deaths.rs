//! Screens that die, hang, or are not there; hosts that die.

use std::time::{Duration, Instant};

use crate::display::{
    Stage, host_to_kill, move_mouse, on_a_display, screens_of, signal, wait_for, xdotool,
};
use crate::open::{KILLS, Open, assert_untouched, load};

#[test]
fn a_screen_that_is_killed_is_back_once_by_itself_and_then_by_a_click() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let kills =
            std::env::var("HEADROOM_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
        let mut slowest = Duration::ZERO;
        let mut by_click = 0;
        for kill in 0..kills {
            let pid = open.screen_pid().expect("a screen");
            signal(pid, "KILL");
            let killed = Instant::now();
            open.play_until("words where it was", |open| stage.has_words(open.socket));
            slowest = slowest.max(killed.elapsed());
            if kill == 1 {
                open.play(Duration::from_millis(200));
                stage.keep_picture("clack-killed");
            }
            // It comes by itself the first time, and by a click when it had not lived for long.
            open.play(Duration::from_millis(300));
            if screens_of(std::process::id()).is_empty() {
                by_click += 1;
                move_mouse(300 + kill as i32 % 7, 300);
                xdotool(&["click", "1"]);
            }
            open.play_until("another screen", |open| {
                stage.has_screen(open.socket) && open.screen_pid().is_some_and(|it| it != pid)
            });
        }
        eprintln!("{kills} kills, {by_click} by a click; words after at most {slowest:?}");
        assert!(slowest < Duration::from_secs(3), "{slowest:?}");
        assert!((1..kills).contains(&by_click), "{by_click} of {kills}");
        assert_untouched(&open, &entry);
        open.close();
        wait_for("no screen", || {
            screens_of(std::process::id()).is_empty().then_some(())
        });
    });
}

#[test]
fn a_screen_that_has_lived_for_long_is_back_by_itself_once_and_not_twice() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        // As long as earns it another time.
        open.play(Duration::from_secs(11));
        let first = open.screen_pid().expect("a screen");
        signal(first, "KILL");
        open.play_until("another screen", |open| {
            stage.has_screen(open.socket) && open.screen_pid().is_some_and(|it| it != first)
        });
        let second = open.screen_pid().expect("a screen");
        signal(second, "KILL");
        open.play_until("words where it was", |open| stage.has_words(open.socket));
        open.play(Duration::from_secs(1));
        assert!(
            screens_of(std::process::id()).is_empty(),
            "it waits for a click"
        );
        open.close();
    });
}

#[test]
fn a_screen_that_hangs_is_told_of_and_comes_back_or_is_replaced() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let pid = open.screen_pid().expect("a screen");
        signal(pid, "STOP");
        let stopped = Instant::now();
        open.play_until("words over it", |open| stage.has_words(open.socket));
        eprintln!(
            "words over a screen that hangs after {:?}",
            stopped.elapsed()
        );
        assert!(stopped.elapsed() < Duration::from_secs(3));
        stage.keep_picture("clack-hangs");
        // It goes on: nothing was lost.
        signal(pid, "CONT");
        open.play_until("the same again", |open| stage.has_screen(open.socket));
        assert_eq!(open.screen_pid(), Some(pid));
        // It does not: another comes.
        signal(pid, "STOP");
        open.play_until("another screen", |open| {
            open.screen_pid().is_some_and(|it| it != pid) && stage.has_screen(open.socket)
        });
        assert_untouched(&open, &entry);
        open.close();
    });
}

#[test]
fn a_screen_that_is_missing_is_said_to_be_and_found_by_a_click() {
    on_a_display(|stage| {
        std::fs::remove_file(stage.bundle.screen()).unwrap();
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.play_until("words", |open| stage.has_words(open.socket));
        open.play(Duration::from_millis(300));
        assert!(screens_of(std::process::id()).is_empty());
        stage.keep_picture("clack-missing");
        // There is something to read: more than the ground's colour.
        let seen = stage.picture(0, 0, 900, 600);
        let ground = seen[0];
        assert!(seen.iter().filter(|pixel| **pixel != ground).count() > 500);
        stage.bundle.add_screen();
        move_mouse(450, 300);
        xdotool(&["click", "1"]);
        open.wait_for_screen();
        assert_untouched(&open, &entry);
        open.close();
    });
}

#[test]
fn a_host_that_is_killed_takes_its_screen_with_it() {
    let body = |stage: &Stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.play(Duration::from_secs(60));
    };
    let look = |host| {
        let screen = screens_of(host).first().copied()?;
        // It has started by itself when it has read who it is.
        let started = std::fs::read_link(format!("/proc/{screen}/exe")).ok()?;
        let is_up = std::fs::read_dir(format!("/proc/{screen}/fd"))
            .ok()?
            .count()
            > 8;
        (is_up && started.ends_with("headroom-gui")).then_some(screen)
    };
    host_to_kill(body, look);
}

#[test]
fn a_plugin_that_is_let_go_of_with_its_editor_open_leaves_nothing() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        // The window goes first, as when a host is closed in a hurry.
        stage.destroy(open.window);
        open.play(Duration::from_millis(300));
        assert_untouched(&open, &entry);
        drop(open);
        wait_for("no screen", || {
            screens_of(std::process::id()).is_empty().then_some(())
        });
    });
}
