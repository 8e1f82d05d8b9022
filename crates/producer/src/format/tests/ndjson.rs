//! NDJSON bodies.

use super::*;

fn ndjson() -> Reading {
    Reading::of(Format::Ndjson)
}

#[test]
fn each_line_is_a_row() {
    ndjson().check("{\"a\":1}\n{\"a\":2}\n", &["a=1", "a=2"]);
    ndjson().check("\u{FEFF}{\"a\":1}\r\n\r\n  \n{\"a\":2}", &["a=1", "a=2"]);
    ndjson().check("", &[]);
    ndjson().check("\n\n", &[]);
}

#[test]
fn a_line_that_is_no_object_is_kept_exactly() {
    for bad in [
        "{\"a\":",
        "[{\"a\":1}]",
        "{\"a\":1} {\"b\":2}",
        "name,score",
        "\"x\"",
        "{\"a\":\"\\ud800\"}",
        " 5 ",
        "\0",
    ] {
        let body = format!("{{\"n\":1}}\r\n{bad}\r\n{{\"n\":2}}");
        ndjson().check(body, &["n=1", &format!("!{}", bad.as_bytes().escape_ascii()), "n=2"]);
    }
    ndjson().check(b"\xB7\xD6\n{}", &["!\\xb7\\xd6", ""]);
}

#[test]
fn a_line_that_is_too_long_ends_the_reading_with_its_number() {
    let small = ndjson().limit(|limits| limits.max_row_bytes = 7);
    small.check("{\"a\":1}\r\n{\"a\":2}", &["a=1", "a=2"]);
    small.check("{\"a\":1}\n\n{\"a\":12}\n{\"a\":3}", &["a=1", "X 3:1"]);
    small.check("{\"a\":12}", &["X 1:1"]);
    small.check("{\"a\":1}\n".to_owned() + &"x".repeat(100_000), &["a=1", "X 2:1"]);
}

#[test]
fn a_problem_is_a_sentence_without_values() {
    let sentence = ndjson().sentence(b"{\"name\": Zhang}");
    assert!(sentence.starts_with("the line is no JSON object"), "{sentence}");
    assert!(!sentence.contains("Zhang"), "{sentence}");
    assert!(ndjson().sentence(b"{\"name\":\"\xB7\"}").contains("no UTF-8"));
}

#[test]
fn rows_know_their_number_and_line() {
    assert_eq!(ndjson().places("\n{}\nx\n\n{}"), [(1, 2), (2, 3), (3, 5)]);
}
