//! XML bodies.

use super::*;

fn xml() -> Reading {
    Reading::of(Format::Xml)
}

fn xml_of(element: &str) -> Reading {
    xml().set(|settings| settings.xml_element = Some(element.to_owned()))
}

#[test]
fn every_child_of_the_root_is_a_row() {
    xml().check(
        "<?xml version='1.0'?>\n<rows>\n <r><a>1</a></r> <!-- x --> <r><a>2</a></r><?pi?>\n</rows>\n",
        &["a=1", "a=2"],
    );
    xml().check("\u{FEFF}<rows><r a='1'/></rows>", &["@a=1"]);
    xml().check("<rows/>", &[]);
    xml().check("<rows></rows><!-- end -->", &[]);
    xml().check("<x:rows xmlns:x='urn:x'><x:r/><r/></x:rows>", &["", ""]);
}

#[test]
fn the_configured_element_is_a_row_wherever_it_is() {
    let body =
        "<export day='1'>text &amp; more<meta><n>2</n><![CDATA[<r>]]></meta><list><r><a>1</a></r><s:r><a>2</a></s:r></list></export>";
    xml_of("r").check(body, &["a=1", "a=2"]);
    xml_of("export").check("<export><a>1</a></export>", &["a=1"]);
    xml_of("r").check("<rows/>", &[]);
    xml_of("R").check(body, &["X 1:124"]);
}

#[test]
fn children_are_fields_nested_with_dots() {
    let row = "<r id='7' x:kind=\"k\"><a>1</a><l><p no='3'>2</p><q/></l><t>x</t><t>y</t><x:b xmlns:x='urn:x'></x:b></r>";
    xml().check(
        format!("<rows>{row}</rows>"),
        &["@id=7;@kind=k;a=1;l.p.@no=3;l.p=2;l.q=;t=x;t#2=y;b="],
    );
}

#[test]
fn text_is_kept_as_it_is_written() {
    for (row, expected) in [
        ("<r><a> x\r\ny </a></r>", "a= x\ny "),
        ("<r><a>1<![CDATA[<2>&amp;]]>3<!-- no -->4</a></r>", "a=1<2>&amp;34"),
        ("<r><a>&lt;&gt;&amp;&quot;&apos;&#20998;&#x6570;</a></r>", "a=<>&\"'分数"),
        ("<r a='&lt;&#10;x'/>", "@a=<\nx"),
        ("<r> <a/> </r>", "a="),
        ("<r>note<a>1</a></r>", "a=1;#text=note"),
        ("<r><a>x<b>1</b>y</a></r>", "a.b=1;a=xy"),
        ("<r><a>\0</a></r>", "a=\0"),
        ("<r>85</r>", "#text=85"),
    ] {
        xml().check(format!("<rows>{row}</rows>"), &[expected]);
    }
}

#[test]
fn nil_is_a_null() {
    let rows = "<r><a xsi:nil='true'/><b i:nil='1'></b><c nil='true'/><d xsi:nil='false'/></r>";
    xml().check(format!("<rows>{rows}</rows>"), &["a=∅;b=∅;c.@nil=true;c=;d.@nil=false;d="]);
}

#[test]
fn a_row_whose_content_alone_is_at_fault_is_kept_and_its_neighbours_are_read() {
    for bad in [
        "<r><a>&nbsp;</a></r>",
        "<r a='&x;'/>",
        "<r><a>R & D</a></r>",
        "<r><a>&#0;</a></r>",
        "<r><a>&#xD800;</a></r>",
        "<r a='1' a='2'/>",
        "<r a=1/>",
        "<r><a xsi:nil='true'>5</a></r>",
    ] {
        let body = format!("<rows><r><n>1</n></r>{bad}<r><n>2</n></r></rows>");
        xml().check(body, &["n=1", &format!("!{}", bad.as_bytes().escape_ascii()), "n=2"]);
    }
    xml().check(b"<rows><r><a>\xB7</a></r><r/></rows>", &["!<r><a>\\xb7</a></r>", ""]);
}

#[test]
fn text_between_rows_is_kept_like_a_row() {
    xml().check("<rows>\n lost? \n<r/> <![CDATA[x]]></rows>", &["!lost?", "", "!<![CDATA[x]]>"]);
    xml().check("<score>85</score>", &["!85"]);
}

