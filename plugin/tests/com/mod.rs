//! A VST3 host of our own, on the interfaces themselves: it does what hosts' libraries do not let a test do.
#![allow(unsafe_code, dead_code, unreachable_pub)]

pub mod frame;

use std::ffi::{CString, c_void};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::{Mutex, OnceLock};
use std::thread::ThreadId;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, BusInfo, IAudioProcessor,
    IAudioProcessorTrait, IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait,
    IEditController, IEditControllerTrait, IParamValueQueue, IParamValueQueueTrait,
    IParameterChanges, IParameterChangesTrait, MediaTypes_, ParamID, ParameterInfo, ProcessContext,
    ProcessContext_, ProcessData, ProcessSetup, SpeakerArr, SpeakerArrangement,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IBStream, IBStreamTrait, IPlugView, IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait,
    PClassInfo, int32, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper, Interface};

pub const MONO: SpeakerArrangement = SpeakerArr::kMono;
pub const STEREO: SpeakerArrangement = SpeakerArr::kStereo;
pub const NONE: SpeakerArrangement = SpeakerArr::kEmpty;
pub const INPUT: i32 = BusDirections_::kInput as i32;
pub const OUTPUT: i32 = BusDirections_::kOutput as i32;
const AUDIO: i32 = MediaTypes_::kAudio as i32;

/// What is done around each call of a plugin's `process`, if anything: a program that watches says so.
pub static AROUND: OnceLock<fn(&mut dyn FnMut())> = OnceLock::new();

/// The library, as a host has it; it stays in the process.
pub struct Module {
    factory: ComPtr<IPluginFactory>,
}

impl Module {
    pub fn load(path: &Path) -> Self {
        let name = CString::new(path.to_str().expect("a name")).expect("no zero");
        // SAFETY: the library is the one that this package has built, and its two functions are as VST3
        // says: the first takes the library's handle, the second gives a factory that is ours to release.
        unsafe {
            let library = libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            assert!(!library.is_null(), "{}: it loads", path.display());
            let entry = libc::dlsym(library, c"ModuleEntry".as_ptr());
            let factory = libc::dlsym(library, c"GetPluginFactory".as_ptr());
            assert!(!entry.is_null() && !factory.is_null());
            let entry: extern "C" fn(*mut c_void) -> bool = std::mem::transmute(entry);
            let factory: extern "system" fn() -> *mut IPluginFactory = std::mem::transmute(factory);
            assert!(entry(library));
            let factory = ComPtr::from_raw(factory()).expect("a factory");
            Self { factory }
        }
    }

    /// What a library's entry gave.
    ///
    /// # Safety
    ///
    /// A factory, which is this one's to release.
    pub unsafe fn of(factory: *mut c_void) -> Self {
        // SAFETY: the caller's word.
        let factory = unsafe { ComPtr::from_raw(factory.cast()) };
        Self {
            factory: factory.expect("a factory"),
        }
    }

    pub fn instance(&self) -> Instance {
        // SAFETY: as the interfaces are said to be called.
        unsafe {
            let mut info: PClassInfo = std::mem::zeroed();
            assert_eq!(self.factory.getClassInfo(0, &mut info), kResultOk);
            let mut component = null_mut();
            let iid = IComponent::IID;
            let made =
                self.factory
                    .createInstance(info.cid.as_ptr(), iid.as_ptr().cast(), &mut component);
            assert_eq!(made, kResultOk);
            let component: ComPtr<IComponent> =
                ComPtr::from_raw(component.cast()).expect("a component");
            assert_eq!(component.initialize(null_mut()), kResultOk);
            let controller: ComPtr<IEditController> = component.cast().expect("a controller");
            let handler = ComWrapper::new(Handler::default());
            let told = handler.to_com_ptr::<IComponentHandler>().expect("it is");
            assert_eq!(controller.setComponentHandler(told.as_ptr()), kResultOk);
            Instance {
                processor: component.cast().expect("a processor"),
                component,
                controller,
                handler,
            }
        }
    }
}

/// What an instance told its host, and from which thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    Begin(ParamID),
    Set(ParamID, f64),
    End(ParamID),
    Restart(i32),
}

#[derive(Default)]
pub struct Handler(pub Mutex<Vec<(Told, ThreadId)>>);

impl Handler {
    fn told(&self, told: Told) -> tresult {
        let thread = std::thread::current().id();
        self.0.lock().expect("no panic").push((told, thread));
        kResultOk
    }

