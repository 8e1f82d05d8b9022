//! Tries a body of NDJSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::NDJSON.check)(bytes);
});
