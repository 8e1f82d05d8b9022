//! Files of employees, good and bad, as people write them.

use super::*;
use crate::roster::{
    fixtures::rules,
    settings::{RosterRules, RosterSettings},
};

fn read(text: &str) -> RosterFile {
    read_roster(Format::Csv, &rules(), text.as_bytes()).unwrap()
}

/// `E1:姓名:values` of each entry.
fn shown(entries: &[(RosterEntry, Silence)]) -> Vec<String> {
    let show = |(entry, _): &(RosterEntry, Silence)| {
        let values: Vec<_> = entry.identities.iter().map(|identity| identity.value.as_str()).collect();
        format!(
            "{}:{}:{}",
            entry.employee_no,
            entry.name.as_deref().unwrap_or_default(),
            values.join(",")
        )
    };
    entries.iter().map(show).collect()
}

fn check(text: &str, expected: &[&str]) {
    let statements = read(text).accept(BadRows::Refuse, &rules()).unwrap();
    assert_eq!(shown(&statements.entries), expected, "{text}");
}

#[test]
fn a_file_of_the_hr_system_is_read_by_its_headers() {
    check(
        "工号,姓名,部门,手机号,手机号2,邮箱,account.lms\n\
         E1001,李雷,质量部,19900000001;19900000002,,,lilei\n\
         E1002,韩梅梅,生产部,19900000003,19900000004,han@example.com,-\n",
        &[
            "E1001:李雷:19900000001,19900000002,lilei",
            "E1002:韩梅梅:19900000003,19900000004,han@example.com",
        ],
    );
}

#[test]
fn a_file_in_gb18030_is_read_where_the_settings_say_so() {
    let settings = RosterSettings {
        csv_encoding: Some("gbk".to_owned()),
        csv_delimiter: ';',
        ..RosterSettings::default()
    };
    let rules = RosterRules::new(&settings).unwrap();
    let (bytes, _, _) = encoding_rs::GB18030.encode("工号;姓名;手机号\nE1001;阿依·古丽;19900000001\n");
    let file = read_roster(Format::Csv, &rules, &*bytes).unwrap();
    let statements = file.accept(BadRows::Refuse, &rules).unwrap();
    assert_eq!(shown(&statements.entries), ["E1001:阿依·古丽:19900000001"]);
}

#[test]
fn json_is_read_with_its_nested_names_and_lists() {
    let json = r#"[{"employee_no": "E1", "姓名": "李雷", "phone": ["19900000001", "19900000002"], "account": {"lms": "lilei"}},
                   {"employee_no": 1002, "phone": [], "left_at": null}]"#;
    let statements = read_roster(Format::Json, &rules(), json.as_bytes())
        .unwrap()
        .accept(BadRows::Refuse, &rules())
        .unwrap();
    assert_eq!(shown(&statements.entries), ["E1:李雷:19900000001,19900000002,lilei", "1002::"]);
}

#[test]
fn several_rows_of_one_employee_become_one_entry_however_the_number_is_written() {
    check(
        "工号,姓名,手机号\nE1,李雷,19900000001\nE2,韩梅梅,\ne1,,19900000002\nＥ１,李雷,19900000003\n",
        &["E1:李雷:19900000001,19900000002,19900000003", "E2:韩梅梅:"],
    );
}

const BAD: &str = "工号,姓名,离职日期\nE1,李雷,\n,韩梅梅,\nE3,吉姆,next week\nE4,莉莉\nE1,露西,\nE5,凯特,2026-11-22\n";

#[test]
fn all_bad_rows_are_listed_with_their_lines_and_without_values() {
    let refused = read(BAD).accept(BadRows::Refuse, &rules()).unwrap_err();
    let places: Vec<_> = refused.problems.iter().map(|problem| (problem.row, problem.line)).collect();
    assert_eq!((refused.rows, places), (6, vec![(2, 3), (3, 4), (4, 5), (5, 6)]));
    let texts: Vec<_> = refused.problems.iter().map(|problem| problem.problem.as_str()).collect();
    for (text, part) in texts.iter().zip(["no employee number", "left_at is no date", "", "another name"]) {
        assert!(text.contains(part), "{text}");
    }
    for value in ["李雷", "韩梅梅", "吉姆", "next", "露西", "E1", "E3"] {
        assert!(!format!("{refused} {texts:?}").contains(value), "{value}");
    }
}

#[test]
fn skipping_bad_rows_leaves_out_every_employee_whom_one_of_them_names() {
    let statements = read(BAD).accept(BadRows::Skip, &rules()).unwrap();
    assert_eq!(shown(&statements.entries), ["E5:凯特:"]);
    assert_eq!(statements.untold, HashSet::from(["E1".to_owned(), "E3".to_owned()]));
    assert!(statements.has_unknown);
    assert_eq!(statements.skipped.len(), 4);
}

#[test]
fn a_table_without_employee_numbers_is_refused_at_its_first_row() {
    for text in ["编号,姓名\nE1,李雷\n", "工号;姓名\nE1;李雷\n"] {
        let error = read_roster(Format::Csv, &rules(), text.as_bytes()).unwrap_err();
        assert!(matches!(error, ReadRosterError::NoEmployeeNumbers), "{error}");
    }
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    let error = read_roster(Format::Json, &rules(), r#"[{"employee_no": "E1"}, {"emp"#.as_bytes()).unwrap_err();
    assert!(matches!(error, ReadRosterError::Broken(_)), "{error}");
}
