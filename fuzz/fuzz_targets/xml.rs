//! Tries a body of XML.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (scoresync_tests::hostile::XML.check)(bytes);
});
