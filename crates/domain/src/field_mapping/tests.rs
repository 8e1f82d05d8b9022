//! The academy's reports, in Chinese and in our words, each with something changed.

mod key;
mod numbers;
mod properties;
mod times;
mod withdrawals;

use crate::{
    Fields, MappedScore, Period, Reason, ResultId, ScoreReport, Status, Timestamp,
    source::{Source, testing::academy},
};

/// 2026-11-06T21:20:00Z.
const RECEIVED_AT: Timestamp = Timestamp::from_millis(1_794_000_000_000);

/// An export in Chinese.
const CHINESE: &[(&str, &str)] = &[
    ("工号", "E1001"),
    ("手机号", "19900000001"),
    ("姓名", "李雷"),
    ("课程编号", "C-7"),
    ("课程名称", "消防安全"),
    ("考试编号", "X-1"),
    ("次数", "1"),
    ("分数", "85.5"),
    ("满分", "100"),
    ("完成时间", "2026-11-06 20:15:30"),
];

/// The same result in our own words.
const ENGLISH: &[(&str, &str)] = &[
    ("employee_no", "E1001"),
    ("phone", "19900000001"),
    ("employee_name", "李雷"),
    ("course_id", "C-7"),
    ("course_title", "消防安全"),
    ("exam_id", "X-1"),
    ("attempt", "1"),
    ("exam_score", "85.5"),
    ("max_score", "100"),
    ("finish_timestamp", "2026-11-06T20:15:30+08:00"),
];

const STATUS: (&str, &str) = (
    "fields.status",
    "{ from = '状态', final = ['有效'], provisional = ['暂定'], withdrawn = ['作废', 'VOID'] }",
);

/// What a test changes in the record: a text, a null, or nothing at all under that name.
type Change<'a> = (&'a str, Value<'a>);

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Text(&'a str),
    Null,
    Absent,
}
use Value::{Absent, Null, Text};

fn report<'a>(fields: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> ScoreReport<'a> {
    let mut report = ScoreReport {
        source: "academy".into(),
        received_at: RECEIVED_AT,
        content_type: "text/csv".into(),
        fields: Fields::default(),
        unparsed: None,
    };
    for (name, value) in fields {
        report.fields.push(name, value);
    }
    report
}

fn changed<'a>(changes: &[Change<'a>]) -> ScoreReport<'a> {
    let mut fields: Vec<(&str, Option<&str>)> = CHINESE.iter().map(|(name, value)| (*name, Some(*value))).collect();
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        match value {
            Text(text) => fields.push((name, Some(text))),
            Null => fields.push((name, None)),
            Absent => {}
        }
    }
    report(fields)
}

/// The part of the mapped report that `show` picks, or `reason field source_field`.
fn outcome(source: &Source, report: &ScoreReport<'_>, show: fn(&MappedScore<'_>) -> String) -> String {
    match source.map(report) {
        Ok(mapped) => {
            assert_eq!(
                source.result_key(&report.fields),
                Ok(mapped.result_id),
                "the producer and the mapper agree on the key"
            );
            show(&mapped)
        }
        Err(error) => {
            let (told, field) = (error.to_string(), error.field.map_or("-", |field| field.as_str()));
            for (_, value) in report.fields.iter() {
                let secret = value.map(str::trim).filter(|value| value.chars().count() > 3);
                assert!(secret.is_none_or(|secret| !told.contains(secret)), "{told} tells a value");
            }
            format!("{} {field} {}", error.reason, error.source_field.as_deref().unwrap_or("-"))
        }
    }
}

type Settings<'a> = &'a [(&'a str, &'a str)];

