//! What holds for any fields and for any bytes.

use std::fmt::Write;

use proptest::{prelude::*, sample::select};
use scoresync_domain::Fields;

use super::*;

/// Texts of everyday characters, of those that formats give a meaning to, and of any.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9. ]{0,8}",
        prop::collection::vec(
            select(vec![
                "\"", ",", "\n", "\r", "\\", "分", "😀", "\0", "{", "]", "<", "&", "\u{FEFF}", ";"
            ]),
            0..6
        )
        .prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

fn rows_of_texts(columns: usize) -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec(text(), columns), 0..6)
}

/// The fields that these names and values should be read as.
fn expected(names: &[String], values: &[String]) -> Fields<'static> {
    let mut fields = Fields::default();
    for (name, value) in names.iter().zip(values) {
        fields.push(name.clone(), Some(value.clone()));
    }
    fields
}

/// Reads a body whole and in pieces; both must be the same rows, without an error.
fn read_back(reading: &Reading, body: &[u8], piece_bytes: usize) -> Vec<Fields<'static>> {
    let fields = |rows: Vec<Result<Row, BodyError>>| -> Vec<_> { rows.into_iter().map(|row| row.unwrap().content.unwrap()).collect() };
    let whole = fields(reading.rows(body));
    assert_eq!(fields(reading.rows(drip(body, piece_bytes))), whole);
    whole
}

/// JSON as hostile as it may be written: escapes at random.
fn json_text(text: &str, escaped: bool) -> String {
    let mut json = String::from("\"");
    for unit in text.chars() {
        match unit {
            '"' | '\\' => json.extend(['\\', unit]),
            _ if escaped || unit < ' ' => {
                let mut units = [0; 2];
                for unit in unit.encode_utf16(&mut units) {
                    write!(json, "\\u{unit:04X}").unwrap();
                }
            }
            _ => json.push(unit),
        }
    }
    json + "\""
}

