//! The plugin as nice-plug's wrapper knows it: names, texts and states of its parameters. It has no sound and
//! no editor, so that nothing of either can go wrong there.

use std::sync::{Arc, Mutex, PoisonError};
#[cfg(not(target_os = "linux"))]
use std::sync::{OnceLock, Weak};

use headroom_engine::Catalog;
#[cfg(not(target_os = "linux"))]
use nice_plug::prelude::TaskExecutor;
use nice_plug::prelude::{
    AsyncExecutor, AudioIOLayout, AuxiliaryBuffers, Buffer, Params, Plugin, PluginState,
    ProcessContext, ProcessStatus, Vst3Plugin, Vst3SubCategory,
};
use nice_plug::wrapper::vst3::Wrapper;

#[cfg(not(target_os = "linux"))]
use super::link::Link;
use crate::about;
use crate::parameters::Parameters;
use crate::state;

/// What an instance and its paperwork share.
pub(super) struct Share {
    parameters: Arc<Parameters>,
    /// nice-plug's way to the host's main thread, and who is to be called there.
    #[cfg(not(target_os = "linux"))]
    post: OnceLock<AsyncExecutor<Paperwork>>,
    #[cfg(not(target_os = "linux"))]
    pub(super) link: OnceLock<Weak<Link>>,
}

impl Share {
    pub(super) fn new(parameters: Arc<Parameters>) -> Self {
        Self {
            parameters,
            #[cfg(not(target_os = "linux"))]
            post: OnceLock::new(),
            #[cfg(not(target_os = "linux"))]
            link: OnceLock::new(),
        }
    }

    /// `[any]` Has the host's main thread call the link.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn call(&self) {
        if let Some(post) = self.post.get() {
            post.execute_gui(());
        }
    }
}

/// Nothing but parameters.
pub(super) struct Paperwork(Arc<Share>);

/// What the paperwork that is made next is of: nice-plug makes it without saying for whom.
static NEXT: Mutex<Option<Arc<Share>>> = Mutex::new(None);

impl Paperwork {
    /// `[main]` The paperwork of these parameters.
    pub(super) fn of(share: &Arc<Share>) -> Wrapper<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        *NEXT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(share));
        Wrapper::new()
    }
}

impl Default for Paperwork {
    fn default() -> Self {
        let next = NEXT.lock().unwrap_or_else(PoisonError::into_inner).take();
        Self(next.unwrap_or_else(|| {
            let parameters = Arc::new(Parameters::new(Catalog::builtin()));
            Arc::new(Share::new(parameters))
        }))
    }
}

impl Plugin for Paperwork {
    const NAME: &'static str = about::NAME;
    const VENDOR: &'static str = about::VENDOR;
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = about::VERSION;

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[];

    type Editor = ();
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.0.parameters) as Arc<dyn Params>
    }

    #[cfg(not(target_os = "linux"))]
    fn task_executor(&mut self) -> TaskExecutor<Self> {
        let share = Arc::clone(&self.0);
        Box::new(move |()| {
            if let Some(link) = share.link.get().and_then(Weak::upgrade) {
                link.on_main_thread();
            }
        })
    }

    fn editor(&mut self, post: AsyncExecutor<Self>) -> Option<()> {
        // On Linux it leads to a thread of nice-plug's, which is no better than ours.
        #[cfg(not(target_os = "linux"))]
        let _once = self.0.post.set(post);
        #[cfg(target_os = "linux")]
        drop(post);
        None
    }

    fn filter_state(state: &mut PluginState) {
        state::filter(state, &Catalog::builtin());
    }

    fn process(
        &mut self,
        _: &mut Buffer,
        _: &mut AuxiliaryBuffers,
        _: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        ProcessStatus::Error("sound does not come this way")
    }
}

impl Vst3Plugin for Paperwork {
    // Frozen: hosts know the plugin by it.
    const VST3_CLASS_ID: [u8; 16] = *b"HeadroomStripFx1";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Eq,
        Vst3SubCategory::Stereo,
        Vst3SubCategory::Mono,
    ];
}