    pub fn take(&self) -> Vec<(Told, ThreadId)> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }

    /// The restarts since the last call of `take`, by their flags.
    pub fn restarts(&self) -> Vec<i32> {
        let told = self.0.lock().expect("no panic");
        let flags = told.iter().filter_map(|(told, _)| match told {
            Told::Restart(flags) => Some(*flags),
            _ => None,
        });
        flags.collect()
    }
}

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, id: ParamID) -> tresult {
        self.told(Told::Begin(id))
    }
    unsafe fn performEdit(&self, id: ParamID, value: f64) -> tresult {
        self.told(Told::Set(id, value))
    }
    unsafe fn endEdit(&self, id: ParamID) -> tresult {
        self.told(Told::End(id))
    }
    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        self.told(Told::Restart(flags))
    }
}

/// What a host gives for a bus.
#[derive(Debug, Clone)]
pub enum Bus {
    Sound(Vec<Vec<f32>>),
    /// So many channels, and no table of them.
    NoTable(usize),
    /// A table of nothing.
    NullChannels(usize),
    /// As a bus that is not connected.
    NoChannels,
}

struct Table {
    pointers: Vec<*mut f32>,
    bus: AudioBusBuffers,
}

impl Bus {
    fn table(&mut self) -> Table {
        let (channels, mut pointers): (usize, Vec<*mut f32>) = match self {
            Self::Sound(channels) => (
                channels.len(),
                channels.iter_mut().map(|it| it.as_mut_ptr()).collect(),
            ),
            Self::NoTable(channels) => (*channels, Vec::new()),
            Self::NullChannels(channels) => (*channels, vec![null_mut(); *channels]),
            Self::NoChannels => (0, Vec::new()),
        };
        let table = if pointers.is_empty() {
            null_mut()
        } else {
            pointers.as_mut_ptr()
        };
        Table {
            pointers,
            bus: AudioBusBuffers {
                numChannels: channels as i32,
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 {
                    channelBuffers32: table,
                },
            },
        }
    }
}

/// A parameter's change: its id, the frame, where to.
pub type Change = (ParamID, i32, f64);

struct Queue {
    id: ParamID,
    points: Vec<(i32, f64)>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }
    unsafe fn getPointCount(&self) -> int32 {
        self.points.len() as i32
    }
    unsafe fn getPoint(&self, index: int32, frame: *mut int32, value: *mut f64) -> tresult {
        let point = self.points[index as usize];
        // SAFETY: the plugin gives places for both.
        unsafe { (*frame, *value) = point };
        kResultOk
    }
    unsafe fn addPoint(&self, _: int32, _: f64, _: *mut int32) -> tresult {
        unreachable!("what comes in is the host's")
    }
}

/// The changes of one block.
struct Changes(Vec<ComPtr<IParamValueQueue>>);

impl Changes {
    fn new(changes: &[Change]) -> Self {
        let mut queues: Vec<Queue> = Vec::new();
        for &(id, frame, value) in changes {
            match queues.iter_mut().find(|queue| queue.id == id) {
                Some(queue) => queue.points.push((frame, value)),
                None => queues.push(Queue {
                    id,
                    points: vec![(frame, value)],
                }),
            }
        }
        let queues = queues.into_iter().map(ComWrapper::new);
        Self(
            queues
                .map(|queue| queue.to_com_ptr().expect("it is"))
                .collect(),
        )
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.len() as i32
    }
    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.0[index as usize].as_ptr()
    }
    unsafe fn addParameterData(&self, _: *const ParamID, _: *mut int32) -> *mut IParamValueQueue {
        unreachable!("what comes in is the host's")
    }
}

/// What a state is read from.
struct Stream {
    bytes: Vec<u8>,
    at: Mutex<usize>,
}

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, to: *mut c_void, most: int32, count: *mut int32) -> tresult {
        let mut at = self.at.lock().expect("no panic");
        let left = &self.bytes[*at..];
        let length = left.len().min(most as usize);
        // SAFETY: the plugin has room for as much as it asks for, and a place for the answer, or null.
        unsafe {
            std::ptr::copy_nonoverlapping(left.as_ptr(), to.cast(), length);
            if !count.is_null() {
                *count = length as int32;
            }
        }
        *at += length;
        kResultOk
    }
    unsafe fn write(&self, _: *mut c_void, _: int32, _: *mut int32) -> tresult {
        kResultFalse
    }
    unsafe fn seek(&self, to: i64, mode: int32, found: *mut i64) -> tresult {
        let mut at = self.at.lock().expect("no panic");
        let from = [0, *at, self.bytes.len()][mode as usize] as i64;
        *at = (from + to).clamp(0, self.bytes.len() as i64) as usize;
        if !found.is_null() {
            // SAFETY: a place for the answer.
            unsafe { *found = *at as i64 };
        }
        kResultOk
    }
    unsafe fn tell(&self, found: *mut i64) -> tresult {
        // SAFETY: a place for the answer.
        unsafe { *found = *self.at.lock().expect("no panic") as i64 };
        kResultOk
    }
}

