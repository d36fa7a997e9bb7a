//! Ours beside pedalboard's, in one run: two programs that take turns, so that whatever the machine
//! does hits both.

use crate::bench::{Measured, machine, wanted};
use crate::error::Error;
use crate::table::Table;
use crate::{python, shell};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The case without any effect: what calling costs, taken off the others.
const EMPTY: &str = "empty";
/// The cases that both programs know.
const CASES: [&str; 7] = [
    EMPTY,
    "gain",
    "highpass-6",
    "highpass-12",
    "eq",
    "compressor",
    "delay",
];

/// `[main]` Runs all cases that pass the filter, `rounds` times in turns, and compares.
pub(crate) fn measure(
    block_frames: u32,
    rounds: u32,
    folder: &Path,
    filter: Option<&str>,
) -> Result<Measured, Error> {
    let python = python::ensure(python::PEERS)?;
    let program = shell::build("headroom-bench", "peer_row")?;
    let signal = folder.join("signal.f32");
    let script = shell::root().join("bench/peers/pedalboard_bench.py");
    let common = |command: &mut Command| {
        command.arg("--signal").arg(&signal);
        command.args(["--block", &block_frames.to_string()]);
    };

    let mut command = pinned(&program);
    common(&mut command);
    let mut ours = Contestant::start(command)?;
    ours.expect("ready")?;
    let mut command = pinned(&python);
    common(command.arg(script));
    let mut theirs = Contestant::start(command)?;

    let cases: Vec<&str> = CASES
        .into_iter()
        .filter(|case| *case == EMPTY || wanted(case, filter))
        .collect();
    for _ in 0..rounds {
        for case in &cases {
            for contestant in [&mut ours, &mut theirs] {
                contestant.tell(&format!("run {case}"))?;
                contestant.expect("ok")?;
            }
        }
    }
    let (ours, theirs) = (ours.report()?, theirs.report()?);
    let rows: Vec<Row> = cases
        .iter()
        .map(|case| Row::new(case, &ours, &theirs))
        .collect::<Result<_, _>>()?;
    Ok(Measured {
        caption: format!(
            "Nanoseconds per stereo frame at 48 kHz in blocks of {block_frames}, ours and \
             pedalboard's in {rounds} turns each: whole calls, then without the empty rack's or \
             board's, and how many times faster ours is. Output RMS and RMS of output minus \
             input in dBFS show that both do the same. {}.",
            machine()
        ),
        table: table(&rows),
        figures: rows.iter().map(Row::json).collect(),
    })
}

