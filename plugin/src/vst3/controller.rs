//! Parameters and their groups: nice-plug's answers, but for what is set, and who is told.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, CString, IComponentHandler, IEditControllerTrait, IUnitInfoTrait, MediaType,
    ParamID, ParamValue, ParameterInfo, ProgramListID, ProgramListInfo, String128, TChar, UnitID,
    UnitInfo, ViewType, kRootUnitId,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, IBStream, IPlugView, int16, int32, kInternalError, kInvalidArgument, kResultFalse,
    kResultOk, tresult,
};

use super::component::Component;
use super::view::View;
use crate::shield::shielded;

/// The name of the only view.
const EDITOR: &CStr = {
    // SAFETY: it ends in a zero, as VST3 says.
    unsafe { CStr::from_ptr(ViewType::kEditor) }
};

// What a host gives is as VST3 says: null, or what is asked for. nice-plug looks for null.
impl IEditControllerTrait for Component {
    unsafe fn setComponentState(&self, _: *mut IBStream) -> tresult {
        kResultOk
    }

    unsafe fn setState(&self, _: *mut IBStream) -> tresult {
        // There is none beside the component's.
        kResultOk
    }

    unsafe fn getState(&self, _: *mut IBStream) -> tresult {
        kResultOk
    }

    unsafe fn getParameterCount(&self) -> int32 {
        self.link.table().len() as int32
    }

    unsafe fn getParameterInfo(&self, row: int32, info: *mut ParameterInfo) -> tresult {
        let rows = self.link.table().len();
        if usize::try_from(row).is_ok_and(|row| row < rows) {
            // SAFETY: see above.
            let done = shielded(|| unsafe { self.paper.getParameterInfo(row, info) });
            return done.unwrap_or(kInternalError);
        }
        kInvalidArgument
    }

    unsafe fn getParamStringByValue(
        &self,
        id: ParamID,
        value: ParamValue,
        text: *mut String128,
    ) -> tresult {
        // SAFETY: see above.
        let done = shielded(|| unsafe { self.paper.getParamStringByValue(id, value, text) });
        done.unwrap_or(kInternalError)
    }

    unsafe fn getParamValueByString(
        &self,
        id: ParamID,
        text: *mut TChar,
        value: *mut ParamValue,
    ) -> tresult {
        // SAFETY: see above.
        let done = shielded(|| unsafe { self.paper.getParamValueByString(id, text, value) });
        done.unwrap_or(kInternalError)
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: numbers.
        shielded(|| unsafe { self.paper.normalizedParamToPlain(id, value) }).unwrap_or(value)
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: numbers.
        shielded(|| unsafe { self.paper.plainParamToNormalized(id, value) }).unwrap_or(value)
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        let table = self.link.table();
        if let Some(said) = table.row(id).and_then(|row| table.said(row)) {
            return said.into();
        }
        // SAFETY: numbers.
        shielded(|| unsafe { self.paper.getParamNormalized(id) }).unwrap_or(0.0)
    }

    unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
        let Some(row) = self.link.table().row(id) else {
            return kInvalidArgument;
        };
        let table = self.link.table();
        // What a host sets while it processes comes with a block, at its frame.
        if self.link.plays() {
            table.say(row, value as f32);
        } else {
            shielded(|| table.set(row, value as f32));
        }
        kResultOk
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        // SAFETY: null, or an object of the host's.
        shielded(|| unsafe { self.link.set_handler(handler) });
        kResultOk
    }

    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        // SAFETY: it is not null, and then a text that ends.
        if name.is_null() || unsafe { CStr::from_ptr(name) } != EDITOR {
            return std::ptr::null_mut();
        }
        let view = shielded(|| View::make(Arc::clone(&self.link))).flatten();
        view.map_or(std::ptr::null_mut(), |view| view.into_raw())
    }
}

// There are groups of parameters, and nothing else of what units can be.
impl IUnitInfoTrait for Component {
    unsafe fn getUnitCount(&self) -> int32 {
        // SAFETY: a number.
        shielded(|| unsafe { self.paper.getUnitCount() }).unwrap_or(0)
    }

    unsafe fn getUnitInfo(&self, unit: int32, info: *mut UnitInfo) -> tresult {
        // SAFETY: null, or room for the answer.
        let done = shielded(|| unsafe { self.paper.getUnitInfo(unit, info) });
        done.unwrap_or(kInternalError)
    }

    unsafe fn getProgramListCount(&self) -> int32 {
        0
    }

    unsafe fn getProgramListInfo(&self, _: int32, _: *mut ProgramListInfo) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramName(&self, _: ProgramListID, _: int32, _: *mut String128) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramInfo(
        &self,
        _: ProgramListID,
        _: int32,
        _: CString,
        _: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn hasProgramPitchNames(&self, _: ProgramListID, _: int32) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramPitchName(
        &self,
        _: ProgramListID,
        _: int32,
        _: int16,
        _: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn getSelectedUnit(&self) -> UnitID {
        kRootUnitId
    }

    unsafe fn selectUnit(&self, _: UnitID) -> tresult {
        kResultFalse
    }

    unsafe fn getUnitByBus(
        &self,
        _: MediaType,
        _: BusDirection,
        _: int32,
        _: int32,
        _: *mut UnitID,
    ) -> tresult {
        kResultFalse
    }

    unsafe fn setUnitProgramData(&self, _: int32, _: int32, _: *mut IBStream) -> tresult {
        kInvalidArgument
    }
}