fn check(settings: Settings<'_>, changes: &[Change<'_>], (show, expected): (fn(&MappedScore<'_>) -> String, &str)) {
    let found = outcome(&academy(settings), &changed(changes), show);
    assert_eq!(found, expected, "settings {settings:?}, record {changes:?}");
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

fn score(mapped: &MappedScore<'_>) -> String {
    shown(mapped.marks.exam_score)
}

fn finished(mapped: &MappedScore<'_>) -> String {
    shown(mapped.finished.map(Period::first))
}

fn finished_until(mapped: &MappedScore<'_>) -> String {
    shown(mapped.finished.map(Period::last))
}

fn status(mapped: &MappedScore<'_>) -> String {
    mapped.status.to_string()
}

fn revision(mapped: &MappedScore<'_>) -> String {
    shown(mapped.revision)
}

#[test]
fn a_report_in_chinese_and_one_in_our_words_say_the_same() {
    let (source, plain) = (academy(&[]), |(name, value): &(&'static str, &'static str)| (*name, Some(*value)));
    let (chinese, english) = (report(CHINESE.iter().map(plain)), report(ENGLISH.iter().map(plain)));
    let mapped = source.map(&chinese).unwrap();
    assert_eq!(source.map(&english).as_ref(), Ok(&mapped));
    assert_eq!(mapped.result_id, ResultId::from_key("academy", ["E1001", "C-7", "X-1", "1"]));
    assert_eq!((mapped.source, mapped.system, mapped.status), ("academy", "academy", Status::Final));
    assert_eq!(
        (mapped.identities.employee_no, mapped.identities.phone, mapped.identities.name),
        (Some("E1001"), Some("19900000001"), Some("李雷"))
    );
    assert_eq!((mapped.course_id.as_deref(), mapped.course_title), (Some("C-7"), Some("消防安全")));
    assert_eq!((mapped.exam_id.as_deref(), mapped.attempt), (Some("X-1"), Some(1)));
    assert_eq!(
        (score(&mapped), shown(mapped.marks.max_score), mapped.marks.rounded),
        ("85.5".to_owned(), "100".to_owned(), false)
    );
    assert_eq!(finished(&mapped), "2026-11-06T12:15:30.000Z");
    assert_eq!((mapped.mapping_version, mapped.revision_scheme, mapped.revision), (3, 1, None));
    assert_eq!(mapped.received_at, RECEIVED_AT);
}

#[test]
fn a_row_that_could_not_be_read_is_unparsed() {
    let source = academy(&[]);
    let mut unreadable = report([]);
    unreadable.unparsed = Some(b"\xff;;".as_slice().into());
    assert_eq!(outcome(&source, &unreadable, score), "unparsed - -");
    assert_eq!(outcome(&source, &report([]), score), "missing_field learner 工号, employee_no");
}

#[test]
fn flags_are_read_by_their_words() {
    let passed = |mapped: &MappedScore<'_>| shown(mapped.marks.passed);
    for yes in ["true", "TRUE", "Yes", "y", "1", "１", "是", "Ｙ"] {
        check(&[], &[("是否合格", Text(yes))], (passed, "true"));
    }
    for no in ["false", "False", "no", "N", "0", "否"] {
        check(&[], &[("是否合格", Text(no))], (passed, "false"));
    }
    check(&[], &[("是否合格", Text("合格"))], (passed, "invalid_field passed 是否合格"));
    check(&[], &[("是否合格", Text("-"))], (passed, "nothing"));
    let own: Settings<'_> = &[("fields.passed", "{ from = '是否合格', yes = ['合格', 'Pass'] }")];
    check(own, &[("是否合格", Text("合格"))], (passed, "true"));
    check(own, &[("是否合格", Text("PASS"))], (passed, "true"));
    check(own, &[("是否合格", Text("否"))], (passed, "false"));
    check(own, &[("是否合格", Text("是"))], (passed, "invalid_field passed 是否合格"));
}

#[test]
fn texts_are_trimmed_and_limited() {
    let title = |mapped: &MappedScore<'_>| shown(mapped.course_title);
    check(&[], &[("课程名称", Text("\u{3000} 消防 安全 \n"))], (title, "消防 安全"));
    let longest = "消".repeat(1_000);
    check(&[], &[("课程名称", Text(&longest))], (title, &longest));
    let longer = "消".repeat(1_001);
    check(&[], &[("课程名称", Text(&longer))], (title, "invalid_field course_title 课程名称"));
    check(&[], &[("课程名称", Text("消\0"))], (title, "invalid_field course_title 课程名称"));
    check(&[("fields.course_title", "{ constant = '安全' }")], &[], (title, "安全"));
}

#[test]
fn a_name_that_occurs_twice_is_ambiguous_whoever_reads_it() {
    let twice = |name: &'static str, value: &'static str| {
        let mut report = changed(&[]);
        report.fields.push(name, Some(value));
        outcome(&academy(&[]), &report, score)
    };
    assert_eq!(twice("分数", "85.5"), "ambiguous_field exam_score 分数");
    assert_eq!(twice("课程名称", ""), "ambiguous_field course_title 课程名称");
    assert_eq!(twice("手机号", "19900000001"), "ambiguous_field phone 手机号");
    assert_eq!(twice("次数", "1"), "ambiguous_field attempt 次数");
    assert_eq!(twice("工号", "E1001"), "ambiguous_field learner 工号");
    assert_eq!(twice("备注", "x"), "85.5");
}

#[test]
fn two_names_of_one_field_may_only_say_the_same() {
    check(&[], &[("exam_score", Text("85.5"))], (score, "85.5"));
    check(&[], &[("exam_score", Text("-"))], (score, "85.5"));
    check(&[], &[("exam_score", Text("85.6"))], (score, "ambiguous_field exam_score 分数"));
    check(&[], &[("employee_no", Text("E2002"))], (score, "ambiguous_field learner 工号"));
    check(&[], &[("分数", Text("")), ("exam_score", Text("7"))], (score, "7"));
}

#[test]
fn what_is_required_is_missed() {
    check(
        &[],
        &[("课程编号", Text(""))],
        (score, "missing_field course_id 课程编号, course_id"),
    );
    check(&[], &[("次数", Null)], (score, "missing_field attempt 次数, attempt"));
    check(&[], &[("考试编号", Absent)], (score, "missing_field exam_id 考试编号, exam_id"));
    check(
        &[],
        &[("课程名称", Absent), ("满分", Absent), ("手机号", Absent), ("姓名", Absent)],
        (score, "85.5"),
    );
    let by_result: Settings<'_> = &[("key", "['result']"), ("fields.result", "'成绩编号'")];
    check(by_result, &[], (score, "missing_field result 成绩编号"));
    let known = ("成绩编号", Text("R-1"));
    check(by_result, &[known], (score, "85.5"));
    check(
        by_result,
        &[known, ("课程编号", Null)],
        (score, "missing_field course_id 课程编号, course_id"),
    );
    check(
        by_result,
        &[known, ("次数", Null), ("考试编号", Null)],
        (|mapped| shown(mapped.attempt), "nothing"),
    );
    check(
        by_result,
        &[known, ("工号", Text("-"))],
        (|mapped| shown(mapped.identities.phone), "19900000001"),
    );
    let nobody = [known, ("工号", Null), ("手机号", Null), ("邮箱", Text("li.lei@example.com"))];
    check(
        by_result,
        &nobody,
        (score, "missing_field employee_no 工号, employee_no, 手机号, phone"),
    );
}

#[test]
fn a_report_with_several_faults_shows_the_first_in_a_fixed_order() {
    let settings = [STATUS, ("fields.revision", "'版本'")];
    let mut faults = vec![
        ("次数", Text("x")),
        ("状态", Text("x")),
        ("版本", Text("x")),
        ("手机号", Text("\0")),
        ("课程名称", Text("\0")),
    ];
    faults.extend([("完成时间", Text("x")), ("分数", Text("x"))]);
    let mended = [
        ("次数", Text("1")),
        ("状态", Null),
        ("版本", Text("1")),
        ("手机号", Null),
        ("课程名称", Null),
        ("完成时间", Text("2026-11-06 20:15")),
    ];
    for (place, field) in [
        "attempt",
        "status",
        "revision",
        "phone",
        "course_title",
        "finish_timestamp",
        "exam_score",
    ]
    .iter()
    .enumerate()
    {
        if place > 0 {
            faults[place - 1] = mended[place - 1];
        }
        let name = faults[place].0;
        check(&settings, &faults, (score, &format!("invalid_field {field} {name}")));
    }
}

#[test]
fn an_explanation_names_both_fields_and_what_would_be_right() {
    let error = academy(&[]).map(&changed(&[("分数", Text("85,5"))])).unwrap_err();
    let expected =
        "cannot map exam_score from `分数`: a comma is read only with `decimal_comma`, and thousands separators are not read at all";
    assert_eq!(error.to_string(), expected);
    let problem = academy(&[]).result_key(&changed(&[("次数", Text("x"))]).fields).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "cannot map attempt from `次数`: it is not a whole number from 0"
    );
    assert_eq!(problem.0.reason, Reason::InvalidField);
}
