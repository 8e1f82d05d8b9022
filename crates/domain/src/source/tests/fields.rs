//! What is said of the settings of single fields.

use super::check_academy;

#[test]
fn a_name_is_mapped_once() {
    check_academy(
        &[("fields.exam_title", "'课程名称'")],
        &["academy.fields.exam_title: `课程名称` is mapped to course_title already"],
    );
    check_academy(
        &[("fields.exam_title", "['考试', '考试']")],
        &["academy.fields.exam_title: names `考试` twice"],
    );
    check_academy(&[("fields.exam_title", "[]")], &["academy.fields.exam_title: names no field"]);
    check_academy(
        &[("fields.exam_title", "''")],
        &["academy.fields.exam_title: a name of a field is empty"],
    );
    check_academy(&[("fields.learner", "'工号'")], &[]);
    check_academy(&[("fields.revision", "{ from = '完成时间', as = 'time' }")], &[]);
    check_academy(&[("fields.passed", "{ from = '等级', yes = ['优'], no = ['差'] }")], &[]);
}

#[test]
fn a_constant_is_exact_and_stands_alone() {
    check_academy(
        &[
            ("fields.min_score", "{ constant = 0 }"),
            ("fields.max_score", "{ constant = '99.5' }"),
        ],
        &[],
    );
    check_academy(
        &[("fields.min_score", "{ constant = 'zero' }")],
        &["academy.fields.min_score: the constant is not a decimal"],
    );
    check_academy(
        &[("fields.min_score", "{ constant = '0.0000001' }")],
        &["academy.fields.min_score: the constant has more than six"],
    );
    check_academy(
        &[("fields.min_score", "{ from = '最低分', constant = '0' }")],
        &["academy.fields.min_score: has `from` and"],
    );
    check_academy(
        &[("fields.min_score", "{ strip = '分' }")],
        &["academy.fields.min_score: needs the source's names"],
    );
    check_academy(
        &[("fields.exam_score", "{ constant = 60 }")],
        &["academy.fields.exam_score: a score cannot be the same"],
    );
    check_academy(
        &[("fields.course_title", "{ constant = ' ' }")],
        &["academy.fields.course_title: the constant is empty"],
    );
    check_academy(
        &[("fields.min_score", "{ constant = 1 }"), ("fields.max_score", "{ constant = 0 }")],
        &["academy.fields.min_score: is greater than"],
    );
}

#[test]
fn a_time_that_could_not_be_read_is_a_problem() {
    let finished = |table: &str, expected: &[&str]| check_academy(&[("fields.finish_timestamp", table)], expected);
    let formats = "academy.fields.finish_timestamp.formats: ";
    finished("{ from = '完成时间', formats = [] }", &[&format!("{formats}names no format")]);
    finished(
        "{ from = '完成时间', formats = ['%Y-%m-%Q'] }",
        &[&format!("{formats}`%Y-%m-%Q` is neither")],
    );
    for lacking in [
        "%H:%M:%S",
        "%Y-%m",
        "%m-%d %H:%M",
        "%Y-%m-%d %I:%M",
        "%Y-%m-%d %H",
        "unix",
        "%Y-%m-%d :%M",
        "%Y-%m-%d %S",
        "%y",
    ] {
        let table = format!("{{ from = '完成时间', formats = ['{lacking}'] }}");
        finished(&table, &[&format!("{formats}`{lacking}` does not give")]);
    }
    for named_zone in ["%Y-%m-%d %H:%M:%S %Z", "%Z %s"] {
        let table = format!("{{ from = '完成时间', formats = ['{named_zone}'] }}");
        finished(&table, &[&format!("{formats}`{named_zone}` has %Z")]);
    }
    for complete in [
        "%Y-%m-%d",
        "%d.%m.%Y %H:%M",
        "%Y年%m月%d日 %H时%M分",
        "%Y-%m-%d %I:%M %p",
        "%s",
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%j",
        "%+",
        "%y%m%d%H%M",
    ] {
        finished(&format!("{{ from = '完成时间', formats = ['{complete}'] }}"), &[]);
    }
    finished(
        "{ from = '完成时间', zone = 'Mars/Olympus' }",
        &["academy.fields.finish_timestamp.zone: is no zone"],
    );
}

#[test]
fn a_format_without_a_zone_needs_one_from_the_configuration() {
    let local = ("fields.finish_timestamp", "{ from = '完成时间', formats = ['%Y-%m-%d %H:%M'] }");
    let with_zone = (
        "fields.finish_timestamp",
        "{ from = '完成时间', formats = ['%Y-%m-%d %H:%M'], zone = 'UTC' }",
    );
    let offset = (
        "fields.finish_timestamp",
        "{ from = '完成时间', formats = ['%Y-%m-%d %H:%M %z', 'rfc3339', 'unix_millis'] }",
    );
    check_academy(
        &[("time_zone", ""), local],
        &["academy.fields.finish_timestamp.formats: `%Y-%m-%d %H:%M` says no zone"],
    );
    check_academy(&[("time_zone", ""), with_zone], &[]);
    check_academy(&[("time_zone", ""), offset], &[]);
    check_academy(&[("time_zone", "'Nowhere'"), local], &["academy.time_zone: is no zone"]);
    check_academy(
        &[("fields.revision", "{ from = '版本', zone = 'UTC' }")],
        &["academy.fields.revision: `formats` and `zone`"],
    );
}

#[test]
fn a_word_has_one_meaning() {
    check_academy(
        &[("fields.passed", "{ from = '合格', yes = ['Ｙ'], no = ['y'] }")],
        &["academy.fields.passed: the word `y` has two"],
    );
    check_academy(
        &[("fields.passed", "{ from = '合格', yes = ['0'] }")],
        &["academy.fields.passed: the word `0` has two"],
    );
    check_academy(
        &[("fields.passed", "{ from = '合格', yes = [] }")],
        &["academy.fields.passed.yes: is empty"],
    );
    check_academy(
        &[("fields.passed", "{ from = '合格', no = ['—'] }")],
        &["academy.fields.passed.no: is empty"],
    );
    check_academy(&[("fields.passed", "{ from = '合格', yes = ['是', '是', 'Y', 'y'] }")], &[]);
    check_academy(
        &[("fields.status", "{ from = '状态', withdrawn = ['final'] }")],
        &["academy.fields.status: the word `final` has two"],
    );
}

#[test]
fn a_unit_must_not_change_the_number() {
    for unit in ["-", "1", "", "＋", ".", "，", "e5"] {
        let table = format!("{{ from = '分数', strip = '{unit}' }}");
        check_academy(&[("fields.exam_score", &table)], &["academy.fields.exam_score: `strip` is a unit"]);
    }
    check_academy(&[("fields.exam_score", "{ from = '分数', strip = ['分', 'Pkt.', '%'] }")], &[]);
}
