//! What configurations of sources are accepted, and what is said of the others.

mod fields;

use super::testing::{ACADEMY, academy, change, compile, read};
use crate::{IdentityKind, Repeat, source::Rung};

/// All that the format has, as the documentation shows it.
const EVERYTHING: &str = r#"
[sources.academy]
system = "academy"
mapping_version = 1
revision_scheme = 1
repeat = "redelivery"
time_zone = "Asia/Shanghai"
region = "CN"
name_must_agree = false
employees_match = ["employee_no?", "phone"]
empty_score_clears = false
score_above_maximum = "allow"
key = ["learner", "course_id", "exam_id", "attempt"]
attempt = "field"
format = { xml_element = "record", csv_delimiter = ";", csv_encoding = "gb18030", csv_columns = ["工号", "分数"], json_rows = "data.items" }

[sources.academy.fields]
result = "成绩编号"
learner = "工号"
employee_no = ["工号", "employee_no"]
phone = "手机号"
email = "邮箱"
account = "账号"
employee_name = "姓名"
course_id = "课程编号"
course_title = "课程名称"
exam_id = "考试编号"
exam_title = "考试名称"
attempt = "次数"
exam_score = { from = ["分数", "exam_score"], decimal_comma = false, strip = "分" }
min_score = { constant = "0" }
max_score = "满分"
grade = "等级"
passed = { from = "是否合格", yes = ["是", "合格"], no = ["否", "不合格"] }
finish_timestamp = { from = "完成时间", formats = ["%Y-%m-%d %H:%M:%S", "rfc3339", "unix_seconds", "unix_millis"], zone = "Asia/Shanghai" }
revision = { from = "更新时间", as = "time" }
status = { from = "状态", final = ["有效"], provisional = ["暂定"], withdrawn = ["作废"] }
"#;

#[test]
fn everything_that_is_documented_is_accepted() {
    let sources = compile(EVERYTHING).unwrap();
    let source = sources.get("academy").unwrap();
    assert_eq!(
        (source.system.as_str(), source.mapping_version, source.repeat),
        ("academy", 1, Repeat::Redelivery)
    );
    let rung = |kind, optional| Rung { kind, optional };
    assert_eq!(
        source.employees_match,
        [rung(IdentityKind::EmployeeNo, true), rung(IdentityKind::Phone, false)]
    );
    assert_eq!(source.format.csv_delimiter, Some(b';'));
    assert_eq!(source.format.json_rows, Some(vec!["data".to_owned(), "items".to_owned()]));
    assert!(sources.get("other").is_none());
    assert_eq!(sources.iter().len(), 1);
}

/// Each expected problem is `setting: beginning of the explanation`, without `sources.`.
fn check(text: &str, expected: &[&str]) {
    let found = match compile(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    let fits = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.starts_with(&format!("sources.{expected}")));
    assert!(fits, "expected {expected:#?}\nfound {found:#?}");
}

fn check_academy(changes: &[(&str, &str)], expected: &[&str]) {
    check(&change(changes), expected);
}

#[test]
fn a_source_without_anything_is_told_everything_it_lacks_at_once() {
    check(
        "[sources.\"a b\"]\ntime_zone = \"Shanghai\"\nregion = \"cn\"",
        &[
            "a b: a source's name is",
            "a b.mapping_version: is required",
            "a b.repeat: is required",
            "a b.time_zone: is no zone",
            "a b.region: is the two capital letters",
            "a b.employees_match: is required",
            "a b.fields.course_id: is required",
            "a b.fields.finish_timestamp: is required",
            "a b.fields: one of exam_score, grade and passed",
            "a b.key: is required",
        ],
    );
}

#[test]
fn the_problems_of_all_sources_are_listed() {
    let one = change(&[("repeat", "")]);
    let two = change(&[("mapping_version", "0")]).replace("sources.academy", "sources.barn");
    let expected = ["academy.repeat: is required", "barn.mapping_version: is a whole number"];
    check(&format!("{one}{two}"), &expected);
}

#[test]
fn numbers_and_words_outside_their_lists_are_problems() {
    check_academy(&[("mapping_version", "0")], &["academy.mapping_version: is a whole number from 1"]);
    check_academy(
        &[("mapping_version", "2147483648")],
        &["academy.mapping_version: is a whole number from 1"],
    );
    check_academy(&[("revision_scheme", "-1")], &["academy.revision_scheme: is a whole number from 1"]);
    check_academy(&[("repeat", "'again'")], &["academy.repeat: is required"]);
    check_academy(&[("system", "' academy'")], &["academy.system: is a name"]);
    check_academy(
        &[("score_above_maximum", "'clamp'")],
        &["academy.score_above_maximum: is \"allow\" or"],
    );
    check_academy(
        &[("fields.revision", "{ from = '版本', as = 'number' }")],
        &["academy.fields.revision.as: is"],
    );
    check_academy(
        &[("employees_match", "['badge']")],
        &["academy.employees_match: `badge` is none of"],
    );
    check_academy(
        &[("employees_match", "['phone', 'phone?']")],
        &["academy.employees_match: names phone twice"],
    );
}

#[test]
fn what_a_setting_needs_must_be_mapped() {
    check_academy(&[("region", "")], &["academy.region: is required where `phone` is mapped"]);
    check_academy(&[("region", ""), ("fields.phone", ""), ("employees_match", "['employee_no']")], &[]);
    check_academy(&[("fields.phone", "")], &["academy.employees_match: names phone, which"]);
    check_academy(&[("fields.employee_name", "")], &[]);
    check_academy(
        &[("fields.employee_name", ""), ("name_must_agree", "true")],
        &["academy.name_must_agree: needs"],
    );
    check_academy(
        &[("fields.max_score", ""), ("score_above_maximum", "'refuse'")],
        &["academy.score_above_maximum: \"refuse\" needs"],
    );
    check_academy(&[("fields.exam_score", ""), ("fields.grade", "")], &[]);
    check_academy(
        &[("fields.exam_score", ""), ("fields.grade", ""), ("fields.passed", "")],
        &["academy.fields: one of exam_score"],
    );
}

