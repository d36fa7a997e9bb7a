//! What an earlier run leaves to this one, and this one to the next.
//!
//! What is typed goes before what is remembered, each thing for itself. What is remembered is either
//! used or said to be missing: nothing else is put in its place.

use std::path::Path;
use std::path::PathBuf;

use super::args::PlayArgs;
use super::attempt::Open;
use super::backend::Backend;
use super::backend::BackendChoice;
use super::backend::Facts;
use super::error::PlayError;
use crate::presets;
use crate::remembered;
use crate::remembered::Devices;
use crate::remembered::MemoryFileError;
use crate::remembered::Remembered;

/// The memory as one run sees it.
pub(super) struct Recall {
    /// Where to keep it; `None` where nothing is to be kept.
    path: Option<PathBuf>,
    known: Remembered,
}

/// What a run used, to be remembered.
struct Used {
    backend: Backend,
    devices: Devices,
    preset: Option<String>,
    /// A file was played: the input device was not asked for.
    without_input: bool,
}

impl Recall {
    /// `[main]` Reads what is remembered, and says what is wrong with it.
    pub(super) fn new(fresh: bool) -> Self {
        let path = remembered::usual_path().filter(|_| !fresh);
        Self::from_file(path, &mut |warning| {
            eprintln!("headroom: warning: {warning}")
        })
    }

    fn from_file(path: Option<PathBuf>, warn: &mut dyn FnMut(String)) -> Self {
        let Some(file) = path else {
            return Self {
                path: None,
                known: Remembered::default(),
            };
        };
        let (path, known) = match Remembered::load(&file) {
            Ok(known) => (Some(file), known),
            Err(error @ MemoryFileError::Damaged { .. }) => {
                let kept = match remembered::keep_aside(&file) {
                    Ok(aside) => format!("kept as {}", aside.display()),
                    Err(error) => format!("and cannot be moved aside: {error}"),
                };
                warn(format!(
                    "{error}: nothing is remembered; the file is {kept}"
                ));
                (Some(file), Remembered::default())
            }
            Err(error) => {
                warn(format!("{error}: nothing is remembered"));
                (None, Remembered::default())
            }
        };
        Self { path, known }
    }

    /// `[main]` The command line with what was not typed filled in from the last run.
    pub(super) fn fill_in(&self, typed: &PlayArgs) -> PlayArgs {
        let mut args = typed.clone();
        if args.preset.is_none() && args.setlist.is_empty() && self.known.preset.is_some() {
            args.preset.clone_from(&self.known.preset);
            args.recalled.preset = true;
        }
        if args.backend.is_none()
            && let Some(backend) = self.known.backend
        {
            args.backend = Some(BackendChoice::from(backend));
            args.recalled.backend = true;
        }
        let Some(devices) = self.devices_for(&args) else {
            return args;
        };
        // Channels belong to a device: those of one mean nothing on another.
        if args.output_device.is_none() {
            args.recalled.output_device = fill(&mut args.output_device, &devices.output_device);
            args.recalled.outputs = fill(&mut args.outputs, &devices.outputs);
        }
        if args.input_device.is_none() && args.input.is_none() {
            args.recalled.input_device = fill(&mut args.input_device, &devices.input_device);
            args.recalled.inputs = fill(&mut args.inputs, &devices.inputs);
        }
        if args.rate.is_none() && devices.rate_hz.is_some() {
            args.rate = devices.rate_hz.map(i64::from);
            args.recalled.rate = true;
        }
        if args.block.is_none() && devices.block_frames.is_some() {
            args.block = devices.block_frames.map(i64::from);
            args.recalled.block = true;
        }
        args
    }

    fn devices_for(&self, args: &PlayArgs) -> Option<&Devices> {
        self.known.on.get(&args.named_backend()?)
    }

    /// `[main]` An error of the search for a device, with what came from memory told as such.
    pub(super) fn explain(&self, error: PlayError, args: &PlayArgs) -> PlayError {
        let recalled = args.recalled;
        match error {
            PlayError::NoSuchDevice {
                direction,
                given,
                expected,
            } if (direction == "output" && recalled.output_device)
                || (direction == "input" && recalled.input_device) =>
            {
                let name = self.devices_for(args).and_then(|devices| match direction {
                    "output" => devices.output_name.clone(),
                    _ => devices.input_name.clone(),
                });
                PlayError::RememberedDevice {
                    direction,
                    name: name.unwrap_or_else(|| given.clone()),
                    expected,
                }
            }
            PlayError::Unavailable { backend, reason } if recalled.backend => {
                PlayError::RememberedBackend { backend, reason }
            }
            PlayError::NoSuchDevice { .. }
            | PlayError::Refused { .. }
            | PlayError::Unavailable { .. }
                if !self.said_of_device(args).is_empty() =>
            {
                PlayError::AsLastTime {
                    source: Box::new(error),
                    said: self.said_of_device(args).join(", "),
                }
            }
            error => error,
        }
    }

    /// What is used as it was the last time, each as people would say it.
    fn said(&self, args: &PlayArgs) -> Vec<String> {
        let mut said = self.said_of_device(args);
        if let Some(preset) = args.preset.as_deref().filter(|_| args.recalled.preset) {
            said.push(format!("preset `{preset}`"));
        }
        said
    }

