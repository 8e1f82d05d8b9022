//! Tries a name or a part of a result's key.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::NAME.check)(bytes);
});
