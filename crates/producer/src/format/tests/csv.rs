//! CSV bodies.

use super::*;

fn csv() -> Reading {
    Reading::of(Format::Csv)
}

fn csv_in(encoding: Encoding) -> Reading {
    csv().set(|settings| settings.csv_encoding = Some(encoding))
}

#[test]
fn a_row_has_the_names_of_the_header() {
    csv().check("name,score\nA,85.50\nB,0\n", &["name=A;score=85.50", "name=B;score=0"]);
    csv().check("name,score\r\nA,85\r\n\r\nB,\"\"", &["name=A;score=85", "name=B;score="]);
    csv().check("name,score\rA,85\rB,", &["name=A;score=85", "name=B;score="]);
    csv().check("a\n", &[]);
    csv().check("a,b\n,\n", &["a=;b="]);
    csv().check("a\n x \0\n", &["a= x \0"]);
}

#[test]
fn every_column_gets_a_name_of_its_own() {
    csv().check(
        "\u{FEFF} 工号 ,分数,,分数,\u{3000}\n1,2,3,4,5",
        &["工号=1;分数=2;column 3=3;分数#2=4;column 5=5"],
    );
    csv().check("\u{FEFF}\u{FEFF}a,\"b\n c\"\n1,2", &["a=1;b\n c=2"]);
}

#[test]
fn configured_columns_take_the_place_of_a_header() {
    let named = csv().set(|settings| settings.csv_columns = Some(vec!["a".to_owned(), "a".to_owned()]));
    named.check("1,2\n3,4", &["a=1;a#2=2", "a=3;a#2=4"]);
    named.check("1\n3,4", &["!1", "a=3;a#2=4"]);
    named.check("", &[]);
}

#[test]
fn quotes_enclose_delimiters_lines_and_quotes() {
    csv().check("a,b\n\"x,\"\"y\"\"\r\nz\",1\n2,3", &["a=x,\"y\"\r\nz;b=1", "a=2;b=3"]);
    csv().check("a,b\n5\" disk,1\n", &["a=5\" disk;b=1"]);
}

#[test]
fn a_row_of_another_length_is_kept_exactly() {
    csv().check("a,b\n1,2,3\r\n\r\n1\n4,5", &["!1,2,3", "!1", "a=4;b=5"]);
    assert_eq!(csv().sentence(b"a,b\n1"), "the row has 1 cells where there are 2 columns");
}

#[test]
fn a_row_with_unsound_quotes_is_kept_exactly() {
    csv().check("a,b\n\"x\"y,1\n2,3", &["!\\\"x\\\"y,1", "a=2;b=3"]);
    csv().check("a,b\n1,2\n3,\"x\n4,5\n", &["a=1;b=2", "!3,\\\"x\\n4,5\\n"]);
    csv().check("a,b\n3,\"", &["!3,\\\""]);
    assert_eq!(csv().sentence(b"a,b\n\"x"), "a quote of the row is never closed");
}

#[test]
fn a_quote_that_is_never_closed_runs_into_the_limit_and_says_where_it_began() {
    let small = csv().limit(|limits| limits.max_row_bytes = 1_000);
    let body = format!("a,b\n1,2\r\n\r\n3,\"x\n{}", "4,5\n".repeat(50_000));
    small.check(&body, &["a=1;b=2", "X 4:1"]);
    assert!(small.sentence(body.as_bytes()).contains("is a quote in it never closed?"));
}

#[test]
fn a_row_may_be_as_large_as_the_limit_and_no_larger() {
    let small = csv().limit(|limits| limits.max_row_bytes = 5);
    for end in ["", "\n", "\r\n"] {
        small.check(format!("a,b\n123,5{end}"), &["a=123;b=5"]);
        small.check(format!("a,b\n1,2\n1234,5{end}"), &["a=1;b=2", "X 3:1"]);
    }
}

#[test]
fn a_cell_that_is_no_text_makes_its_row_unreadable() {
    csv().check(b"a,b\n1,\xB7\xD6\n2,3", &["!1,\\xb7\\xd6", "a=2;b=3"]);
    let sentence = csv().sentence(b"a,b\n1,\xB7");
    assert_eq!(sentence, "cell 2 of the row is no text in UTF-8");
}

