//! The same rows, however the body arrives; and an input that fails.

use super::*;

const BODIES: [(Format, &str); 4] = [
    (
        Format::Json,
        "\u{FEFF}[{\"分\":1.50,\"b\":[true,null]},\r\n 5, {\"c\":\"\\ud800\"}, {\"d\":{}},]",
    ),
    (Format::Ndjson, "{\"分\":1}\r\n\r\nx\r\n{\"b\":\"\\n\"}"),
    (
        Format::Xml,
        "<?xml version='1.0'?><rows><!-- - --><r a='>'>分<![CDATA[]]]]></r>&<r>&x;</r></rows> ",
    ),
    (Format::Csv, "\u{FEFF}sep=;\r\n分;b\r\n\"x\r\n\"\"\";2\r\n\r\n1\r\n3;\"4\""),
];

#[test]
fn a_body_in_pieces_gives_the_same_rows_as_a_whole_one() {
    for (format, body) in BODIES {
        let reading = Reading::of(format);
        let utf16 = [&[0xFF, 0xFE][..], &utf16_le(body.trim_start_matches('\u{FEFF}'))].concat();
        for body in [body.as_bytes(), &utf16] {
            let whole = reading.in_full(body);
            assert!(whole.len() > 2, "{format}");
            for piece_bytes in 1..20 {
                let pieces = reading.in_full(drip(body, piece_bytes));
                assert_eq!(pieces, whole, "{format} in pieces of {piece_bytes}");
            }
        }
    }
}

#[test]
fn what_is_no_token_outside_of_the_rows_is_refused_in_one_way() {
    let reading = Reading::of(Format::Json).set(|settings| settings.json_rows = Some("rows".to_owned()));
    for body in [
        r#"{"a":"\ud800","b":1}"#,
        r#"{"\ud800":1}"#,
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":"02y",fs"}"#,
        r#"{"a":tru}"#,
        r#"{"a":-}"#,
    ] {
        let whole = reading.in_full(body.as_bytes());
        assert!(whole.last().is_some_and(|last| last.contains("Broken")), "{body}: {whole:?}");
        for piece_bytes in 1..12 {
            assert_eq!(
                reading.in_full(drip(body.as_bytes(), piece_bytes)),
                whole,
                "{body} in pieces of {piece_bytes}"
            );
        }
    }
}

/// Fails after its bytes instead of ending.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("connection lost")),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn an_input_that_fails_is_no_broken_body() {
    for (format, body, expected) in [
        (Format::Json, "[{\"a\":1},", &["a=1", "input: connection lost"][..]),
        (Format::Ndjson, "{\"a\":1}\n{\"a\":", &["a=1", "input: connection lost"]),
        (Format::Xml, "<rows><r><a>1</a></r>", &["a=1", "input: connection lost"]),
        (Format::Csv, "name\n1\n2", &["name=1", "input: connection lost"]),
        (Format::Csv, "", &["input: connection lost"]),
    ] {
        let rows = Reading::of(format).rows(BufReader::new(Failing(body.as_bytes())));
        assert_eq!(rows.iter().map(show).collect::<Vec<_>>(), expected, "{format}");
    }
}

#[test]
fn nothing_follows_an_error() {
    let mut rows = read_rows(Format::Json, &FormatSettings::default(), Limits::default(), &b"[{},x,{}]"[..]).unwrap();
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    assert!(rows.next().is_some_and(|row| row.is_err()));
    assert!(rows.next().is_none());
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_read() {
    let settings = FormatSettings {
        csv_delimiter: b'"',
        ..FormatSettings::default()
    };
    assert!(read_rows(Format::Csv, &settings, Limits::default(), &b""[..]).is_err());
}