#[test]
fn a_row_beyond_a_limit_is_kept() {
    let shallow = xml().limit(|limits| limits.max_depth = 2);
    shallow.check("<rows><r><a>1</a></r><r><a><b/></a></r></rows>", &["a=1", "!<r><a><b/></a></r>"]);
    let narrow = xml().limit(|limits| limits.max_fields = 1);
    narrow.check("<rows><r><a/></r><r x=''><a/></r></rows>", &["a=", "!<r x=\\'\\'><a/></r>"]);
    let small = xml().limit(|limits| limits.max_row_bytes = 10);
    small.check("<rows>\n<r>123</r>\n<r>1234</r></rows>", &["#text=123", "X 3:1"]);
}

#[test]
fn a_row_whose_nested_names_are_many_times_its_size_is_kept() {
    let small = xml().limit(|limits| limits.max_row_bytes = 100);
    let row = |children: usize| format!("<r><learners>{}</learners></r>", "<a/>".repeat(children));
    let many = row(17);
    let read = (1..17).map(|number| {
        if number == 1 {
            "learners.a=".to_owned()
        } else {
            format!("learners.a#{number}=")
        }
    });
    let kept = format!("!{}", many.as_bytes().escape_ascii());
    small.check(
        format!("<rows>{}{many}<r><a>1</a></r></rows>", row(16)),
        &[&read.collect::<Vec<_>>().join(";"), &kept, "a=1"],
    );
}

#[test]
fn a_body_that_is_no_xml_says_where() {
    for (body, expected) in [
        ("", &["X 1:1"][..]),
        ("{\"a\":1}", &["X 1:1"]),
        ("<rows><r/>", &["", "X 1:11"]),
        ("<rows><r><a></r></rows>", &["X 1:13"]),
        ("<rows>\n <r><分>1</数></r></rows>", &["X 2:9"]),
        ("<rows><r/></row>", &["", "X 1:11"]),
        ("<rows><r/></rows><rows/>", &["", "X 1:18"]),
        ("<rows/>x", &["X 1:8"]),
        ("<rows a=1><r/></rows>", &["X 1:1"]),
        ("<rows><r/><s/></rows>", &["", "X 1:11"]),
        ("</rows>", &["X 1:1"]),
        ("<rows><r/", &["X 1:7"]),
        ("<rows>< r/></rows>", &["X 1:7"]),
    ] {
        xml().check(body, expected);
    }
}

#[test]
fn a_dtd_is_refused_with_the_reason() {
    let body = "<?xml version='1.0'?>\n<!DOCTYPE rows [<!ENTITY a 'x'>]><rows><r>&a;</r></rows>";
    xml().check(body, &["X 2:1"]);
    assert!(xml().sentence(body.as_bytes()).contains("has a DTD"));
    xml().check("<rows><r><!DOCTYPE x></r></rows>", &["X 1:10"]);
}

#[test]
fn the_declared_encoding_is_read() {
    for label in ["GB18030", "gbk", "GB2312"] {
        let body = gb18030(&format!(
            "<?xml version='1.0' encoding='{label}'?><行><分数 级='甲'><![CDATA[优]]></分数></行>"
        ));
        xml().check(&body, &["@级=甲;#text=优"]);
    }
    let bad = [
        b"<?xml version='1.0' encoding='GBK'?><rows><r>\xB7</r><r>",
        &gb18030("丙")[..],
        b"</r></rows>",
    ]
    .concat();
    xml().check(&bad, &["!<r>\\xb7</r>", "#text=丙"]);
    xml().check("<?xml version='1.0' encoding='utf-16'?><rows><r>分</r></rows>", &["#text=分"]);
    xml().check("\u{FEFF}<?xml version='1.0' encoding='GBK'?><rows><r>分</r></rows>", &["#text=分"]);
    xml().check("<?xml version='1.0' encoding='Shift_JIS'?><rows/>", &["X 1:1"]);
}

#[test]
fn utf16_is_read_and_what_is_none_is_kept_as_it_was_sent() {
    let bad = [&utf16_le("<r>")[..], &[0x00, 0xD8], &utf16_le("</r>")].concat();
    let body = [
        &utf16_le("<?xml version='1.0' encoding='UTF-16'?><rows><r>分</r>")[..],
        &bad,
        &utf16_le("</rows>"),
    ]
    .concat();
    let expected = ["#text=分", &format!("!{}", bad.escape_ascii())];
    xml().check(&body, &expected);
    xml().check([&[0xFF, 0xFE][..], &body].concat(), &expected);
}

#[test]
fn rows_know_their_number_and_line() {
    assert_eq!(xml().places("<rows>\n<r>\n</r>\n\nx\n<r/></rows>"), [(1, 2), (2, 5), (3, 6)]);
}
