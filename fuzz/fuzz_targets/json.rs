//! Tries a body of JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::JSON.check)(bytes);
});
