//! Setup, blocks, latency, tail.
#![allow(unsafe_code)]

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, IAudioProcessorTrait, IProcessContextRequirements_::Flags_,
    IProcessContextRequirementsTrait, ProcessData, ProcessModes_, ProcessSetup, SpeakerArrangement,
    SymbolicSampleSizes_, kInfiniteTail, kNoTail,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    TBool, int32, kInternalError, kInvalidArgument, kResultFalse, kResultOk, tresult, uint32,
};
use try_lock::Locked;

use super::buffers::{channels_of, sounds};
use super::component::Component;
use super::link::Link;
use super::points::Points;
use crate::feed::Rings;
use crate::player::{Buffers, Player, Setup};
use crate::shield::shielded;
use crate::strip::Strip;

#[allow(clippy::unnecessary_cast)] // It is signed elsewhere.
const HAS_TEMPO: uint32 = StatesAndFlags_::kTempoValid as uint32;
const OFFLINE: int32 = ProcessModes_::kOffline as int32;
const SAMPLES_OF_32_BITS: int32 = SymbolicSampleSizes_::kSample32 as int32;
/// A host that switches on or off while it processes is waited for so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the audio thread has, and the main thread while that has not.
pub(super) struct Sound {
    player: Player,
    points: Points,
}

impl Sound {
    /// `[main]` Of a strip of so many rows.
    pub(super) fn new(strip: Strip, rows: usize) -> Self {
        Self {
            player: Player::new(strip),
            points: Points::new(rows),
        }
    }

    /// `[audio]` One block, whole or not: a host that gives no sound gives changes alone.
    ///
    /// # Safety
    ///
    /// `data` is as VST3 says, but for what [`Channels::of`](crate::buffers::Channels::of) does not believe.
    unsafe fn process(&mut self, data: &ProcessData, link: &Link) {
        let Self { player, points } = self;
        let table = link.table();
        let frames = usize::try_from(data.numSamples).unwrap_or(0);
        // SAFETY: the caller's word.
        unsafe { points.read(data.inputParameterChanges, frames, table) };
        let (inputs, outputs) = (
            (data.inputs, data.numInputs),
            (data.outputs, data.numOutputs),
        );
        let (channels, mut key_channels) = player.channels();
        if !link.has_key() {
            key_channels = 0;
        }
        // SAFETY: the caller's word; what is taken here is used until the end of the block.
        let buffers = unsafe {
            Buffers {
                output: channels_of(outputs, 0, channels, frames),
                input: channels_of(inputs, 0, channels, frames),
                key: channels_of(inputs, 1, key_channels, frames),
            }
        };
        // SAFETY: the caller's word: null, or a transport.
        if let Some(transport) = unsafe { data.processContext.as_ref() }
            && transport.state & HAS_TEMPO != 0
        {
            player.go_by(transport.tempo);
        }
        let is_offline = data.processMode == OFFLINE;
        let set_until = |_: &mut Strip, frame| points.set_until(frame, table);
        // SAFETY: the caller's word.
        let rings = unsafe { player.play(&buffers, is_offline, set_until) };
        let Some(rings) = rings else {
            points.set_all(table);
            return;
        };
        // SAFETY: the caller's word.
        unsafe { sounds(outputs) };
        link.rings(rings == Rings::Yes);
    }
}

impl Component {
    /// `[main]` What plays, when the audio thread has it no more.
    fn sound_when_free(&self) -> Option<Locked<'_, Sound>> {
        let since = Instant::now();
        loop {
            let sound = self.sound.try_lock();
            if sound.is_some() || since.elapsed() > PATIENCE {
                return sound;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// `[main]` Switches on or off.
    pub(super) fn set_active(&self, on: bool) -> tresult {
        let Some(mut sound) = self.sound_when_free() else {
            return kResultFalse;
        };
        if !on {
            self.link.is_active(false);
            return kResultOk;
        }
        let Some(setup) = *self.setup.lock().unwrap_or_else(PoisonError::into_inner) else {
            return kResultFalse;
        };
        let buses = self.buses();
        let ready = sound.player.make_ready(Setup {
            rate_hz: setup.sampleRate,
            most_frames: usize::try_from(setup.maxSamplesPerBlock).unwrap_or(0),
            channels: buses.main_channels(),
            key_channels: buses.key_channels(),
            is_offline: setup.processMode == OFFLINE,
        });
        if ready.is_none() {
            return kResultFalse;
        }
        self.link.is_active(true);
        kResultOk
    }
}

impl IAudioProcessorTrait for Component {
    unsafe fn setBusArrangements(
        &self,
        inputs: *mut SpeakerArrangement,
        input_count: int32,
        outputs: *mut SpeakerArrangement,
        output_count: int32,
    ) -> tresult {
        let (Ok(input_count), Ok(output_count)) =
            (usize::try_from(input_count), usize::try_from(output_count))
        else {
            return kInvalidArgument;
        };
        if inputs.is_null() || outputs.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: the host gives as many as it says.
        let (inputs, outputs) = unsafe {
            (
                std::slice::from_raw_parts(inputs, input_count),
                std::slice::from_raw_parts(outputs, output_count),
            )
        };
        shielded(|| self.arrange(inputs, outputs)).unwrap_or(kInternalError)
    }

    unsafe fn getBusArrangement(
        &self,
        to: BusDirection,
        bus: int32,
        arrangement: *mut SpeakerArrangement,
    ) -> tresult {
        let found = shielded(|| self.buses().arrangement(to, bus)).flatten();
        let Some(found) = found.filter(|_| !arrangement.is_null()) else {
            return kInvalidArgument;
        };
        // SAFETY: it is not null, and then a place.
        unsafe { arrangement.write(found) };
        kResultOk
    }

    unsafe fn canProcessSampleSize(&self, size: int32) -> tresult {
        if size == SAMPLES_OF_32_BITS {
            kResultOk
        } else {
            kResultFalse
        }
    }

    unsafe fn getLatencySamples(&self) -> uint32 {
        self.link.read_latency_frames() as u32
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        if setup.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: it is not null, and then the host's.
        let setup = unsafe { *setup };
        if setup.symbolicSampleSize != SAMPLES_OF_32_BITS {
            return kResultFalse;
        }
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner) = Some(setup);
        kResultOk
    }

    unsafe fn setProcessing(&self, on: TBool) -> tresult {
        self.link.rings(false);
        self.link.is_processing(on != 0);
        if on != 0
            && let Some(mut sound) = self.sound.try_lock()
        {
            sound.player.reset();
        }
        kResultOk
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        if data.is_null() {
            return kInvalidArgument;
        }
        // The host switches on or off at this very moment.
        let Some(mut sound) = self.sound.try_lock() else {
            return kResultFalse;
        };
        // SAFETY: it is not null, and then a block of the host's, as VST3 says.
        match shielded(|| unsafe { sound.process(&*data, &self.link) }) {
            Some(()) => kResultOk,
            None => kInternalError,
        }
    }

    unsafe fn getTailSamples(&self) -> uint32 {
        if self.link.is_ringing() {
            kInfiniteTail
        } else {
            kNoTail
        }
    }
}

impl IProcessContextRequirementsTrait for Component {
    unsafe fn getProcessContextRequirements(&self) -> uint32 {
        #[allow(clippy::unnecessary_cast)] // It is signed elsewhere.
        let tempo = Flags_::kNeedTempo as uint32;
        tempo
    }
}

/// The main thread and the audio thread take turns at it.
const _: fn() = || {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Component>();
};
