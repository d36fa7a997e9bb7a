use super::*;

fn whole() -> Remembered {
    let devices = Devices {
        output_device: Some("hw:CARD=USB,DEV=0".to_owned()),
        output_name: Some("A \"quoted\" name".to_owned()),
        outputs: Some("3,4".to_owned()),
        rate_hz: Some(96_000),
        block_frames: Some(64),
        ..Devices::default()
    };
    Remembered {
        headroom: VERSION,
        backend: Some(Backend::Alsa),
        preset: Some("/racks/my rack.toml".to_owned()),
        on: BTreeMap::from([
            (Backend::Alsa, devices),
            (Backend::Jack, Devices::default()),
        ]),
    }
}

fn load_text(text: impl AsRef<[u8]>) -> Result<Remembered, MemoryFileError> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("play.toml");
    fs::write(&path, text).unwrap();
    Remembered::load(&path)
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("not/yet/there/play.toml");
    assert_eq!(Remembered::load(&path).unwrap(), Remembered::default());
    whole().save(&path).unwrap();
    assert_eq!(Remembered::load(&path).unwrap(), whole());
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "a file beside it was left behind");
}

#[test]
fn a_save_that_fails_leaves_the_old_file() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("play.toml");
    whole().save(&path).unwrap();
    // A folder in the file's place cannot be replaced by a file.
    let taken = place.path().join("taken.toml");
    fs::create_dir_all(taken.join("full")).unwrap();
    let error = whole().save(&taken).unwrap_err().to_string();
    assert!(error.contains("taken.toml"), "{error}");
    assert_eq!(Remembered::load(&path).unwrap(), whole());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn what_a_killed_save_left_behind_is_swept_and_another_save_under_way_is_not() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("play.toml");
    let minutes_ago = std::time::SystemTime::now() - Duration::from_secs(120);
    let put = |name: &str, is_old: bool| {
        let file = fs::File::create(place.path().join(name)).unwrap();
        if is_old {
            file.set_modified(minutes_ago).unwrap();
        }
    };
    put(".playKilled", true);
    put(".playNow", false);
    put("play.toml.damaged", true);
    put(".other", true);
    whole().save(&path).unwrap();
    let files = fs::read_dir(place.path()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        [".other", ".playNow", "play.toml", "play.toml.damaged"]
    );
}

#[test]
fn what_is_remembered_can_be_said() {
    assert_eq!(Remembered::default().said(), None);
    let said = "backend `alsa`, output `A \"quoted\" name`, outputs `3,4`, 96000 Hz, block 64, \
                preset `/racks/my rack.toml`";
    assert_eq!(whole().said().as_deref(), Some(said));
}

#[test]
fn damage_is_told_with_its_line_and_what_was_expected() {
    let cases: &[(&[u8], usize, &str)] = &[
        (b"", 1, "headroom"),
        (b"headroom = 0\n", 1, "expected 1"),
        (b"headroom = 1\nbackend = \"oss\"\n", 2, "jack"),
        (b"headroom = 1\n\nvolume = 3\n", 3, "volume"),
        (
            b"headroom = 1\n[on.alsa]\nrate_hz = 1\n",
            3,
            "8000 to 384000 Hz",
        ),
        (
            b"headroom = 1\n[on.alsa]\nblock_frames = -5\n",
            3,
            "1 to 8192 frames",
        ),
        (
            b"headroom = 1\n[on.alsa]\noutputs = \"0\"\n",
            3,
            "channels from 1",
        ),
        (b"headroom = 1\n[on.mars]\n", 2, "mars"),
        (b"headroom = 1\npreset = \"voi", 2, "string"),
        (b"headroom = 1\npreset = \"\xff\"\n", 2, "UTF-8"),
        (b"\0\0\0\0\0\0\0\0", 1, ""),
    ];
    for (text, expected_line, part) in cases {
        let shown = String::from_utf8_lossy(text).into_owned();
        match load_text(text).unwrap_err() {
            MemoryFileError::Damaged { line, what, .. } => {
                assert_eq!(line, *expected_line, "{shown}: {what}");
                assert!(what.contains(part), "{shown}: no `{part}` in {what}");
                assert!(!what.contains('\n'), "{what}");
            }
            other => panic!("{shown}: {other}"),
        }
    }
}

#[test]
fn what_a_newer_headroom_wrote_is_no_damage() {
    let error = load_text("headroom = 2\nstrange = []\n").unwrap_err();
    assert!(
        matches!(error, MemoryFileError::Newer { version: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_file_is_kept_aside_whole() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("play.toml");
    fs::write(&path, "not = ours").unwrap();
    let aside = keep_aside(&path).unwrap();
    assert!(!path.exists());
    assert_eq!(fs::read_to_string(aside).unwrap(), "not = ours");
}
