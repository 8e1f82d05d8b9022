//! Tries a datum of `scores.raw`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::RAW_SCORE.check)(bytes);
});