    /// Of which the device is concerned.
    fn said_of_device(&self, args: &PlayArgs) -> Vec<String> {
        let recalled = args.recalled;
        let mut said = Vec::new();
        let mut say = |recalled: bool, what: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|_| recalled) {
                said.push(format!("{what} `{value}`"));
            }
        };
        let devices = self.devices_for(args).cloned().unwrap_or_default();
        let output = devices.output_name.or(devices.output_device);
        let input = devices.input_name.or(devices.input_device);
        let backend = args.named_backend().map(Backend::name);
        say(recalled.backend, "backend", backend);
        say(recalled.output_device, "output", output.as_deref());
        say(recalled.outputs, "outputs", args.outputs.as_deref());
        say(recalled.input_device, "input", input.as_deref());
        say(recalled.inputs, "inputs", args.inputs.as_deref());
        if let Some(rate_hz) = args.rate.filter(|_| recalled.rate) {
            said.push(format!("{rate_hz} Hz"));
        }
        if let Some(block_frames) = args.block.filter(|_| recalled.block) {
            said.push(format!("block {block_frames}"));
        }
        said
    }

    /// `[main]` Keeps what this run uses for the next one; gives the line to say, if there is one.
    ///
    /// A run on the clock without sound leaves nothing: it is what is there when nothing else is.
    pub(super) fn keep(&self, open: &Open, args: &PlayArgs) -> Option<String> {
        let used = Used::of(&open.facts, &open.ids, args);
        self.keep_used(used.as_ref(), args)
    }

    fn keep_used(&self, used: Option<&Used>, args: &PlayArgs) -> Option<String> {
        let mut line = Vec::new();
        let said = self.said(args);
        if !said.is_empty() {
            line.push(format!("as last time: {}", said.join(", ")));
        }
        if let (Some(path), Some(used)) = (&self.path, used) {
            // Read again: another headroom may have kept something meanwhile.
            let mut next = Remembered::load(path).unwrap_or_else(|_| self.known.clone());
            let before = next.clone();
            used.write_into(&mut next);
            if next != before {
                match next.save(path) {
                    // The same device under another name, say: no news to people.
                    Ok(()) if used.news(&before).is_empty() => {}
                    Ok(()) => line.push(format!("for the next time: {}", used.news(&before))),
                    Err(error) => line.push(format!("not remembered: {error}")),
                }
            }
        }
        if line.is_empty() {
            return None;
        }
        Some(format!("{} (--fresh: none of it)", line.join("; ")))
    }
}

/// Fills what is empty; whether it did.
fn fill(typed: &mut Option<String>, known: &Option<String>) -> bool {
    let fills = typed.is_none() && known.is_some();
    if fills {
        typed.clone_from(known);
    }
    fills
}

impl Used {
    /// What a run used; `None` for one on the clock without sound.
    fn of(facts: &Facts, ids: &super::backend::DeviceIds, args: &PlayArgs) -> Option<Self> {
        if facts.backend == Backend::Null {
            return None;
        }
        let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        let output_device = ids.output.clone().or_else(|| args.output_device.clone());
        let input_device = ids.input.clone().or_else(|| args.input_device.clone());
        Some(Self {
            backend: facts.backend,
            devices: Devices {
                output_name: output_device.as_ref().map(|_| facts.output.clone()),
                input_name: facts.input.clone().filter(|_| input_device.is_some()),
                output_device,
                input_device,
                outputs: args.outputs.clone(),
                inputs: args.inputs.clone(),
                rate_hz: number(args.rate),
                block_frames: number(args.block),
            },
            preset: args.preset.as_deref().map(presets::lasting),
            without_input: args.input.is_some(),
        })
    }

    /// Changes what this run has something to say about, and nothing else.
    fn write_into(&self, memory: &mut Remembered) {
        memory.backend = Some(self.backend);
        if self.preset.is_some() {
            memory.preset.clone_from(&self.preset);
        }
        let old = memory.on.entry(self.backend).or_default();
        let new = &self.devices;
        old.output_device.clone_from(&new.output_device);
        old.output_name.clone_from(&new.output_name);
        old.outputs.clone_from(&new.outputs);
        if !self.without_input {
            old.input_device.clone_from(&new.input_device);
            old.input_name.clone_from(&new.input_name);
            old.inputs.clone_from(&new.inputs);
        }
        old.rate_hz = new.rate_hz.or(old.rate_hz);
        old.block_frames = new.block_frames.or(old.block_frames);
    }

    /// What the next run will find that this one did not.
    fn news(&self, before: &Remembered) -> String {
        let mut news = Vec::new();
        if before.backend != Some(self.backend) {
            news.push(format!("backend `{}`", self.backend));
        }
        let old = before.on.get(&self.backend).cloned().unwrap_or_default();
        let new = &self.devices;
        let mut changed = |what: &str, old: &Option<String>, new: &Option<String>| {
            if let Some(new) = new.as_ref().filter(|_| new != old) {
                news.push(format!("{what} `{new}`"));
            }
        };
        changed("output", &old.output_name, &new.output_name);
        changed("outputs", &old.outputs, &new.outputs);
        if !self.without_input {
            changed("input", &old.input_name, &new.input_name);
            changed("inputs", &old.inputs, &new.inputs);
        }
        changed("preset", &before.preset, &self.preset);
        if let Some(rate_hz) = new.rate_hz.filter(|_| new.rate_hz != old.rate_hz) {
            news.push(format!("{rate_hz} Hz"));
        }
        if let Some(block) = new
            .block_frames
            .filter(|_| new.block_frames != old.block_frames)
        {
            news.push(format!("block {block}"));
        }
        news.join(", ")
    }
}

/// `[main]` What is wrong with a remembered preset is told as such.
pub(super) fn explain_preset(
    error: crate::error::HostError,
    args: &PlayArgs,
) -> crate::error::HostError {
    match args.preset.as_deref().filter(|_| args.recalled.preset) {
        Some(preset) => crate::error::HostError::RememberedPreset {
            preset: Path::new(preset).display().to_string(),
            source: Box::new(error),
        },
        None => error,
    }
}

#[cfg(test)]
#[path = "recall_tests.rs"]
mod tests;
