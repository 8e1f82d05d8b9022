//! Tries the headers of a report that is sent again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::HEADERS.check)(bytes);
});
