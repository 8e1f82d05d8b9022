//! Scores, bounds and attempts.

use super::*;

#[test]
fn decimals_are_read_exactly_or_not_at_all() {
    for (written, expected) in [
        ("85.5", "85.5"),
        (" 85.50\t", "85.5"),
        ("0", "0"),
        ("-3", "-3"),
        ("8.55e1", "85.5"),
        ("８５．５", "85.5"),
        ("\u{3000}８５", "85"),
        ("999999999999.999999", "999999999999.999999"),
    ] {
        check(&[], &[("分数", Text(written)), ("满分", Absent)], (score, expected));
    }
    for written in [
        "85,5",
        "1,234",
        "1,234.5",
        "８５，５",
        "NaN",
        "inf",
        "Infinity",
        "八十五",
        "85分",
        "85 5",
        "0x55",
        "10²",
        "⑧",
        "1e13",
        "85.5.5",
        "\0",
        "85\0",
    ] {
        check(&[], &[("分数", Text(written))], (score, "invalid_field exam_score 分数"));
    }
}

#[test]
fn a_score_of_zero_is_a_score() {
    for zero in ["0", "0.0", "-0", "０"] {
        check(&[], &[("分数", Text(zero))], (score, "0"));
        check(&[("empty_score_clears", "true")], &[("分数", Text(zero))], (score, "0"));
    }
}

#[test]
fn a_decimal_comma_is_read_where_the_source_says_so() {
    let comma: Settings<'_> = &[("fields.exam_score", "{ from = '分数', decimal_comma = true }")];
    for (written, expected) in [("85,5", "85.5"), ("8５，５", "85.5"), ("85", "85"), (",5", "0.5")] {
        check(comma, &[("分数", Text(written))], (score, expected));
    }
    for written in ["85.5", "1.234,5", "1,234,5", ","] {
        check(comma, &[("分数", Text(written))], (score, "invalid_field exam_score 分数"));
    }
}

#[test]
fn units_are_stripped_where_the_source_says_so() {
    let units: Settings<'_> = &[("fields.exam_score", "{ from = '分数', strip = ['分', 'Pkt.', '％'] }")];
    for written in ["85.5分", "85.5 分", "分85.5", "85.5Pkt.", "85.5％", "85.5%", "85.5"] {
        check(units, &[("分数", Text(written))], (score, "85.5"));
    }
    for written in ["分", "85.5分分", "85.5points", "85分5"] {
        check(units, &[("分数", Text(written))], (score, "invalid_field exam_score 分数"));
    }
}

#[test]
fn more_than_six_places_are_rounded_half_to_even_and_flagged() {
    let rounded = |mapped: &MappedScore<'_>| format!("{} {}", score(mapped), mapped.marks.rounded);
    check(&[], &[("分数", Text("85.1234565"))], (rounded, "85.123456 true"));
    check(&[], &[("分数", Text("85.1234500"))], (rounded, "85.12345 false"));
    check(&[], &[("满分", Text("99.99999999"))], (rounded, "85.5 true"));
}

#[test]
fn a_score_is_missing_where_its_cell_says_nothing() {
    let missing = "missing_field exam_score 分数, exam_score, 等级, 是否合格";
    for nothing in [
        Text(""),
        Text("  \t"),
        Text("\u{3000}"),
        Text("-"),
        Text(" — "),
        Text("——"),
        Text("－"),
        Null,
        Absent,
    ] {
        check(&[], &[("分数", nothing)], (score, missing));
        check(&[], &[("分数", nothing), ("等级", Text("优"))], (score, "nothing"));
        check(&[], &[("分数", nothing), ("是否合格", Text("否"))], (score, "nothing"));
        check(&[], &[("满分", nothing)], (|mapped| shown(mapped.marks.max_score), "nothing"));
    }
}

#[test]
fn an_empty_score_clears_where_the_source_says_so_but_a_column_that_vanished_does_not() {
    let clears: Settings<'_> = &[("empty_score_clears", "true")];
    check(clears, &[("分数", Text(""))], (score, "nothing"));
    check(clears, &[("分数", Null)], (score, "nothing"));
    check(clears, &[("分数", Text("abc"))], (score, "invalid_field exam_score 分数"));
    check(
        clears,
        &[("分数", Absent)],
        (score, "missing_field exam_score 分数, exam_score, 等级, 是否合格"),
    );
    check(clears, &[("分数", Absent), ("等级", Text("-"))], (score, "nothing"));
}

#[test]
fn bounds_are_kept_as_far_as_the_source_wants() {
    check(&[], &[("分数", Text("105"))], (score, "105"));
    let refuse: Settings<'_> = &[("score_above_maximum", "'refuse'")];
    check(
        refuse,
        &[("分数", Text("105"))],
        (score, "invalid_field exam_score 分数, exam_score"),
    );
    check(refuse, &[("分数", Text("100"))], (score, "100"));
    check(refuse, &[("分数", Text("105")), ("满分", Text(""))], (score, "105"));
    check(&[], &[("最低分", Text("101"))], (score, "invalid_field min_score 最低分"));
    check(&[], &[("最低分", Text("100"))], (score, "85.5"));
    let constant: Settings<'_> = &[("fields.min_score", "{ constant = 0 }")];
    check(constant, &[], (|mapped| shown(mapped.marks.min_score), "0"));
    check(constant, &[("满分", Text("-1"))], (score, "invalid_field min_score -"));
}

#[test]
fn attempts_are_whole_numbers() {
    let attempt = |mapped: &MappedScore<'_>| shown(mapped.attempt);
    for (written, expected) in [("2", "2"), ("２", "2"), ("2.0", "2"), ("02", "2"), ("0", "0"), ("+2", "2")] {
        check(&[], &[("次数", Text(written))], (attempt, expected));
    }
    for written in ["-1", "1.5", "first", "第2次", "2.", "9223372036854775808"] {
        check(&[], &[("次数", Text(written))], (attempt, "invalid_field attempt 次数"));
    }
}
