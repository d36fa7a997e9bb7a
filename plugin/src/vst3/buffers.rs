//! What a VST3 host gives for sound.
#![allow(unsafe_code)]

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::AudioBusBuffers;

use crate::buffers::Channels;

/// `[audio]` The first `most` channels of a bus; none where it is missing.
///
/// # Safety
///
/// `buses` is null or has `count` buses of 32-bit samples; a table that is not null has as many channels as
/// its bus says, and a channel that is not null has `frames` frames, for as long as the channels are used.
pub(super) unsafe fn channels_of(
    (buses, count): (*mut AudioBusBuffers, i32),
    bus: usize,
    most: usize,
    frames: usize,
) -> Channels {
    if buses.is_null() || usize::try_from(count).unwrap_or(0) <= bus {
        return Channels::none(frames);
    }
    // SAFETY: there are more buses than that.
    let bus = unsafe { &*buses.add(bus) };
    let count = usize::try_from(bus.numChannels).unwrap_or(0);
    // SAFETY: samples have 32 bits, and the other form has addresses in the same place; what is there is as
    // the caller says.
    unsafe { Channels::of(bus.__field0.channelBuffers32, count, most, frames) }
}

/// `[audio]` Says that the first bus may sound.
///
/// # Safety
///
/// `buses` is null or has `count` buses.
pub(super) unsafe fn sounds((buses, count): (*mut AudioBusBuffers, i32)) {
    if !buses.is_null() && count > 0 {
        // SAFETY: there is a first one.
        unsafe { (*buses).silenceFlags = 0 };
    }
}
