//! Tries a datum of `employees.aliases`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::IDENTITY_ALIAS.check)(bytes);
});
