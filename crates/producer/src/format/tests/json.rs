//! JSON bodies.

use super::*;

fn json() -> Reading {
    Reading::of(Format::Json)
}

fn json_at(path: &str) -> Reading {
    json().set(|settings| settings.json_rows = Some(path.to_owned()))
}

#[test]
fn an_object_is_a_row_and_an_array_has_a_row_per_element() {
    json().check(r#"{"a":"x"}"#, &["a=x"]);
    json().check(r#" [ {"a":"x"} , {"a":"y"} ] "#, &["a=x", "a=y"]);
    json().check("[]", &[]);
    json().check("{}", &[""]);
    json().check("\u{FEFF}[{}]", &[""]);
}

#[test]
fn values_stay_as_they_are_written() {
    json().check(r#"{"score":85.50,"big":1e400,"z":-0.0}"#, &["score=85.50;big=1e400;z=-0.0"]);
    json().check(r#"{"passed":true,"late":false,"grade":null}"#, &["passed=true;late=false;grade=∅"]);
    json().check(r#"{"name":"\u5206\n\ud83d\ude00","nul":"\u0000"}"#, &["name=分\n😀;nul=\0"]);
}

#[test]
fn names_are_nested_with_dots() {
    json().check(
        r#"{"learner":{"phone":"1","x":{"y":2}},"z":3}"#,
        &["learner.phone=1;learner.x.y=2;z=3"],
    );
    json().check(
        r#"{"tags":["a",{"b":[1,[2]]},null],"c":0}"#,
        &["tags.0=a;tags.1.b.0=1;tags.1.b.1.0=2;tags.2=∅;c=0"],
    );
    json().check(r#"{"o":{},"a":[],"n":[{},[]]}"#, &["o={};a=[];n.0={};n.1=[]"]);
    json().check(r#"{"":1,"x":{"":2}}"#, &["=1;x.=2"]);
}

#[test]
fn a_name_that_occurs_twice_is_kept_twice() {
    json().check(r#"{"a":1,"a":2,"a":3}"#, &["a=1;a#2=2;a#3=3"]);
    json().check(r#"{"a.b":1,"a":{"b":2}}"#, &["a.b=1;a.b#2=2"]);
}

#[test]
fn an_element_that_is_no_object_is_kept_as_it_is() {
    json().check(
        r#"[1, {"a":1}, "x, y", null,[{"a":2}] ,-2.50]"#,
        &["!1", "a=1", "!\\\"x, y\\\"", "!null", "![{\\\"a\\\":2}]", "!-2.50"],
    );
}

#[test]
fn a_row_with_a_bad_text_is_kept_and_its_neighbours_are_read() {
    for bad in [
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00x"}"#,
        r#"{"\x":1}"#,
        "{\"a\":\"\t\"}",
        r#"{"a":"\ud800\u0041"}"#,
    ] {
        let body = format!(r#"[{{"n":1}},{bad},{{"n":2}}]"#);
        let kept = format!("!{}", bad.as_bytes().escape_ascii());
        json().check(body, &["n=1", &kept, "n=2"]);
    }
    json().check(b"[{\"a\":\"\xB7\xD6\"},{}]", &["!{\\\"a\\\":\\\"\\xb7\\xd6\\\"}", ""]);
}

#[test]
fn a_row_beyond_a_limit_is_kept() {
    let shallow = json().limit(|limits| limits.max_depth = 2);
    shallow.check(
        r#"[{"a":{"b":1}},{"a":{"b":{}}},{"c":1}]"#,
        &["a.b=1", r#"!{\"a\":{\"b\":{}}}"#, "c=1"],
    );
    let narrow = json().limit(|limits| limits.max_fields = 2);
    narrow.check(
        r#"[{"a":1,"b":2},{"a":1,"b":2,"c":{}}]"#,
        &["a=1;b=2", r#"!{\"a\":1,\"b\":2,\"c\":{}}"#],
    );
}

#[test]
fn a_row_whose_nested_names_are_many_times_its_size_is_kept() {
    let small = json().limit(|limits| limits.max_row_bytes = 100);
    let row = |numbers: &str| format!(r#"{{"learners":[{numbers}]}}"#);
    let (few, many) = (row(&"1,".repeat(17)[..33]), row(&"1,".repeat(18)[..35]));
    let read: Vec<String> = (0..17).map(|number| format!("learners.{number}=1")).collect();
    let kept = format!("!{}", many.as_bytes().escape_ascii());
    small.check(format!(r#"[{few},{many},{{"a":1}}]"#), &[&read.join(";"), &kept, "a=1"]);
    assert!(small.sentence(many.as_bytes()).contains("larger than 200 bytes together"));
}

#[test]
fn a_row_that_is_too_large_ends_the_reading_where_it_begins() {
    let small = json().limit(|limits| limits.max_row_bytes = 9);
    small.check("[{\"a\":123},\n {\"a\":1234}]", &["a=123", "X 2:2"]);
    small.check(r#"["#.to_owned() + &"9".repeat(10), &["X 1:2"]);
    assert!(small.sentence(br#"{"a":1234}"#).contains("larger than the 9 bytes"));
}

#[test]
fn a_body_that_is_no_json_says_where() {
    for (body, expected) in [
        ("", &["X 1:1"][..]),
        (" \n", &["X 2:1"]),
        ("5", &["X 1:1"]),
        ("nul", &["X 1:1"]),
        ("[{\"a\":1}\n{\"a\":2}]", &["a=1", "X 2:1"]),
        ("[{\"a\":1},]", &["a=1", "X 1:10"]),
        ("[,{}]", &["X 1:2"]),
        ("[{\"a\":1},\n {\"分\":\"数\", \"b\":}]", &["a=1", "X 2:16"]),
        ("[{\"a\":NaN}]", &["X 1:7"]),
        ("[{\"a\":01}]", &["X 1:8"]),
        ("[{a:1}]", &["X 1:3"]),
        ("[{\"a\":1}", &["a=1", "X 1:9"]),
        ("[{\"a\":\"x}]", &["X 1:2"]),
        ("[{\"a\":[1}]]", &["X 1:9"]),
        ("{\"a\":1} {\"a\":2}", &["a=1", "X 1:9"]),
        ("[]x", &["X 1:3"]),
        ("[{}}", &["", "X 1:4"]),
    ] {
        json().check(body, expected);
    }
}

#[test]
fn the_error_says_how_many_rows_were_before_and_no_value() {
    let sentence = json().sentence(br#"[{"a":1},{"a":2},{"a":'Zhang'}]"#);
    assert!(sentence.contains("line 1, column 23, after 2 rows"), "{sentence}");
    assert!(!sentence.contains("Zhang") && !sentence.contains('\''), "{sentence}");
}

#[test]
fn rows_are_found_at_their_path() {
    let body = r#"{"items":[{"no":1}],"data":{"x":[{"items":[{}]}],"items":[{"a":1},{"a":2}],"n":{"items":5}},"data2":"\u0041"}"#;
    json_at("data.items").check(body, &["a=1", "a=2"]);
    json_at("items").check(body, &["no=1"]);
    json_at("items").check(r#"{"items":{"a":1},"more":true}"#, &["a=1"]);
    json_at("items").check(r#"{"items":null}"#, &[]);
    json_at("items").check(r#"{"items" : [ ] }"#, &[]);
}

#[test]
fn what_is_around_the_rows_must_be_json_too() {
    for (body, expected) in [
        (r#"{"items":[{"a":1}],"x":}"#, &["a=1", "X 1:24"][..]),
        (r#"{"items":[{"a":1}]"#, &["a=1", "X 1:19"]),
        (r#"{"items":[{"a":1}]}}"#, &["a=1", "X 1:20"]),
        (r#"{"items" [{"a":1}]}"#, &["X 1:10"]),
        (r#"{"items":5}"#, &["X 1:10"]),
        (r#"{"item":[{"a":1}]}"#, &["X 1:19"]),
        (r#"[{"items":[{}]}]"#, &["X 1:17"]),
        (r#"{"items":[{"a":1}] "x":1}"#, &["a=1", "X 1:20"]),
    ] {
        json_at("items").check(body, expected);
    }
}

#[test]
fn a_text_outside_of_the_rows_has_a_limit_and_the_whole_envelope_has_none() {
    let small = json_at("items").limit(|limits| limits.max_row_bytes = 20);
    let many = r#""skipped","#.repeat(50_000);
    small.check(format!(r#"{{"x":[{many}0],"items":[{{"a":1}}]}}"#), &["a=1"]);
    small.check(format!(r#"{{"x":"{}","items":[]}}"#, "y".repeat(70_000)), &["X 1:6"]);
}

#[test]
fn utf16_is_read_and_what_is_none_is_kept_as_it_was_sent() {
    let body = [
        &[0xFF, 0xFE][..],
        &utf16_le(r#"[{"a":"分"},{"a":""#),
        &[0x00, 0xD8],
        &utf16_le("\"}]"),
    ]
    .concat();
    let kept = [&utf16_le("{\"a\":\"")[..], &[0x00, 0xD8], &utf16_le("\"}")].concat();
    json().check(&body, &["a=分", &format!("!{}", kept.escape_ascii())]);
    json().check(utf16_le(r#"{"a":1}"#), &["a=1"]);
}

#[test]
fn rows_know_their_number_and_line() {
    assert_eq!(
        json().places("[\n{\"a\":1},\n\n5, {\"a\":\n2},{}]"),
        [(1, 2), (2, 4), (3, 4), (4, 5)]
    );
}
