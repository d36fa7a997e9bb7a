#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    headroom_inputs::segment(bytes);
});
