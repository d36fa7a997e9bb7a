//! A host is called for as long as its instance is there, and not a moment longer.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::ptr::{NonNull, null};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clack_plugin::host::HostSharedHandle;
use headroom_engine::Catalog;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::wrapper::clap::{CLAP_VERSION, clap_host};

use super::events::Gestures;
use super::link::Link;
use crate::hand::Recorder;
use crate::housekeeping::Host as _;
use crate::parameters::Parameters;
use crate::table::Table;

/// Takes its time for a call, and counts those that have come and gone.
struct Slow {
    begun: AtomicUsize,
    done: AtomicUsize,
}

unsafe extern "C" fn extension(_: *const clap_host, _: *const c_char) -> *const c_void {
    null()
}

unsafe extern "C" fn called(host: *const clap_host) {
    // SAFETY: the test's own, which lives until its end.
    let slow = unsafe { &*(*host).host_data.cast::<Slow>() };
    slow.begun.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(100));
    slow.done.fetch_add(1, Ordering::SeqCst);
}

fn host_of(slow: &Slow) -> clap_host {
    clap_host {
        clap_version: CLAP_VERSION,
        host_data: std::ptr::from_ref(slow).cast_mut().cast(),
        name: c"slow".as_ptr(),
        vendor: null(),
        url: null(),
        version: c"1".as_ptr(),
        get_extension: Some(extension),
        request_restart: Some(called),
        request_process: Some(called),
        request_callback: Some(called),
    }
}

#[test]
fn who_lets_go_waits_for_a_call_on_its_way_and_no_other_follows() {
    let slow = Slow {
        begun: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
    };
    let mut host = host_of(&slow);
    // SAFETY: it lives until the end of this.
    let handle = unsafe { HostSharedHandle::from_raw(NonNull::from(&mut host)) };
    let parameters = Arc::new(Parameters::new(Catalog::builtin()));
    let (to_host, _gestures) = Gestures::new();
    let link = Link::new(Table::new(parameters), to_host, handle);
    let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
    let calling = {
        let link = Arc::clone(&link);
        std::thread::spawn(move || link.call())
    };
    while count(&slow.begun) == 0 {
        std::thread::yield_now();
    }
    link.let_go();
    assert_eq!(count(&slow.done), 1, "it was waited for");
    // Active, with a latency that the host does not know: housekeeping would ask for a restart.
    link.activate(77);
    link.look();
    link.call();
    link.begin(0);
    link.end(0);
    assert!(!link.ask_for_size(NativeSize::new(10, 10)));
    assert_eq!(count(&slow.begun), 1, "nobody is called any more");
    calling.join().expect("no panic");
}
