//! Values that say who somebody is are shown with most of their characters left out.

use scoresync_domain::{Field, SourceSettings};

/// The first and the last character, with a mark for what is between; of a short one nothing.
#[must_use]
pub fn mask(value: &str) -> String {
    let mut characters = value.chars();
    match (characters.next(), characters.next_back(), characters.next()) {
        (Some(first), Some(last), Some(_)) => format!("{first}•••{last}"),
        (Some(_), _, _) => "•••".to_owned(),
        (None, _, _) => String::new(),
    }
}

/// Whether a field of a source can say who somebody is. Of what nobody has mapped, nobody knows.
pub(super) fn is_personal(source: Option<&SourceSettings>, name: &str) -> bool {
    let Some(source) = source else { return true };
    let mut is_mapped = false;
    let personal = source.read_as(name).any(|field| {
        is_mapped = true;
        says_who(field)
    });
    personal || !is_mapped
}

/// The same of a field by our name for it.
pub(super) fn is_personal_by_our_name(name: &str) -> bool {
    name.parse().map_or(true, says_who)
}

const fn says_who(field: Field) -> bool {
    match field {
        Field::Result | Field::Learner | Field::EmployeeNo | Field::Phone | Field::Email | Field::Account | Field::EmployeeName => true,
        Field::CourseId
        | Field::CourseTitle
        | Field::ExamId
        | Field::ExamTitle
        | Field::Attempt
        | Field::ExamScore
        | Field::MinScore
        | Field::MaxScore
        | Field::Grade
        | Field::Passed
        | Field::FinishTimestamp
        | Field::Revision
        | Field::Status => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_value_keeps_its_ends_alone() {
        for (value, masked) in [
            ("", ""),
            ("王", "•••"),
            ("王明", "•••"),
            ("王小明", "王•••明"),
            ("13800000001", "1•••1"),
        ] {
            assert_eq!(mask(value), masked, "{value}");
        }
    }

    #[test]
    fn what_nobody_mapped_is_taken_for_personal() {
        assert!(is_personal(None, "score"));
        let source = toml_source();
        assert!(is_personal(Some(&source), "备注"));
        assert!(is_personal(Some(&source), "手机号"));
        assert!(!is_personal(Some(&source), "分数"));
        assert!(is_personal_by_our_name("employee_no") && is_personal_by_our_name("分数"));
        assert!(!is_personal_by_our_name("exam_score"));
    }

    fn toml_source() -> SourceSettings {
        let text = r#"{ "fields": { "phone": "手机号", "exam_score": "分数" } }"#;
        serde_json::from_str(text).unwrap()
    }
}