/// A command on the last processor, where that can be said: a program that is moved about
/// measures its caches.
fn pinned(program: &Path) -> Command {
    let last = std::thread::available_parallelism().map_or(0, |count| count.get() - 1);
    if shell::program("taskset").is_some() {
        let mut command = Command::new("taskset");
        command.args(["-c", &last.to_string()]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// One of the two programs, told on its standard input and answering on its standard output.
struct Contestant {
    name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Contestant {
    fn start(mut command: Command) -> Result<Self, Error> {
        shell::announce(&command);
        let name = shell::line(&command);
        let failed = |source| Error::Spawn {
            command: name.clone(),
            source,
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::output(name, "started without pipes"));
        };
        Ok(Contestant {
            name,
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn tell(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.input, "{line}").map_err(|_| Error::output(&self.name, "ended early"))
    }

    fn hear(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(count) if count > 0 => Ok(line.trim_end().to_owned()),
            _ => Err(Error::output(&self.name, "ended early")),
        }
    }

    fn expect(&mut self, answer: &str) -> Result<(), Error> {
        match self.hear()? {
            line if line == answer => Ok(()),
            line => Err(Error::output(
                &self.name,
                format!("said `{line}`, not `{answer}`"),
            )),
        }
    }

    fn report(mut self) -> Result<Value, Error> {
        self.tell("report")?;
        let line = self.hear()?;
        let ended = self.child.wait();
        ended.map_err(|error| Error::output(&self.name, error.to_string()))?;
        serde_json::from_str(&line).map_err(|error| Error::output(&self.name, error.to_string()))
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // After an error: nobody will tell it to end. One that has ended says so, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One case's figures, ours first.
#[derive(Debug)]
struct Row {
    case: String,
    whole_ns: [f64; 2],
    net_ns: [f64; 2],
    output_rms_dbfs: [f64; 2],
    difference_rms_dbfs: [f64; 2],
}

impl Row {
    fn new(case: &str, ours: &Value, theirs: &Value) -> Result<Row, Error> {
        let pair = |case: &str, key: &str| -> Result<[f64; 2], Error> {
            let number = |report: &Value, who: &str| {
                let number = report[case][key].as_f64();
                number.ok_or_else(|| Error::output(who, format!("no `{key}` of `{case}`")))
            };
            Ok([number(ours, "peer_row")?, number(theirs, "pedalboard")?])
        };
        let (whole_ns, empty_ns) = (pair(case, "ns_per_frame")?, pair(EMPTY, "ns_per_frame")?);
        Ok(Row {
            case: case.to_owned(),
            whole_ns,
            net_ns: [whole_ns[0] - empty_ns[0], whole_ns[1] - empty_ns[1]],
            output_rms_dbfs: pair(case, "output_rms_dbfs")?,
            difference_rms_dbfs: pair(case, "difference_rms_dbfs")?,
        })
    }

    /// How many times faster ours is; below a hundredth of a nanosecond there is no telling.
    fn ratio([ours, theirs]: [f64; 2]) -> Option<f64> {
        (ours > 0.01).then(|| theirs / ours)
    }

    fn json(&self) -> Value {
        json!({
            "case": self.case,
            "whole_ns_per_frame": { "ours": self.whole_ns[0], "pedalboard": self.whole_ns[1] },
            "net_ns_per_frame": { "ours": self.net_ns[0], "pedalboard": self.net_ns[1] },
            "times_faster_whole": Row::ratio(self.whole_ns),
            "times_faster_net": Row::ratio(self.net_ns),
            "output_rms_dbfs":
                { "ours": self.output_rms_dbfs[0], "pedalboard": self.output_rms_dbfs[1] },
            "difference_rms_dbfs":
                { "ours": self.difference_rms_dbfs[0], "pedalboard": self.difference_rms_dbfs[1] },
        })
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "case",
        "whole: ours",
        "theirs",
        "times",
        "net: ours",
        "theirs",
        "times",
        "output: ours",
        "theirs",
        "difference: ours",
        "theirs",
    ]);
    let ratio = |pair| Row::ratio(pair).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
    for row in rows {
        let [ours, theirs] = row.whole_ns;
        let [net_ours, net_theirs] = row.net_ns;
        table.row(vec![
            row.case.clone(),
            format!("{ours:.2}"),
            format!("{theirs:.2}"),
            ratio(row.whole_ns),
            format!("{net_ours:.2}"),
            format!("{net_theirs:.2}"),
            ratio(row.net_ns),
            format!("{:.2}", row.output_rms_dbfs[0]),
            format!("{:.2}", row.output_rms_dbfs[1]),
            format!("{:.2}", row.difference_rms_dbfs[0]),
            format!("{:.2}", row.difference_rms_dbfs[1]),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(empty: f64, eq: f64) -> Value {
        let case = |ns: f64| json!({ "ns_per_frame": ns, "output_rms_dbfs": -20.0, "difference_rms_dbfs": -30.0 });
        json!({ "empty": case(empty), "eq": case(eq) })
    }

    #[test]
    fn the_ratio_is_of_what_remains_without_the_empty_call() {
        let row = Row::new("eq", &report(1.0, 6.0), &report(2.0, 52.0)).unwrap();
        assert_eq!(row.net_ns, [5.0, 50.0]);
        assert_eq!(Row::ratio(row.net_ns), Some(10.0));
        let text = table(&[row]).text();
        assert!(text.contains("10.00") && text.contains("8.67"), "{text}");
    }

    #[test]
    fn a_case_that_one_side_did_not_report_is_named() {
        let error = Row::new("delay", &report(1.0, 6.0), &report(2.0, 52.0)).unwrap_err();
        assert!(error.to_string().contains("delay"));
    }

    #[test]
    #[cfg(unix)]
    fn a_contestant_that_dies_is_an_error_and_not_a_hang() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo ready"]);
        let mut dead = Contestant::start(command).unwrap();
        dead.expect("ready").unwrap();
        let mut answer = dead.tell("run eq");
        for _ in 0..2 {
            answer = answer.and_then(|()| dead.expect("ok"));
        }
        assert!(answer.unwrap_err().to_string().contains("ended early"));
    }
}