#[test]
fn gb18030_is_read_cell_by_cell() {
    let chinese = csv_in(Encoding::Gb18030);
    chinese.check(gb18030("姓名;分数,备注\n\"甲,\n乙\",90"), &["姓名;分数=甲,\n乙;备注=90"]);
    let body = [&gb18030("姓名,分数\n")[..], b"\xB7,1\n", &gb18030("丙,2\n"), b"\xFF,3"].concat();
    chinese.check(&body, &["!\\xb7,1", "姓名=丙;分数=2", "!\\xff,3"]);
    chinese.check("\u{FEFF}a\n分", &["a=分"]);
    csv().check([&[0x84, 0x31, 0x95, 0x33][..], &gb18030("名\n甲")].concat(), &["名=甲"]);
}

#[test]
fn utf16_is_read_and_what_is_none_is_kept_as_it_was_sent() {
    let text = "姓名\t分数\r\n甲\t90\r\n";
    let tabbed = csv().set(|settings| settings.csv_delimiter = b'\t');
    tabbed.check([&[0xFF, 0xFE][..], &utf16_le(text)].concat(), &["姓名=甲;分数=90"]);
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    tabbed
        .clone()
        .set(|settings| settings.csv_encoding = Some(Encoding::Utf16Be))
        .check(&big, &["姓名=甲;分数=90"]);
    let bad = [&utf16_le("1\tx")[..], &[0x00, 0xDC]].concat();
    let body = [&[0xFF, 0xFE][..], &utf16_le(text), &bad, &utf16_le("\n2\t3\n"), &[0x0A]].concat();
    let kept = format!("!{}", bad.escape_ascii());
    tabbed.check(&body, &["姓名=甲;分数=90", &kept, "姓名=2;分数=3", "!\\n"]);
}

#[test]
fn a_first_line_can_name_the_delimiter() {
    csv().check("sep=;\r\na;b\r\n1,5;2", &["a=1,5;b=2"]);
    csv().check("\u{FEFF}SEP=\t\na\tb\n1\t2", &["a=1;b=2"]);
    csv().check("sep=;", &["X 1:6"]);
    csv().check("sep=,x\n1,2", &["sep==1;x=2"]);
    csv().check("sep=\"\na\n1", &["X 1:1"]);
    csv_in(Encoding::Gb18030).check("sep=|\na|b\n1|2", &["X 1:1"]);
    csv().check("sep=|\na|b\n1|2", &["a=1;b=2"]);
}

#[test]
fn a_header_that_is_missing_or_unreadable_is_an_error() {
    csv().check("", &["X 1:1"]);
    csv().check("\r\n\r\n", &["X 3:1"]);
    csv().check(b"a,\xB7\n1,2", &["X 1:1"]);
    csv().check("a,\"b\"c\n1,2", &["X 1:1"]);
    csv().check("a,\"b\n1,2", &["X 1:1"]);
    csv().limit(|limits| limits.max_fields = 1).check("a,b\n1,2", &["X 1:1"]);
}

#[test]
fn a_header_of_very_many_columns_is_refused_before_it_is_read() {
    let refused = "at line 1, column 1, after 0 rows: there are more than 1000 columns";
    for separator in [",", ",a"] {
        let header = format!("a{}\n1,2", separator.repeat(60_000));
        let sentence = csv().sentence(header.as_bytes());
        assert!(sentence.contains(refused), "{sentence}");
    }
    let named = csv().set(|settings| settings.csv_columns = Some(vec!["a".to_owned(); 60_000]));
    let sentence = named.sentence(b"1,2");
    assert!(sentence.contains(refused), "{sentence}");
    let most = csv().set(|settings| settings.csv_columns = Some(vec!["a".to_owned(); 1_000]));
    assert!(most.shown(",".repeat(999).as_bytes())[0].ends_with(";a#1000="));
}

#[test]
fn rows_know_their_number_and_line() {
    assert_eq!(
        csv().places("sep=,\r\n\r\na,b\r\n\r\n\"1\r\n\",2\r\nx\r\n\r\n3,4"),
        [(1, 5), (2, 7), (3, 9)]
    );
}

#[test]
fn a_row_that_would_be_too_large_with_the_names_of_its_columns_is_kept_exactly() {
    let name = "n".repeat(150);
    let named = csv().set(|settings| settings.csv_columns = Some(vec![name.clone()]));
    let reading = named.limit(|limits| limits.max_row_bytes = 100);
    let (fits, does_not) = ("x".repeat(50), "x".repeat(51));
    let body = format!("{fits}\n{does_not}\n{fits}");
    let read = format!("{name}={fits}");
    reading.check(body, &[&read, &format!("!{does_not}"), &read]);
}
