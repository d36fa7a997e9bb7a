//! Another device while sound runs: the one that plays is let go of, the wanted one is sought, and if it does
//! not come the former one is taken again.

use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use clap::ValueEnum;
use headroom_engine::realtime::ThreadFaults;
use headroom_ipc::DeviceWish;
use headroom_ipc::board::DeviceChoices;

use super::Lost;
use super::Session;
use crate::devices;
use crate::error::one_line;
use crate::play::backend::Backend;
use crate::play::backend::BackendChoice;
use crate::play::backend::Wish;
use crate::play::error::PlayError;
use crate::play::reconnect::Reconnect;
use crate::play::routing::Routing;

/// How long a device that was asked for may take to come.
const TRIAL: Duration = Duration::from_secs(4);
/// What a device panel offers.
const RATES_HZ: [u32; 6] = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
const BLOCKS_FRAMES: [u32; 7] = [32, 64, 128, 256, 512, 1_024, 2_048];

/// A device that somebody asked for, in place of what the command line says.
pub(in crate::play) type Chosen = Option<(Backend, Wish)>;

/// A change that is under way.
pub(super) struct Change {
    /// What was there before.
    before: (Backend, Wish),
    wanted: String,
}

impl Session<'_> {
    /// Changes to what is wished for. Without a wish, looks what there is.
    pub(super) fn change_device(&mut self, wish: &DeviceWish) -> Result<String, String> {
        if *wish == DeviceWish::default() {
            self.ask_for_choices();
            return Ok("looking for devices".to_owned());
        }
        if self.lost.is_some() {
            return Err("the device is being waited for: expected one that plays".to_owned());
        }
        let (backend, mut wanted) = self.now_wanted();
        let before = (backend, wanted.clone());
        let mut to = backend;
        if !wish.backend.is_empty() {
            to = BackendChoice::from_str(&wish.backend, true)
                .ok()
                .and_then(BackendChoice::named)
                .filter(|to| Backend::of_platform().contains(to))
                .ok_or_else(|| {
                    let names = Backend::of_platform().iter().map(|known| known.name());
                    let names: Vec<&str> = names.collect();
                    format!("`{}`: expected one of {}", wish.backend, names.join(", "))
                })?;
        }
        if to != backend {
            // Names of one system's devices mean nothing to another.
            wanted.output_device = None;
            wanted.input_device = None;
            wanted.exact_output = false;
            wanted.exact_input = false;
        }
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        if let Some(output) = text(&wish.output) {
            wanted.output_device = Some(output);
            wanted.exact_output = false;
        }
        if let Some(input) = text(&wish.input) {
            wanted.input_device = Some(input);
            wanted.exact_input = false;
            wanted.live_input = self.plan.args.input.is_none();
        }
        let routing = Routing::parse(
            text(&wish.inputs).as_deref(),
            text(&wish.outputs).as_deref(),
        )
        .map_err(|error| one_line(&error))?;
        wanted.routing.inputs = routing.inputs.or(wanted.routing.inputs);
        wanted.routing.outputs = routing.outputs.or(wanted.routing.outputs);
        let in_range = |value: u32, least: u32, most: u32, what: &str| {
            if value == 0 || (least..=most).contains(&value) {
                return Ok((value != 0).then_some(value));
            }
            Err(format!("{what} {value}: expected {least} to {most}"))
        };
        wanted.rate_hz =
            in_range(wish.sample_rate_hz, 8_000, 384_000, "sample rate")?.or(wanted.rate_hz);
        wanted.block_frames =
            in_range(wish.block_frames, 1, 8_192, "block")?.or(wanted.block_frames);

        self.housekeep();
        self.faults_before = self.faults();
        self.faults = ThreadFaults::default();
        self.open.chosen = Some((to, wanted));
        let Some(way_back) = Reconnect::begin(&mut self.open) else {
            self.open.chosen = None;
            return Err("the device's callback hangs: it cannot be changed".to_owned());
        };
        let error = PlayError::DeviceLost {
            backend: to,
            reason: "the device that was asked for does not come",
            seconds: self.seconds(),
        };
        self.lost = Some(Lost {
            way_back,
            told: true,
            error,
        });
        self.change = Some(Change {
            before,
            wanted: to.to_string(),
        });
        Ok(format!("changing to `{to}`"))
    }

    /// What finds the device of now again.
    fn now_wanted(&self) -> (Backend, Wish) {
        match &self.open.chosen {
            Some((backend, wish)) => (*backend, wish.clone()),
            None => (
                self.open.facts.backend,
                self.plan.wish_again(&self.open.facts, &self.open.ids),
            ),
        }
    }

    /// Goes back to the former device if the wanted one does not come.
    pub(super) fn watch_change(&mut self) {
        let away = self.lost.as_ref().map(|lost| lost.way_back.away());
        match (away, self.change.take()) {
            (Some(away), Some(change)) if away > TRIAL => {
                let (backend, wish) = change.before;
                self.say(&format!(
                    "warning: backend `{}`: the device that was asked for does not come: \
                     back to `{backend}` as it was",
                    change.wanted,
                ));
                self.open.chosen = Some((backend, wish));
            }
            (Some(_), change) => self.change = change,
            // It plays.
            (None, _) => {}
        }
    }

    /// Asks all audio systems what they have, on a thread beside: one may hang.
    fn ask_for_choices(&mut self) {
        if self.asked.is_some() {
            return;
        }
        let (answer, wait) = mpsc::sync_channel(1);
        let asked = std::thread::Builder::new()
            .name("headroom-devices".to_owned())
            .spawn(move || {
                // Nobody waits any more: the late answer is dropped.
                let _late = answer.send(choices());
            });
        if asked.is_ok() {
            self.asked = Some(wait);
        }
    }

    /// Takes the answer, once it is there.
    pub(super) fn hear_choices(&mut self) {
        let Some(wait) = &self.asked else { return };
        match wait.try_recv() {
            Ok(choices) => self.choices = choices,
            Err(mpsc::TryRecvError::Empty) => return,
            Err(mpsc::TryRecvError::Disconnected) => {}
        }
        self.asked = None;
    }
}

/// The answer of all audio systems.
pub(super) type Asked = Option<Receiver<DeviceChoices>>;

fn choices() -> DeviceChoices {
    let list = devices::list();
    let available = || list.backends.iter().filter(|backend| backend.available);
    let devices = || available().flat_map(|backend| &backend.devices);
    let ids = |wanted: fn(&devices::DeviceEntry) -> bool| {
        let mut ids: Vec<String> = devices()
            .filter(|device| wanted(device) && device.paced)
            .map(|device| device.id.clone())
            .collect();
        ids.dedup();
        ids
    };
    DeviceChoices {
        backends: available().map(|backend| backend.name.to_owned()).collect(),
        outputs: ids(|device| device.output),
        inputs: ids(|device| device.input),
        rates_hz: RATES_HZ.to_vec(),
        blocks_frames: BLOCKS_FRAMES.to_vec(),
    }
}
