//! Tries a body of CSV.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::CSV.check)(bytes);
});