#[test]
fn a_key_tells_all_results_apart() {
    check_academy(&[("key", "['result']")], &["academy.key: lists `result`, which"]);
    check_academy(&[("key", "['result']"), ("fields.result", "'成绩编号'"), ("attempt", "")], &[]);
    check_academy(
        &[("key", "['result', 'attempt']"), ("fields.result", "'成绩编号'")],
        &["academy.key: `result` identifies"],
    );
    check_academy(&[("key", "['learner', 'attempt']")], &["academy.key: lacks `course_id`"]);
    check_academy(&[("key", "['course_id', 'attempt']")], &["academy.key: lacks `learner`"]);
    check_academy(
        &[("key", "['learner', 'course_id', 'course_id', 'attempt']")],
        &["academy.key: lists `course_id` twice"],
    );
    check_academy(
        &[("key", "['learner', 'course_id', 'date', 'attempt']")],
        &["academy.key: `date` is none of"],
    );
    check_academy(&[("fields.exam_id", "")], &["academy.key: lists `exam_id`, which"]);
    check_academy(&[("fields.exam_id", ""), ("key", "['learner', 'course_id', 'attempt']")], &[]);
}

#[test]
fn a_source_must_say_whether_it_has_attempts() {
    check_academy(&[("attempt", "")], &["academy.attempt: is required"]);
    check_academy(&[("attempt", "'one'")], &["academy.attempt: is \"field\" or \"none\""]);
    check_academy(&[("attempt", "'none'")], &["academy.attempt: \"none\" says"]);
    check_academy(&[("key", "['learner', 'course_id']")], &["academy.key: lacks `attempt`"]);
    check_academy(
        &[("attempt", "'none'"), ("fields.attempt", ""), ("key", "['learner', 'course_id']")],
        &[],
    );
    check_academy(
        &[("fields.attempt", ""), ("key", "['learner', 'course_id']")],
        &["academy.attempt: \"field\" needs"],
    );
}

#[test]
fn a_format_of_files_is_checked() {
    let format = |setting: &str, value: &str, expected: &[&str]| check_academy(&[(&format!("format.{setting}"), value)], expected);
    for delimiter in ["''", "';;'", "'；'", "'\"'", "\"\\n\""] {
        format(
            "csv_delimiter",
            delimiter,
            &["academy.format.csv_delimiter: is one ASCII character"],
        );
    }
    format("csv_delimiter", "\"\\t\"", &[]);
    format("csv_columns", "[]", &["academy.format.csv_columns: names no column"]);
    format(
        "csv_columns",
        "['工号', '', '工号']",
        &[
            "academy.format.csv_columns: column 2 has no name",
            "academy.format.csv_columns: names `工号` twice",
        ],
    );
    format("csv_encoding", "''", &["academy.format.csv_encoding: is a name"]);
    format("xml_element", "'a record'", &["academy.format.xml_element: is a name"]);
    format("json_rows", "'data..items'", &["academy.format.json_rows: is a path"]);
}

/// A second door of the academy, with some lines changed.
fn check_second_door(changes: &[(&str, &str)], expected: &[&str]) {
    let door = change(changes)
        .replace("sources.academy", "sources.door")
        .replace("[sources.door]", "[sources.door]\nsystem = \"academy\"");
    check(&format!("{ACADEMY}{door}"), expected);
}

#[test]
fn sources_of_one_system_agree_on_what_identifies_and_orders_its_results() {
    check_second_door(&[], &[]);
    check_second_door(&[("repeat", "'correction'"), ("region", "'DE'"), ("mapping_version", "9")], &[]);
    check_second_door(&[("revision_scheme", "2")], &["door.revision_scheme: differs from sources.academy"]);
    check_second_door(
        &[("fields.revision", "'版本'")],
        &["door.fields.revision: is mapped, but not in sources.academy"],
    );
    check_second_door(
        &[("key", "['course_id', 'learner', 'exam_id', 'attempt']")],
        &["door.key: differs from sources.academy"],
    );
    check_second_door(
        &[("fields.learner", "'手机号'")],
        &["door.key: takes the learner from another kind"],
    );
    check_second_door(
        &[("employees_match", "['phone']")],
        &["door.key: takes the learner from another kind"],
    );
    check_second_door(&[("employees_match", "['phone']"), ("fields.learner", "'工号'")], &[]);
}

#[test]
fn settings_that_do_not_exist_are_refused() {
    for (changes, expected) in [
        (("mapping_versoin", "1"), "mapping_versoin"),
        (("fields.exam_scroe", "'分数'"), "exam_scroe"),
        (("fields.passed", "{ from = '合格', maybe = ['?'] }"), "maybe"),
        (("fields.phone", "{ from = '手机号', constant = '1' }"), "constant"),
        (("format.csv_quote", "'x'"), "csv_quote"),
        (("fields.min_score", "{ constant = 0.5 }"), "in quotes"),
        (("fields.phone", "7"), "the source's name of the field, a list of names, or a table"),
    ] {
        let error = read(&change(&[changes])).unwrap_err();
        assert!(error.contains(expected), "{changes:?}: {error}");
    }
}

#[test]
fn a_source_is_its_own_system_unless_it_says_otherwise() {
    assert_eq!(academy(&[]).system, "academy");
    assert_eq!(academy(&[("system", "'lms'")]).system, "lms");
    assert_eq!(academy(&[]).revision_scheme, 1);
}
