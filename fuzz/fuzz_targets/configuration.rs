//! Tries a configuration file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::CONFIGURATION.check)(bytes);
});