/// All of one block.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub inputs: Vec<Bus>,
    pub output: Vec<Vec<f32>>,
    pub changes: Vec<Change>,
    /// As `ProcessData` says it: 2 is offline.
    pub mode: i32,
    pub frames: Option<usize>,
    pub tempo: Option<f64>,
    /// The output stands where the input does.
    pub in_place: bool,
    /// So does the side-chain.
    pub key_is_main: bool,
}

impl Block {
    /// Main sound in, as much out.
    pub fn of(input: &[Vec<f32>]) -> Self {
        let frames = input.first().map_or(0, Vec::len);
        Self {
            inputs: vec![Bus::Sound(input.to_vec())],
            output: vec![vec![f32::NAN; frames]; input.len()],
            ..Self::default()
        }
    }

    pub fn with(mut self, key: Bus) -> Self {
        self.inputs.push(key);
        self
    }

    pub fn changing(mut self, changes: &[Change]) -> Self {
        self.changes = changes.to_vec();
        self
    }
}

/// One instance; ended as hosts end it.
pub struct Instance {
    pub component: ComPtr<IComponent>,
    pub processor: ComPtr<IAudioProcessor>,
    pub controller: ComPtr<IEditController>,
    pub handler: ComWrapper<Handler>,
}

// The calls on the interfaces are as VST3 says: places for answers are on this stack, and lists live as long
// as the call.
impl Instance {
    pub fn set_up(&self, rate_hz: f64, most_frames: usize, mode: i32) {
        let mut setup = ProcessSetup {
            processMode: mode,
            symbolicSampleSize: 0,
            maxSamplesPerBlock: most_frames as i32,
            sampleRate: rate_hz,
        };
        // SAFETY: see above.
        let done = unsafe { self.processor.setupProcessing(&mut setup) };
        assert_eq!(done, kResultOk);
    }

    pub fn activate(&self, on: bool) {
        // SAFETY: see above.
        unsafe {
            if !on {
                self.processor.setProcessing(0);
            }
            assert_eq!(self.component.setActive(u8::from(on)), kResultOk);
            if on {
                self.processor.setProcessing(1);
            }
        }
    }

    /// Set up in real time, and active.
    pub fn start(&self, rate_hz: f64, most_frames: usize) {
        self.set_up(rate_hz, most_frames, 0);
        self.activate(true);
    }

    pub fn arrange(&self, inputs: &[u64], outputs: &[u64]) -> tresult {
        let (mut inputs, mut outputs) = (inputs.to_vec(), outputs.to_vec());
        let counts = (inputs.len() as i32, outputs.len() as i32);
        // SAFETY: see above.
        unsafe {
            self.processor.setBusArrangements(
                inputs.as_mut_ptr(),
                counts.0,
                outputs.as_mut_ptr(),
                counts.1,
            )
        }
    }

    pub fn arrangement(&self, direction: i32, bus: i32) -> Option<u64> {
        let mut found = !0;
        // SAFETY: see above.
        let done = unsafe { self.processor.getBusArrangement(direction, bus, &mut found) };
        (done == kResultOk).then_some(found)
    }

    /// Of main in, side-chain, main out.
    pub fn arrangements(&self) -> [Option<u64>; 3] {
        [(INPUT, 0), (INPUT, 1), (OUTPUT, 0)].map(|(to, bus)| self.arrangement(to, bus))
    }

    pub fn buses(&self, direction: i32) -> Vec<BusInfo> {
        // SAFETY: see above.
        unsafe {
            let count = self.component.getBusCount(AUDIO, direction);
            let info = |bus| {
                let mut info: BusInfo = std::mem::zeroed();
                let done = self.component.getBusInfo(AUDIO, direction, bus, &mut info);
                assert_eq!(done, kResultOk);
                info
            };
            (0..count).map(info).collect()
        }
    }

