//! Tries an e-mail address or an account.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::EMAIL.check)(bytes);
});
