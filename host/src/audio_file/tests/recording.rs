//! Claims about recordings: whole, or what can be saved, and nothing else is touched.

use std::fs;

use super::super::{Reader, Recording, WriteError};
use super::{SampleFormat, layout, noise};

/// Frames of what `path` holds, by its own header.
fn frames_in(path: &std::path::Path) -> u64 {
    Reader::open(path).unwrap().length_frames().unwrap()
}

#[test]
fn what_grows_can_be_opened_after_every_checkpoint_in_every_format_and_size() {
    let folder = tempfile::tempdir().unwrap();
    for (at, format) in [SampleFormat::F32, SampleFormat::S24, SampleFormat::S16]
        .into_iter()
        .enumerate()
    {
        // The second limit makes it an RF64 file on the way.
        for (limit_at, limit) in [u64::from(u32::MAX) - 1, 100_000].into_iter().enumerate() {
            let path = folder.path().join(format!("take {at} {limit_at}.wav"));
            let audio = noise(2, 20_000);
            let [left, right] = [&audio[0], &audio[1]];
            let mut recording = Recording::with_limit(&path, layout(2, format), limit).unwrap();
            let part = recording.growing_path().to_owned();
            assert_eq!(part, path.with_extension("wav.part"));
            for (step, frames) in [5_000, 12_345, 20_000].into_iter().enumerate() {
                let from = [0, 5_000, 12_345][step];
                recording
                    .write(&[&left[from..frames], &right[from..frames]])
                    .unwrap();
                recording.checkpoint(step == 1).unwrap();
                assert_eq!(frames_in(&part), frames as u64, "{format:?}, limit {limit}");
            }
            assert!(!path.exists());
            let recorded = recording.finish().unwrap();
            assert_eq!((&recorded.path, recorded.written.frames), (&path, 20_000));
            assert!(!part.exists());
            assert_eq!(frames_in(&path), 20_000);
        }
    }
}

#[test]
fn a_recording_takes_the_place_of_nothing_not_even_of_what_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("take.wav");
    let layout = layout(2, SampleFormat::F32);
    let (first, second) = (
        Recording::create(&path, layout).unwrap(),
        Recording::create(&path, layout).unwrap(),
    );
    assert_ne!(first.growing_path(), second.growing_path());
    fs::write(&path, "somebody else's").unwrap();
    let names = [first, second].map(|recording| recording.finish().unwrap().path);
    let [one, other] = ["take-2.wav", "take-3.wav"].map(|name| folder.path().join(name));
    assert_eq!(names, [one, other]);
    assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
    let refused = Recording::create(&path, layout);
    assert!(matches!(refused, Err(WriteError::Exists { .. })));
}

#[test]
fn what_is_dropped_stays_beside_its_name_and_what_is_saved_ends_on_a_whole_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("take.wav");
    let audio = noise(2, 30_000);
    let mut dropped = Recording::create(&path, layout(2, SampleFormat::S24)).unwrap();
    dropped.write(&[&audio[0], &audio[1]]).unwrap();
    dropped.checkpoint(false).unwrap();
    let part = dropped.growing_path().to_owned();
    drop(dropped);
    assert_eq!(frames_in(&part), 30_000);

    let mut cut = Recording::create(&path, layout(2, SampleFormat::S24)).unwrap();
    cut.write(&[&audio[0], &audio[1]]).unwrap();
    cut.checkpoint(false).unwrap();
    // What the disk has taken ends inside a frame.
    let part = cut.growing_path().to_owned();
    let file = fs::File::options().write(true).open(&part).unwrap();
    file.set_len(file.metadata().unwrap().len() - 6 * 1_000 - 1)
        .unwrap();
    let recorded = cut.salvage().unwrap();
    assert_eq!(recorded.path, folder.path().join("take-cut-short.wav"));
    assert_eq!(recorded.written.frames, 28_999);
    assert_eq!(frames_in(&recorded.path), 28_999);
    assert!(!part.exists());
}
