//! What a host is told of the latency. No module of ours is late: these tests have one.
#![allow(unsafe_code)]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use headroom_engine::{Block, Catalog, Face, Kind, Module, Param, Unit};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IAudioProcessorTrait, IComponentHandler, IComponentHandlerTrait, IComponentTrait,
    IEditControllerTrait, ParamID, ProcessSetup, RestartFlags_,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{IPluginBaseTrait, int32, kResultOk, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use super::component::Component;
use crate::rows::Target;

static LATE: Kind = Kind {
    id: "late",
    name: "Late",
    about: "a module that says it is late",
    face: Face::PLAIN,
    params: &[Param::linear("frames", "Frames", Unit::None, (1.0, 4_096.0), 100.0).structural()],
    build: |setup| {
        let frames = setup.values()[0] as usize;
        setup.module(Late { frames })
    },
};

struct Late {
    frames: usize,
}

impl Module for Late {
    fn set_param(&mut self, _: usize, _: f32) {}
    fn process(&mut self, _: &mut Block<'_>) {}
    fn reset(&mut self) {}
    fn latency_frames(&self) -> usize {
        self.frames
    }
}

/// A host that writes down what it is told to do again.
#[derive(Default)]
struct Told(Mutex<Vec<int32>>);

impl Class for Told {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Told {
    unsafe fn beginEdit(&self, _: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn performEdit(&self, _: ParamID, _: f64) -> tresult {
        kResultOk
    }
    unsafe fn endEdit(&self, _: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        self.0.lock().unwrap().push(flags);
        kResultOk
    }
}

/// An instance with a strip that has the late module, in its host.
struct Hosted {
    component: Component,
    told: ComWrapper<Told>,
    place: ParamID,
}

// All calls are as hosts make them: objects and places live as long as the calls.
impl Hosted {
    fn new() -> Self {
        let component = Component::new(Catalog::builtin().with(&LATE));
        let told = ComWrapper::new(Told::default());
        let handler = told.to_com_ptr::<IComponentHandler>().unwrap();
        let table = component.link.table();
        let rows = table.parameters().rows();
        let kinds = table.parameters().catalog().kinds();
        let late = kinds.iter().position(|kind| kind.id == "late").unwrap();
        let place = rows
            .iter()
            .position(|row| row.target == Target::Place(late));
        let place = table.id(place.unwrap() as u16);
        let mut setup = ProcessSetup {
            processMode: 0,
            symbolicSampleSize: 0,
            maxSamplesPerBlock: 512,
            sampleRate: 48_000.0,
        };
        // SAFETY: see above.
        unsafe {
            assert_eq!(component.initialize(std::ptr::null_mut()), kResultOk);
            component.setComponentHandler(handler.as_ptr());
            assert_eq!(component.setupProcessing(&mut setup), kResultOk);
        }
        Self {
            component,
            told,
            place,
        }
    }

    fn switch(&self, on: bool) {
        // SAFETY: see above.
        unsafe { assert_eq!(self.component.setActive(u8::from(on)), kResultOk) };
    }

    fn latency(&self) -> u32 {
        // SAFETY: see above.
        unsafe { self.component.getLatencySamples() }
    }

    /// The module is put in, or taken out: a host that does not process yet sets a parameter.
    fn put(&self, place: f64) {
        // SAFETY: see above.
        unsafe { self.component.setParamNormalized(self.place, place / 64.0) };
    }

    fn told(&self) -> Vec<int32> {
        self.told.0.lock().unwrap().clone()
    }

    /// What it has been told when so much time has gone by.
    fn told_after(&self, time: Duration) -> Vec<int32> {
        std::thread::sleep(time);
        self.told()
    }

    fn wait_for(&self, count: usize) {
        let start = Instant::now();
        while self.told().len() < count {
            assert!(start.elapsed() < Duration::from_secs(20), "not told");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

const LATENCY: int32 = RestartFlags_::kLatencyChanged;
/// Longer than a host is given to ask by itself.
const LONG: Duration = Duration::from_millis(900);

#[test]
fn a_host_that_asks_when_it_has_switched_on_is_told_nothing() {
    let host = Hosted::new();
    host.put(1.0);
    host.switch(true);
    assert_eq!(host.latency(), 100);
    // Off and on again at another latency: it asks, as it must.
    host.switch(false);
    host.put(0.0);
    host.switch(true);
    assert_eq!(host.latency(), 0);
    assert!(host.told_after(LONG).is_empty());
}

#[test]
fn a_host_is_told_of_another_latency_once() {
    let host = Hosted::new();
    host.switch(true);
    assert_eq!(host.latency(), 0);
    host.put(1.0);
    host.wait_for(1);
    assert_eq!(host.told_after(LONG), [LATENCY], "once");
    // It reads what is so now, whether it switches off and on or not.
    assert_eq!(host.latency(), 100);
    assert_eq!(host.told_after(LONG), [LATENCY]);
    host.put(0.0);
    host.wait_for(2);
    assert_eq!(host.latency(), 0);
    assert_eq!(host.told_after(LONG), [LATENCY; 2]);
}

#[test]
fn a_host_that_does_not_ask_when_it_has_switched_on_is_told_to_once() {
    let host = Hosted::new();
    host.put(1.0);
    host.switch(true);
    assert!(host.told().is_empty(), "it has some time");
    host.wait_for(1);
    assert_eq!(host.told_after(LONG), [LATENCY]);
    // One that is off is not told.
    host.switch(false);
    host.put(0.0);
    assert_eq!(host.told_after(LONG), [LATENCY]);
}
