//! Many openings, several editors at once, and what none of them leaves or takes along.

use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::display::{files_and_threads, on_a_display, screens_of, wait_for};
use crate::host::Told;
use crate::open::{KNOB, Open, assert_untouched, load};

#[test]
fn a_hundred_openings_leave_no_descriptor_no_process_and_no_thread() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        open.close();
        let settled = |open: &mut Open<'_>| {
            open.play_until("the end of it", |_| {
                screens_of(std::process::id()).is_empty()
            });
            open.play(Duration::from_millis(200));
            files_and_threads(std::process::id())
        };
        let before = settled(&mut open);
        for round in 0..100 {
            open.open(0, 0);
            match round % 10 {
                // All the way, in its first moments, and before there is one.
                0 => open.wait_for_screen(),
                1..=6 => open.play(Duration::from_millis(15 * round % 200)),
                _ => {}
            }
            open.close();
        }
        assert_eq!(settled(&mut open), before, "descriptors and threads");
        assert_untouched(&open, &entry);
    });
}

#[test]
fn two_editors_at_once_are_two_screens_and_move_each_their_own() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut left = Open::new(stage, &entry, 0, 0);
        let mut right = Open::new(stage, &entry, 950, 0);
        left.wait_for_screen();
        right.wait_for_screen();
        assert_eq!(screens_of(std::process::id()).len(), 2);
        let id = left.instance.id("Gain Gain");
        let rest = left.instance.value(id);
        right.drag((950 + KNOB.0, KNOB.1), 60);
        left.play(Duration::from_millis(100));
        assert!(right.take_told().contains(&Told::Begin(id)));
        assert_eq!(left.take_told(), []);
        assert_eq!(left.instance.value(id), rest);
        assert_ne!(right.instance.value(id), rest);
        stage.keep_picture("clack-two");
        right.close();
        wait_for("one screen", || {
            (screens_of(std::process::id()).len() == 1).then_some(())
        });
        left.drag(KNOB, 60);
        assert!(left.take_told().contains(&Told::Begin(id)));
        left.close();
    });
}

#[test]
fn a_screen_inherits_nothing_of_the_host() {
    on_a_display(|stage| {
        let entry = load(stage);
        let secret = stage.bundle.path().join("secret");
        let file = std::fs::File::create(&secret).unwrap();
        // As the files of many hosts are: open for every child.
        let none = nix::fcntl::FdFlag::empty();
        nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFD(none)).unwrap();
        assert!(std::env::var_os("LD_LIBRARY_PATH").is_some());
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let pid = open.screen_pid().expect("a screen");
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let names: Vec<_> = files
            .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
            .collect();
        assert!(names.len() > 3, "{names:?}");
        assert!(
            !names.contains(&secret),
            "descriptor {}: {names:?}",
            file.as_raw_fd()
        );
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let has = |name: &str| {
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| variable.starts_with(name.as_bytes()))
        };
        assert!(has("DISPLAY="));
        assert!(
            !has("LD_LIBRARY_PATH="),
            "the host's libraries are not the screen's"
        );
        open.close();
    });
}
