//! Tries the frame of a Kafka value.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::WIRE_FRAME.check)(bytes);
});
