//! Tries a datum of `employees`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::EMPLOYEE.check)(bytes);
});