fn json_object(names: &[String], values: &[String], escaped: bool) -> String {
    let members = names
        .iter()
        .zip(values)
        .map(|(name, value)| json_text(name, escaped) + ":" + &json_text(value, !escaped));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn xml_text(text: &str) -> String {
    text.chars().fold(String::new(), |xml, character| match character {
        '\0' => xml + "\0",
        _ => xml + &format!("&#{};", u32::from(character)),
    })
}

proptest! {
    #[test]
    fn any_fields_are_read_back_from_json(
        names in prop::collection::vec(text(), 1..5),
        rows in rows_of_texts(5),
        escaped: bool,
        piece_bytes in 1..9_usize,
    ) {
        let objects: Vec<_> = rows.iter().map(|values| json_object(&names, values, escaped)).collect();
        let expected: Vec<_> = rows.iter().map(|values| expected(&names, values)).collect();
        let array = format!("[{}]", objects.join(" ,\r\n"));
        prop_assert_eq!(&read_back(&Reading::of(Format::Json), array.as_bytes(), piece_bytes), &expected);
        let lines = objects.join("\r\n");
        prop_assert_eq!(&read_back(&Reading::of(Format::Ndjson), lines.as_bytes(), piece_bytes), &expected);
    }

    #[test]
    fn any_fields_are_read_back_from_csv(rows in rows_of_texts(3), delimiter in select(vec![b',', b';', b'\t']), piece_bytes in 1..9_usize) {
        let names = ["a", "b", "a"].map(str::to_owned);
        let mut writer = ::csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(&names).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let body = writer.into_inner().unwrap();
        let expected: Vec<_> = rows.iter().map(|values| expected(&names, values)).collect();
        let reading = Reading::of(Format::Csv).set(|settings| settings.csv_delimiter = delimiter);
        prop_assert_eq!(&read_back(&reading, &body, piece_bytes), &expected);
        let text = String::from_utf8(body).unwrap();
        let utf16 = [&[0xFF, 0xFE][..], &utf16_le(&text)].concat();
        prop_assert_eq!(&read_back(&reading, &utf16, piece_bytes), &expected);
        let reading = reading.set(|settings| settings.csv_encoding = Some(Encoding::Gb18030));
        prop_assert_eq!(&read_back(&reading, &gb18030(&text), piece_bytes), &expected);
    }

    #[test]
    fn any_texts_are_read_back_from_xml(rows in rows_of_texts(2), piece_bytes in 1..9_usize) {
        let names = ["x.@y", "x"].map(str::to_owned);
        let body = rows.iter().fold("<rows>".to_owned(), |body, row| {
            body + &format!("<r><x y='{}'>{}</x></r>", xml_text(&row[0]), xml_text(&row[1]))
        }) + "</rows>";
        let expected: Vec<_> = rows.iter().map(|values| expected(&names, values)).collect();
        prop_assert_eq!(&read_back(&Reading::of(Format::Xml), body.as_bytes(), piece_bytes), &expected);
    }

    #[test]
    fn any_lines_are_all_accounted_for(lines in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("line ends", |byte| !b"\r\n".contains(byte)), 1..12), 0..8)) {
        let body = lines.join(&b'\n');
        let expected: Vec<_> = lines.iter().filter(|line| !line.trim_ascii().is_empty()).collect();
        let starts_with_mark = Encoding::from_mark(&body).is_some() || Encoding::from_zero_bytes(&body).is_some();
        prop_assume!(!starts_with_mark);
        let rows = Reading::of(Format::Ndjson).rows(&*body);
        let kept: Vec<_> = rows.into_iter().map(|row| row.unwrap().content.unwrap_err().bytes).collect();
        prop_assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn any_bytes_after_a_header_are_all_accounted_for(bytes in hostile(b"a,\"\r\n 1\xB7")) {
        let reading = Reading::of(Format::Csv).set(|settings| settings.csv_columns = Some(vec!["a".to_owned(), "b".to_owned()]));
        prop_assume!(Encoding::from_mark(&bytes).is_none());
        let mut rest = &*bytes;
        for row in reading.rows(&*bytes) {
            rest = without_line_ends(rest);
            let written = match row.unwrap().content {
                Err(unreadable) => unreadable.bytes,
                Ok(fields) => as_written(rest, &fields),
            };
            prop_assert!(rest.starts_with(&written), "{:?} does not begin {:?}", written, rest);
            rest = &rest[written.len()..];
        }
        prop_assert_eq!(without_line_ends(rest), b"");
    }

    #[test]
    fn any_bytes_give_the_same_whole_and_in_pieces(
        format in select(Format::ALL.to_vec()),
        start in select(vec!["", "[", "{\"items\":[", "<rows><r>", "a,b\n"]),
        bytes in hostile(b"{}[]\":,<>/r&;!-?='\" \n1a\\u\xD8\0\xFF\xFE"),
        path in select(vec![None, Some("items".to_owned())]),
        piece_bytes in 1..9_usize,
    ) {
        let body = [start.as_bytes(), &bytes].concat();
        let small = Reading::of(format)
            .set(|settings| settings.json_rows = path)
            .limit(|limits| *limits = Limits { max_row_bytes: 12, max_fields: 3, max_depth: 2 });
        prop_assert_eq!(small.in_full(drip(&body, piece_bytes)), small.in_full(&*body));
    }
}

/// Bytes among which those that matter are frequent.
fn hostile(alphabet: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![9 => select(alphabet.to_vec()), 1 => any::<u8>()], 0..60)
}

fn without_line_ends(bytes: &[u8]) -> &[u8] {
    let ends = bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    &bytes[ends..]
}

/// How the two cells at the start of `body` were written: each plain or in quotes.
fn as_written(body: &[u8], fields: &Fields<'_>) -> Vec<u8> {
    let values: Vec<&str> = fields.iter().filter_map(|(_, value)| value).collect();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let [a, b] = values[..] else { panic!("two cells were expected") };
    let ways = [a.to_owned(), quoted(a)]
        .into_iter()
        .flat_map(|a| [b.to_owned(), quoted(b)].map(|b| format!("{a},{b}")));
    let fits = |way: &String| body.starts_with(way.as_bytes()) && body.get(way.len()).is_none_or(|byte| b"\r\n".contains(byte));
    ways.into_iter().find(fits).expect("the cells are not what was sent").into_bytes()
}
