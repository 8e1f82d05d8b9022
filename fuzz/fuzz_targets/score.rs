//! Tries a score.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::SCORE.check)(bytes);
});
