//! What a VST3 host looks for in the library.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;

use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::PluginInfo;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo,
    int32, kInternalError, kInvalidArgument, kNoInterface, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::com_scrape_types::{Guid, Unknown};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use super::component::Component;
use super::paperwork::Paperwork;
use crate::edition::{BuiltIn, Edition};
use crate::shield::shielded;

/// Makes instances.
struct Factory<E> {
    info: PluginInfo,
    _edition: PhantomData<fn() -> E>,
}

impl<E: Edition> Class for Factory<E> {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl<E: Edition> Factory<E> {
    /// Writes what `what` makes of the only class.
    ///
    /// # Safety
    ///
    /// `to` is null or a place for it.
    unsafe fn write<T>(
        &self,
        index: int32,
        to: *mut T,
        what: impl FnOnce(&PluginInfo) -> T,
    ) -> tresult {
        if to.is_null() || index != 0 {
            return kInvalidArgument;
        }
        let Some(info) = shielded(|| what(&self.info)) else {
            return kInternalError;
        };
        // SAFETY: it is not null, and then a place, as the caller says.
        unsafe { to.write(info) };
        kResultOk
    }
}

// What a host gives a place for is as VST3 says: null, or room for the answer.
impl<E: Edition> IPluginFactoryTrait for Factory<E> {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: see above.
        unsafe { self.write(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        1
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: see above.
        unsafe { self.write(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(
        &self,
        class: FIDString,
        interface: FIDString,
        object: *mut *mut c_void,
    ) -> tresult {
        if class.is_null() || interface.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: both are 16 bytes, as VST3 says.
        let (class, interface) = unsafe { (&*class.cast::<Guid>(), &*interface.cast::<Guid>()) };
        if class != self.info.cid {
            return kInvalidArgument;
        }
        let made = shielded(|| ComWrapper::new(Component::new(E::catalog())));
        let Some(made) = made else {
            return kInternalError;
        };
        // PANIC: it has interfaces, and each is this one, too.
        let Some(unknown) = made.as_com_ref::<FUnknown>() else {
            return kInternalError;
        };
        // SAFETY: `made` lives until the end of this; who asks gets a count of its own.
        let found = unsafe { FUnknown::query_interface(unknown.as_ptr(), interface) };
        let Some(found) = found else {
            return kNoInterface;
        };
        // SAFETY: it is not null, and then a place.
        unsafe { object.write(found) };
        kResultOk
    }
}

impl<E: Edition> IPluginFactory2Trait for Factory<E> {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: as above.
        unsafe { self.write(index, info, PluginInfo::create_class_info_2) }
    }
}

impl<E: Edition> IPluginFactory3Trait for Factory<E> {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: as above.
        unsafe { self.write(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// `[main]` A factory of such plugins, an `IPluginFactory` for whoever asks to release; null if there is none.
pub fn factory<E: Edition>() -> *mut c_void {
    let factory = shielded(|| {
        let factory = Factory {
            info: PluginInfo::for_plugin::<Paperwork>(),
            _edition: PhantomData::<fn() -> E>,
        };
        ComWrapper::new(factory).to_com_ptr::<IPluginFactory>()
    });
    match factory.flatten() {
        Some(factory) => factory.into_raw().cast(),
        None => std::ptr::null_mut(),
    }
}

/// A factory, for the host to release.
#[unsafe(no_mangle)]
pub(super) extern "system" fn GetPluginFactory() -> *mut c_void {
    factory::<BuiltIn>()
}

fn enter() -> bool {
    shielded(setup_logger::<Paperwork>).is_some()
}

/// The library is loaded.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub(super) extern "C" fn ModuleEntry(_: *mut c_void) -> bool {
    enter()
}

/// The library is let go of.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub(super) extern "C" fn ModuleExit() -> bool {
    true
}

/// The library is loaded.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub(super) extern "C" fn bundleEntry(_: *mut c_void) -> bool {
    enter()
}

/// The library is let go of.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub(super) extern "C" fn bundleExit() -> bool {
    true
}

/// The library is loaded.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub(super) extern "system" fn InitDll() -> bool {
    enter()
}

/// The library is let go of.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub(super) extern "system" fn ExitDll() -> bool {
    true
}
