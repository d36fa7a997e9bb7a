//! Running other programs: each one is printed before it runs, as a line that can be pasted.

use crate::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_owned)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR");
    chosen.map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs this program, in the workspace's folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// `[main]` Prints a command and runs it to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    announce(command);
    let line = line(command);
    match command.status() {
        Err(source) => Err(Error::Spawn {
            command: line,
            source,
        }),
        Ok(status) if !status.success() => Err(Error::Failed {
            command: line,
            status,
        }),
        Ok(_) => Ok(()),
    }
}

/// `[main]` As [`run`], for so long at most; then it and what it has started are ended.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<(), Error> {
    announce(command);
    let line = line(command);
    let spawn_error = |source| Error::Spawn {
        command: line.clone(),
        source,
    };
    let mut child = command.spawn().map_err(spawn_error)?;
    let start = Instant::now();
    loop {
        match child.try_wait().map_err(spawn_error)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                return Err(Error::Failed {
                    command: line,
                    status,
                });
            }
            None if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(50)),
            None => break,
        }
    }
    let family = family(child.id());
    // What has ended by itself meanwhile is no matter.
    let _ = succeeds(Command::new("kill").arg("-KILL").args(family));
    let _ = child.wait();
    Err(Error::Late {
        command: line,
        limit_secs: limit.as_secs(),
    })
}

/// A process and all that it has started, as far as the system tells.
fn family(process: u32) -> Vec<String> {
    let mut family = vec![process.to_string()];
    let mut at = 0;
    while at < family.len() {
        let listed = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &family[at]])
            .output();
        if let Ok(listed) = listed {
            let children = String::from_utf8_lossy(&listed.stdout);
            family.extend(children.split_whitespace().map(str::to_owned));
        }
        at += 1;
    }
    family
}

/// `[main]` Runs a command to its end and returns its standard output; its standard error goes where
/// ours goes.
pub(crate) fn read(command: &mut Command) -> Result<String, Error> {
    let line = line(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Spawn {
            command: line.clone(),
            source,
        })?;
    if !output.status.success() {
        return Err(Error::Failed {
            command: line,
            status: output.status,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `[main]` Builds the program `name` of a package, and returns where cargo put it.
pub(crate) fn build(package: &str, name: &str) -> Result<PathBuf, Error> {
    let mut build = cargo();
    build.args(["build", "--release", "--package", package, "--bin", name]);
    run(&mut build)?;
    // A second, idle run of the same build: only its messages are wanted.
    build.args(["--quiet", "--message-format=json-render-diagnostics"]);
    executable(&read(&mut build)?, name)
        .ok_or_else(|| Error::output("cargo build", format!("named no program `{name}`")))
}

/// The program that cargo's messages say a binary target was built into.
fn executable(messages: &str, target: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == target)
        .find_map(|message| Some(message["executable"].as_str()?.into()))
}

/// `[main]` Whether a command starts and succeeds; what it prints is thrown away.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// `[main]` Prints the line that [`run`] prints before it starts.
pub(crate) fn announce(command: &Command) {
    println!("$ {}", line(command));
    // A line that cannot be printed is not worth stopping for.
    let _ = std::io::stdout().flush();
}

/// `[main]` Where a program stands in PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| file.is_file())
}

/// A command as it would be typed, without the folder of the program where PATH or cargo chose it.
pub(crate) fn line(command: &Command) -> String {
    let name = Path::new(command.get_program());
    let program = match name.file_name() {
        Some(file) if file == "cargo" => file,
        _ => name.as_os_str(),
    };
    let variables = command.get_envs().filter_map(|(key, value)| {
        Some(format!(
            "{}={}",
            key.to_string_lossy(),
            quoted(&value?.to_string_lossy())
        ))
    });
    let words = std::iter::once(program)
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_line_can_be_pasted() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command
            .args(["doc", "a b", "it's", ""])
            .env("FLAGS", "-D warnings");
        assert_eq!(
            line(&command),
            r"FLAGS='-D warnings' cargo doc 'a b' 'it'\''s' ''"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", mark.display());
        let limit = Duration::from_millis(500);
        let mut command = Command::new("sh");
        let error = run_within(command.args(["-c", &script]), limit).unwrap_err();
        assert!(matches!(error, Error::Late { .. }), "{error}");
        let child = std::fs::read_to_string(mark).unwrap();
        let stat = Path::new("/proc").join(child.trim()).join("stat");
        // Ended, though whoever inherits it may not have noticed, and the signal takes a moment.
        let start = std::time::Instant::now();
        loop {
            let stat = std::fs::read_to_string(&stat).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z ") {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{stat}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let quick = Duration::from_secs(20);
        assert!(run_within(&mut Command::new("true"), quick).is_ok());
        assert!(run_within(&mut Command::new("false"), quick).is_err());
    }

    #[test]
    fn the_built_program_is_found_wherever_cargo_puts_it() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"headroom_engine\"},\"executable\":null}\n",
            "not json\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"headroom\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"headroom\"},\"executable\":\"/x/headroom\"}\n",
        );
        assert_eq!(executable(messages, "headroom"), Some("/x/headroom".into()));
        assert_eq!(executable(messages, "other"), None);
    }
}
