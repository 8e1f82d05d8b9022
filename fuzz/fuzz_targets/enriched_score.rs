//! Tries a datum of `scores.enriched`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::ENRICHED_SCORE.check)(bytes);
});
