//! Tries a phone number.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::PHONE.check)(bytes);
});