    pub fn activate_bus(&self, direction: i32, bus: i32, on: bool) -> tresult {
        let on = u8::from(on);
        // SAFETY: see above.
        unsafe { self.component.activateBus(AUDIO, direction, bus, on) }
    }

    pub fn process(&self, block: Block) -> Vec<Vec<f32>> {
        let (done, output) = self.try_process(block);
        assert_eq!(done, kResultOk);
        output
    }

    pub fn try_process(&self, mut block: Block) -> (tresult, Vec<Vec<f32>>) {
        let frames = block.output.first().map_or(0, Vec::len);
        let frames = block.frames.unwrap_or(frames);
        let tables: Vec<_> = block.inputs.iter_mut().map(Bus::table).collect();
        let mut inputs: Vec<_> = tables.iter().map(|table| table.bus).collect();
        if block.key_is_main {
            inputs.push(inputs[0]);
        }
        let mut output = Bus::Sound(block.output);
        let out = output.table();
        let mut outputs = [if block.in_place { inputs[0] } else { out.bus }];
        let changes = ComWrapper::new(Changes::new(&block.changes));
        let changes = changes.to_com_ptr::<IParameterChanges>().expect("it is");
        // SAFETY: numbers and addresses; no tempo is 0.
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        context.tempo = block.tempo.unwrap_or(0.0);
        context.state = match block.tempo {
            Some(_) => ProcessContext_::StatesAndFlags_::kTempoValid,
            None => 0,
        };
        let mut data = ProcessData {
            processMode: block.mode,
            symbolicSampleSize: 0,
            numSamples: frames as i32,
            numInputs: inputs.len() as i32,
            numOutputs: i32::from(out.bus.numChannels > 0),
            inputs: if inputs.is_empty() {
                null_mut()
            } else {
                inputs.as_mut_ptr()
            },
            outputs: outputs.as_mut_ptr(),
            inputParameterChanges: changes.as_ptr(),
            outputParameterChanges: null_mut(),
            inputEvents: null_mut(),
            outputEvents: null_mut(),
            processContext: &mut context,
        };
        let mut done = kResultFalse;
        let mut process = || {
            // SAFETY: see above; the tables' channels are as long as is said.
            done = unsafe { self.processor.process(&mut data) };
        };
        match AROUND.get() {
            Some(around) => around(&mut process),
            None => process(),
        }
        drop(tables);
        let output = if block.in_place {
            block.inputs.swap_remove(0)
        } else {
            output
        };
        match output {
            Bus::Sound(output) => (done, output),
            _ => (done, Vec::new()),
        }
    }

    /// Loads a state as VST3 hosts keep it: JSON.
    pub fn load(&self, state: &[u8]) -> tresult {
        let stream = ComWrapper::new(Stream {
            bytes: state.to_vec(),
            at: Mutex::new(0),
        });
        let stream = stream.to_com_ptr::<IBStream>().expect("it is");
        // SAFETY: see above.
        unsafe { self.component.setState(stream.as_ptr()) }
    }

    /// A parameter's id by its name.
    pub fn id(&self, name: &str) -> ParamID {
        let name: Vec<u16> = name.encode_utf16().collect();
        // SAFETY: see above.
        unsafe {
            for index in 0..self.controller.getParameterCount() {
                let mut info: ParameterInfo = std::mem::zeroed();
                assert_eq!(
                    self.controller.getParameterInfo(index, &mut info),
                    kResultOk
                );
                if info.title[..name.len()] == name[..] && info.title[name.len()] == 0 {
                    return info.id;
                }
            }
        }
        panic!("no such parameter")
    }

    pub fn latency(&self) -> u32 {
        // SAFETY: see above.
        unsafe { self.processor.getLatencySamples() }
    }

    pub fn value(&self, id: ParamID) -> f64 {
        // SAFETY: see above.
        unsafe { self.controller.getParamNormalized(id) }
    }

    /// As a host tells a controller where a parameter stands.
    pub fn say(&self, id: ParamID, value: f64) {
        // SAFETY: see above.
        let done = unsafe { self.controller.setParamNormalized(id, value) };
        assert_eq!(done, kResultOk);
    }

    pub fn view(&self) -> Option<ComPtr<IPlugView>> {
        // SAFETY: see above; what comes is ours to release.
        unsafe { ComPtr::from_raw(self.controller.createView(c"editor".as_ptr())) }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: see above.
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
            self.controller.setComponentHandler(null_mut());
            self.component.terminate();
        }
    }
}
