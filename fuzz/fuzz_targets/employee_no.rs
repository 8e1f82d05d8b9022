//! Tries an employee number.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::EMPLOYEE_NO.check)(bytes);
});
