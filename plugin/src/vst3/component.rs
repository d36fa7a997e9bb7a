//! The object that a host has of an instance, and its buses.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError};

use headroom_engine::Catalog;
use nice_plug::wrapper::vst3::Wrapper;
use nice_plug::wrapper::vst3::vst3::Class;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusInfo, BusInfo_, BusTypes_, IAudioProcessor, IComponent, IComponentTrait,
    IEditController, IProcessContextRequirements, IUnitInfo, IoMode, MediaType, MediaTypes_,
    ProcessSetup, RoutingInfo, SpeakerArrangement,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, TBool, TUID, int32, kInternalError, kInvalidArgument,
    kNoInterface, kResultFalse, kResultOk, tresult,
};
use try_lock::TryLock;

use super::buses::{Buses, INPUT, OUTPUT, channels};
use super::link::Link;
use super::paperwork::{Paperwork, Share};
use super::processor::Sound;
use crate::shield::shielded;
use crate::strip::Strip;
use crate::table::Table;

const AUDIO: MediaType = MediaTypes_::kAudio as MediaType;

/// One instance in a VST3 host: processor and controller in one.
pub(super) struct Component {
    /// Taken down in `drop`, before the sound whose parameters it speaks of.
    pub(super) paper: ManuallyDrop<Wrapper<Paperwork>>,
    pub(super) link: Arc<Link>,
    /// As the host wants them; the sound has them with the next activation.
    buses: Mutex<Buses>,
    pub(super) setup: Mutex<Option<ProcessSetup>>,
    /// Whoever has it plays, or makes it ready.
    pub(super) sound: TryLock<Sound>,
}

impl Class for Component {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IProcessContextRequirements,
        IUnitInfo,
    );
}

impl Component {
    /// `[main]` An instance with an empty strip of these kinds.
    pub(super) fn new(catalog: Catalog) -> Self {
        let strip = Strip::new(catalog);
        let parameters = Arc::clone(strip.parameters());
        let share = Arc::new(Share::new(Arc::clone(&parameters)));
        let paper = Paperwork::of(&share);
        let table = Table::new(parameters);
        let rows = table.len();
        let link = Link::new(table, share);
        Self {
            paper: ManuallyDrop::new(paper),
            link,
            buses: Mutex::new(Buses::new()),
            setup: Mutex::default(),
            sound: TryLock::new(Sound::new(strip, rows)),
        }
    }

    /// `[main]` As the host wants them.
    pub(super) fn buses(&self) -> Buses {
        *self.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `[main]` Takes other arrangements, or leaves all as it is.
    pub(super) fn arrange(
        &self,
        inputs: &[SpeakerArrangement],
        outputs: &[SpeakerArrangement],
    ) -> tresult {
        let mut buses = self.buses.lock().unwrap_or_else(PoisonError::into_inner);
        match buses.arranged(inputs, outputs) {
            // What plays has the channels that it was made ready for.
            Some(wanted) if wanted == *buses || !self.link.is_on() => {
                *buses = wanted;
                kResultOk
            }
            _ => kResultFalse,
        }
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.link.let_go();
        // SAFETY: nobody else takes it down, and nobody looks at it any more.
        shielded(|| unsafe { ManuallyDrop::drop(&mut self.paper) });
    }
}

impl IPluginBaseTrait for Component {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        // SAFETY: null, or an object of the host's.
        shielded(|| unsafe { self.link.initialize(context) });
        kResultOk
    }

    unsafe fn terminate(&self) -> tresult {
        shielded(|| self.link.let_go());
        kResultOk
    }
}

/// Whether a host means one of our buses, all of which are for sound.
fn is_bus(media: MediaType, to: BusDirection, bus: int32) -> bool {
    media == AUDIO && matches!((to, bus), (INPUT, 0 | 1) | (OUTPUT, 0))
}

impl IComponentTrait for Component {
    unsafe fn getControllerClassId(&self, _: *mut TUID) -> tresult {
        kNoInterface
    }

    unsafe fn setIoMode(&self, _: IoMode) -> tresult {
        kResultOk
    }

    unsafe fn getBusCount(&self, media: MediaType, to: BusDirection) -> int32 {
        (0..2).filter(|&bus| is_bus(media, to, bus)).count() as int32
    }

    unsafe fn getBusInfo(
        &self,
        media: MediaType,
        to: BusDirection,
        bus: int32,
        info: *mut BusInfo,
    ) -> tresult {
        let arrangement = shielded(|| self.buses().arrangement(to, bus)).flatten();
        let Some(arrangement) = arrangement.filter(|_| media == AUDIO && !info.is_null()) else {
            return kInvalidArgument;
        };
        let (name, kind, is_on) = match (to, bus) {
            (INPUT, 0) => ("Input", BusTypes_::kMain, true),
            (INPUT, _) => ("Side-chain", BusTypes_::kAux, false),
            _ => ("Output", BusTypes_::kMain, true),
        };
        // SAFETY: numbers and a text; all zeros are some.
        let mut found: BusInfo = unsafe { std::mem::zeroed() };
        found.mediaType = media;
        found.direction = to;
        found.channelCount = channels(arrangement) as int32;
        found.busType = kind as int32;
        if is_on {
            #[allow(clippy::unnecessary_cast)] // It is signed elsewhere.
            let flags = BusInfo_::BusFlags_::kDefaultActive as u32;
            found.flags = flags;
        }
        for (to, of) in found.name.iter_mut().zip(name.encode_utf16()) {
            *to = of;
        }
        // SAFETY: it is not null, and then a place.
        unsafe { info.write(found) };
        kResultOk
    }

    unsafe fn getRoutingInfo(&self, from: *mut RoutingInfo, to: *mut RoutingInfo) -> tresult {
        if from.is_null() || to.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: neither is null, and then they are the host's.
        let from = unsafe { *from };
        if from.mediaType != AUDIO || from.busIndex != 0 {
            return kResultFalse;
        }
        // SAFETY: as above. Each channel goes where it came from.
        unsafe { to.write(from) };
        kResultOk
    }

    unsafe fn activateBus(
        &self,
        media: MediaType,
        to: BusDirection,
        bus: int32,
        on: TBool,
    ) -> tresult {
        if !is_bus(media, to, bus) {
            return kInvalidArgument;
        }
        if (to, bus) == (INPUT, 1) {
            self.link.set_key(on != 0);
        }
        kResultOk
    }

    unsafe fn setActive(&self, on: TBool) -> tresult {
        shielded(|| self.set_active(on != 0)).unwrap_or(kInternalError)
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        self.link.table().forget();
        // SAFETY: null, or a stream of the host's.
        let done = shielded(|| unsafe { IComponentTrait::setState(&*self.paper, state) });
        done.unwrap_or(kInternalError)
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: null, or a stream of the host's.
        let done = shielded(|| unsafe { IComponentTrait::getState(&*self.paper, state) });
        done.unwrap_or(kInternalError)
    }
}
