//! Claims about mapped files.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::super::mapped_file::MappedFile;
use super::super::{ReadError, SampleFormat};
use super::{layout, noise, write_file};

fn mapped(path: &Path) -> MappedFile {
    let file = File::open(path).unwrap();
    MappedFile::new(file).unwrap_or_else(|_| panic!("it maps"))
}

fn cut(path: &Path, bytes: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(bytes).unwrap();
}

#[test]
fn what_is_mapped_is_what_is_in_the_file_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    // Several windows, and an end inside a page.
    let bytes: Vec<u8> = (0..3_500_001_u32).map(|i| (i * 7 / 3) as u8).collect();
    fs::write(&path, &bytes).unwrap();
    let mut file = mapped(&path);
    let mut read = Vec::new();
    file.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
    for at in [3_400_000, 0, 1_048_575, 2_097_152, 3_500_000, 5_000_000] {
        file.seek(SeekFrom::Start(at)).unwrap();
        let mut few = [0; 3];
        let count = file.read(&mut few).unwrap();
        let expected = bytes.get(at as usize..).unwrap_or(&[]);
        let expected = &expected[..expected.len().min(3)];
        assert_eq!(&few[..count], expected, "at {at}");
    }
    assert_eq!(file.seek(SeekFrom::End(-1)).unwrap(), 3_500_000);
    assert!(file.seek(SeekFrom::Current(-4_000_000)).is_err());
}

#[test]
fn a_file_that_is_cut_while_it_is_mapped_is_an_error_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    // To nothing, to the end of a page, into the page that is being read, and by one byte.
    for end in [0, 409_600, 500_123, 1_999_999] {
        fs::write(&path, vec![1; 2_000_000]).unwrap();
        let mut file = mapped(&path);
        let mut chunk = vec![0; 65_536];
        for _ in 0..7 {
            file.read_exact(&mut chunk).unwrap();
        }
        cut(&path, end);
        let mut rest = Vec::new();
        let error = file.read_to_end(&mut rest).unwrap_err();
        assert_ne!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("cut"), "{error}");
        assert!(rest.iter().all(|byte| *byte == 1), "zeros came through");
        // And again, after it has grown: what was mapped is not the file any more.
        cut(&path, 2_000_000);
        if end < 500_000 {
            assert!(file.read(&mut chunk).is_err());
        }
    }
}

#[test]
fn a_reader_says_that_its_file_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.wav");
    write_file(&path, layout(2, SampleFormat::F32), &noise(2, 100_000));
    let mut reader = super::Reader::open(&path).unwrap();
    let (mut left, mut right) = (vec![0.0; 10_000], vec![0.0; 10_000]);
    assert_eq!(reader.read(&mut [&mut left, &mut right]).unwrap(), 10_000);
    cut(&path, 100_000);
    let error = loop {
        match reader.read(&mut [&mut left, &mut right]) {
            Ok(count) => assert!(count > 0, "an ordinary end"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ReadError::Io { .. }), "{error:?}");
    let told = error.to_string();
    assert!(
        told.contains("cut.wav") && told.contains("was cut"),
        "{told}"
    );
}

#[test]
fn a_long_file_does_not_stay_in_memory_behind_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    let megabytes = 64;
    fs::write(&path, vec![1; megabytes << 20]).unwrap();
    let mut file = mapped(&path);
    let mut chunk = vec![0; 65_536];
    let mut most = 0;
    let before = resident_bytes();
    while file.read(&mut chunk).unwrap() > 0 {
        most = most.max(resident_bytes().saturating_sub(before));
    }
    assert!(most < 16 << 20, "{most} bytes");
    assert!(most > 500_000, "it was read through the map");
}

/// Bytes of files that this process has in its memory.
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssFile:"));
    let kilobytes: usize = line
        .and_then(|line| line.split_ascii_whitespace().nth(1))
        .and_then(|number| number.parse().ok())
        .unwrap();
    kilobytes * 1024
}

#[test]
fn more_files_than_can_be_watched_are_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.wav");
    let audio = noise(1, 1_000);
    write_file(&path, layout(1, SampleFormat::F32), &audio);
    let mut readers: Vec<_> = (0..100)
        .map(|_| super::Reader::open(&path).unwrap())
        .collect();
    for reader in &mut readers {
        let mut left = vec![0.0; 1_000];
        assert_eq!(reader.read(&mut [&mut left]).unwrap(), 1_000);
        assert!(left == audio[0]);
    }
}
