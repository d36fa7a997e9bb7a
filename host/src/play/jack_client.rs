//! A JACK client that runs: what the server tells it, and what it tells the graph, which is what the rack
//! adds on the way from our inputs to our outputs, so that whoever stands behind us can make up for it.
//! The crate `jack` has no latency callback: this is it. And it registers one kind of two by which a server says
//! that it ends: PipeWire's library calls the other only.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use jack::AsyncClient;
use jack::Client;
use jack::ClientStatus;
use jack::Control;
use jack::Frames;
use jack::NotificationHandler;
use jack::ProcessHandler;
use jack::jack_sys;

use super::jack_server::Member;
use super::jack_server::has_died;
use super::shared::Loss;
use super::shared::Shared;

/// A client that is active and answers for its latency. Dropping it closes the client; may block.
pub(super) struct Active<P> {
    // Dropped first, which closes the client: from then on nobody calls back.
    client: AsyncClient<Notify, P>,
    _words: Box<Words>,
    _member: Member,
}

/// What our own callbacks work with.
struct Words {
    inputs: Vec<*mut jack_sys::jack_port_t>,
    outputs: Vec<*mut jack_sys::jack_port_t>,
    shared: Arc<Shared>,
}

// SAFETY: the pointers are JACK's own handles of ports, which any thread may use while the client lives, and
// the client lives at least as long as what holds them.
unsafe impl Send for Words {}
// SAFETY: as above; nothing in it is ever changed.
unsafe impl Sync for Words {}

impl<P> Active<P>
where
    P: 'static + Send + ProcessHandler,
{
    /// `[main]` Starts the callbacks of `client`, whose own ports are called `inputs` and `outputs`. May block.
    pub(super) fn activate(
        (client, member): (Client, Member),
        process: P,
        [inputs, outputs]: [&[String]; 2],
        shared: &Arc<Shared>,
    ) -> Result<Self, jack::Error> {
        let raw = |names: &[String]| {
            let ports = names.iter().filter_map(|name| client.port_by_name(name));
            ports.map(|port| port.raw()).collect()
        };
        let words = Box::new(Words {
            inputs: raw(inputs),
            outputs: raw(outputs),
            shared: Arc::clone(shared),
        });
        let argument: *const Words = &raw const *words;
        let argument = argument.cast_mut().cast();
        // SAFETY: the client is open and not active yet, as JACK asks. `argument` points into the box that
        // is kept beside the client and dropped after it; where activation fails, the box is leaked, since
        // the crate does not close such a client.
        let refused = unsafe {
            jack_sys::jack_on_shutdown(client.raw(), Some(tell_end), argument);
            jack_sys::jack_set_latency_callback(client.raw(), Some(tell_latency), argument)
        };
        let notify = Notify {
            shared: Arc::clone(shared),
            sample_rate_hz: client.sample_rate(),
        };
        if refused != 0 {
            return Err(jack::Error::CallbackRegistrationError);
        }
        match client.activate_async(notify, process) {
            Ok(client) => Ok(Self {
                client,
                _words: words,
                _member: member,
            }),
            Err(error) => {
                Box::leak(words);
                Err(error)
            }
        }
    }
}

impl<P> Active<P> {
    /// `[any]` The client.
    pub(super) fn client(&self) -> &Client {
        self.client.as_client()
    }

    /// `[main]` Has the graph ask again. May block.
    pub(super) fn latency_changed(&self) {
        // SAFETY: the client is open for as long as `self` is.
        let _best_effort = unsafe { jack_sys::jack_recompute_total_latencies(self.client().raw()) };
    }
}

/// What the server tells.
struct Notify {
    shared: Arc<Shared>,
    /// What it ran at when we came.
    sample_rate_hz: u32,
}

impl NotificationHandler for Notify {
    // Only what a signal handler may do, the trait asks: these are atomic operations.
    unsafe fn shutdown(&mut self, _: ClientStatus, _: &str) {
        has_died();
        self.shared.lose(Loss::Gone);
    }

    fn sample_rate(&mut self, _: &Client, rate_hz: Frames) -> Control {
        if rate_hz != self.sample_rate_hz {
            self.shared.lose(Loss::Changed);
        }
        Control::Continue
    }

    fn xrun(&mut self, _: &Client) -> Control {
        self.shared.count_xrun();
        Control::Continue
    }
}

/// The server has ended: what [`Notify::shutdown`] does, where the library does not call that.
unsafe extern "C" fn tell_end(words: *mut c_void) {
    // SAFETY: `activate` registered this pointer, and the box outlives the client.
    let words = unsafe { &*words.cast_const().cast::<Words>() };
    has_died();
    words.shared.lose(Loss::Gone);
}

/// For clients that only want to know of the death of their server, by [`Member::is_orphaned`].
#[cfg_attr(not(any(target_os = "linux", target_os = "freebsd")), allow(dead_code))]
pub(crate) struct Farewell;

impl NotificationHandler for Farewell {
    // An atomic addition, as above.
    unsafe fn shutdown(&mut self, _: ClientStatus, _: &str) {
        has_died();
    }
}

/// JACK's thread for notifications: what comes in is as late at our outputs as at our inputs, and the rack's
/// latency later; the same backwards for what goes out.
unsafe extern "C" fn tell_latency(
    mode: jack_sys::jack_latency_callback_mode_t,
    words: *mut c_void,
) {
    // SAFETY: `activate` registered this pointer, and the box outlives the client.
    let words = unsafe { &*words.cast_const().cast::<Words>() };
    let rack_frames = words.shared.rack_latency_frames.load(Relaxed);
    let (from, to) = if mode == jack_sys::JackCaptureLatency {
        (&words.inputs, &words.outputs)
    } else {
        (&words.outputs, &words.inputs)
    };
    let mut all: Option<(u32, u32)> = None;
    for &port in from {
        let mut range = jack_sys::Struct__jack_latency_range { min: 0, max: 0 };
        // SAFETY: a port of our own, and the client is open: it is calling.
        unsafe { jack_sys::jack_port_get_latency_range(port, mode, &raw mut range) };
        let (min, max) = (range.min, range.max);
        all = Some(all.map_or((min, max), |all| (all.0.min(min), all.1.max(max))));
    }
    let (min, max) = all.unwrap_or_default();
    for &port in to {
        let mut range = jack_sys::Struct__jack_latency_range {
            min: min.saturating_add(rack_frames),
            max: max.saturating_add(rack_frames),
        };
        // SAFETY: as above, and this is the callback in which it may be set.
        unsafe { jack_sys::jack_port_set_latency_range(port, mode, &raw mut range) };
    }
}
