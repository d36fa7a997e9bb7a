//! Linux: has the host come to its main thread, by the loop that it runs there. A byte in a socket wakes it;
//! a socket, since some hosts look at nothing else.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use nice_plug::wrapper::vst3::vst3::Steinberg::Linux::{
    FileDescriptor, IEventHandler, IEventHandlerTrait, IRunLoop, IRunLoopTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::kResultOk;
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper, Interface};

use super::link::Link;
use crate::shield::shielded;

/// In the host's loop until it is dropped, on the main thread.
pub(super) struct Bell {
    run_loop: ComPtr<IRunLoop>,
    listener: ComPtr<IEventHandler>,
    rope: UnixStream,
    /// A byte is on its way. Writers: whoever rings, the listener; a byte too many does no harm (Relaxed).
    is_rung: Arc<AtomicBool>,
}

struct Listener {
    socket: UnixStream,
    is_rung: Arc<AtomicBool>,
    link: Weak<Link>,
}

impl Class for Listener {
    type Interfaces = (IEventHandler,);
}

impl Bell {
    /// `[main]` In the loop of this object of the host's, if it has one.
    pub(super) fn hang<I: Interface>(of: &ComRef<'_, I>, link: Weak<Link>) -> Option<Self> {
        let run_loop = of.cast::<IRunLoop>()?;
        let (rope, socket) = UnixStream::pair().ok()?;
        rope.set_nonblocking(true).ok()?;
        socket.set_nonblocking(true).ok()?;
        let descriptor = socket.as_raw_fd();
        let is_rung = Arc::new(AtomicBool::new(false));
        let listener = ComWrapper::new(Listener {
            socket,
            is_rung: Arc::clone(&is_rung),
            link,
        });
        let listener = listener.to_com_ptr::<IEventHandler>()?;
        // SAFETY: the listener and its descriptor are there until the host is told that they go.
        let hung = unsafe { run_loop.registerEventHandler(listener.as_ptr(), descriptor) };
        (hung == kResultOk).then_some(Self {
            run_loop,
            listener,
            rope,
            is_rung,
        })
    }

    /// `[any]` The host's loop calls [`Link::on_main_thread`], once for all that ring before it does.
    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::Relaxed) && (&self.rope).write(&[1]).is_err() {
            self.is_rung.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        // SAFETY: what was registered, on the host's main thread. What it answers changes nothing.
        unsafe { self.run_loop.unregisterEventHandler(self.listener.as_ptr()) };
    }
}

impl IEventHandlerTrait for Listener {
    unsafe fn onFDIsSet(&self, _: FileDescriptor) {
        let mut bytes = [0; 16];
        while (&self.socket).read(&mut bytes).is_ok_and(|count| count > 0) {}
        self.is_rung.store(false, Ordering::Relaxed);
        shielded(|| {
            if let Some(link) = self.link.upgrade() {
                link.on_main_thread();
            }
        });
    }
}
