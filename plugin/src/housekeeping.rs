//! Housekeeping: the one thread of all instances in this library, which builds what their parameters ask
//! for. Shared and counted; joined when the last instance goes.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::desk::Desk;
use crate::editor::Standing;
use crate::parameters::Parameters;
use crate::shield::shielded;

/// Between two looks. Nobody wakes the thread: the audio thread does not call the system.
const TICK: Duration = Duration::from_millis(10);

/// Who has to tell an instance's host something, where nice-plug does not.
pub(crate) trait Host: Send + Sync {
    /// `[main]` Called at each look of housekeeping's.
    fn look(&self);
}

/// What one instance and housekeeping share.
#[derive(Default)]
pub(crate) struct Instance {
    desk: Mutex<Option<Desk>>,
    /// Frames by which the rack is late, as of the last edit. Writer: whoever works at the desk (Relaxed:
    /// it stands for itself); reader: the audio thread.
    latency_frames: AtomicUsize,
    /// The editor. Taken before the desk by whoever takes both.
    editor: Mutex<Standing>,
    /// There is a thread that looks.
    is_kept: AtomicBool,
    host: OnceLock<Weak<dyn Host>>,
}

impl Instance {
    /// `[main]` The desk, for as long as the guard is held.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Option<Desk>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `[main]` The editor, for as long as the guard is held.
    pub(crate) fn editor(&self) -> MutexGuard<'_, Standing> {
        self.editor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `[main]` From now on `host` is looked after, too.
    pub(crate) fn set_host(&self, host: Weak<dyn Host>) {
        // There is one for as long as there is an instance.
        let _once = self.host.set(host);
    }

    /// `[main]` Whether housekeeping looks after it.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    /// `[audio]` Frames by which the rack is late.
    pub(crate) fn latency_frames(&self) -> usize {
        self.latency_frames.load(Ordering::Relaxed)
    }

    /// `[main]` Says what the desk's latency is now.
    pub(crate) fn tell_latency(&self, desk: &Desk) {
        self.latency_frames
            .store(desk.latency_frames(), Ordering::Relaxed);
    }

    /// `[main]` Brings the rack to what the parameters ask for, now. On the audio thread in an offline
    /// render only.
    pub(crate) fn catch_up(&self, parameters: &Parameters) {
        if let Some(desk) = &mut *self.desk() {
            desk.catch_up(parameters);
            self.tell_latency(desk);
        }
    }

    fn look(&self, parameters: &Parameters) {
        let (outbox, is_settling) = match self.editor.try_lock() {
            Ok(mut editor) => (editor.look(parameters), editor.is_settling()),
            // A panic in it is no reason to leave the rest undone.
            Err(TryLockError::Poisoned(poisoned)) => {
                let mut editor = poisoned.into_inner();
                (editor.look(parameters), editor.is_settling())
            }
            Err(TryLockError::WouldBlock) => (None, false),
        };
        if let Some(outbox) = outbox {
            outbox.send(parameters);
        }
        if is_settling {
            return;
        }
        // Somebody else is at it: at the next look.
        let Ok(mut desk) = self.desk.try_lock() else {
            return;
        };
        if let Some(desk) = &mut *desk {
            desk.look(parameters);
            self.tell_latency(desk);
        }
    }
}

type Instances = Mutex<Vec<Weak<Parameters>>>;

/// A share in the library's housekeeping thread.
pub(crate) struct Housekeeping {
    instances: Arc<Instances>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Housekeeping {
    /// `[main]` The library's thread; it is started if there is none.
    pub(crate) fn acquire() -> io::Result<Arc<Self>> {
        static CURRENT: Mutex<Weak<Housekeeping>> = Mutex::new(Weak::new());
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(housekeeping) = current.upgrade() {
            return Ok(housekeeping);
        }
        let housekeeping = Arc::new(Self::start()?);
        *current = Arc::downgrade(&housekeeping);
        Ok(housekeeping)
    }

    fn start() -> io::Result<Self> {
        let instances = Arc::<Instances>::default();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (instances, stop) = (Arc::clone(&instances), Arc::clone(&stop));
            std::thread::Builder::new()
                .name("hr-plugin".into())
                .spawn(move || keep_house(&instances, &stop))?
        };
        Ok(Self {
            instances,
            stop,
            thread: Some(thread),
        })
    }

    /// `[main]` One more instance to look after, until it goes.
    pub(crate) fn look_after(&self, parameters: &Arc<Parameters>) {
        let mut instances = locked(&self.instances);
        instances.retain(|instance| instance.strong_count() > 0);
        instances.push(Arc::downgrade(parameters));
        parameters.instance().is_kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire in keep_house().
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It catches every panic: there is none to tell of.
            let _ = thread.join();
        }
    }
}

fn locked(instances: &Instances) -> MutexGuard<'_, Vec<Weak<Parameters>>> {
    instances.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep_house(instances: &Instances, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        // The list is not held while somebody's rack is built: a new instance would wait.
        let alive: Vec<_> = locked(instances).iter().filter_map(Weak::upgrade).collect();
        for parameters in alive {
            let instance = parameters.instance();
            shielded(|| instance.look(&parameters));
            if let Some(host) = instance.host.get().and_then(Weak::upgrade) {
                shielded(|| host.look());
            }
        }
        std::thread::park_timeout(TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_running() -> bool {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let mut names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.any(|name| name.trim() == "hr-plugin")
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn all_share_one_thread_which_goes_with_the_last() {
        let first = Housekeeping::acquire().unwrap();
        let second = Housekeeping::acquire().unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        drop(first);
        // It takes its name when it first runs.
        let started = std::time::Instant::now();
        while !is_running() {
            assert!(started.elapsed() < Duration::from_secs(10), "it goes on");
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(second);
        assert!(!is_running(), "it is joined, not left to itself");
    }
}
