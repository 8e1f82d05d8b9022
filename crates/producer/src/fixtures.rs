//! What several tests begin with.

use scoresync_domain::{Sources, SourcesSettings};
use sha2::{Digest as _, Sha256};

/// Settings of sources by which reports can be sent.
pub(crate) const SOURCES: &str = r#"
    [academy]
    mapping_version = 1
    repeat = "redelivery"
    time_zone = "Asia/Shanghai"
    employees_match = ["employee_no"]
    key = ["learner", "course_id"]
    attempt = "none"
    [academy.fields]
    employee_no = "工号"
    course_id = "课程编号"
    exam_score = "分数"
    finish_timestamp = "完成时间"

    [campus]
    mapping_version = 1
    repeat = "correction"
    time_zone = "UTC"
    employees_match = ["employee_no"]
    key = ["result"]
    [campus.format]
    csv_delimiter = ";"
    csv_encoding = "gb18030"
    [campus.fields]
    result = "id"
    employee_no = "employee"
    course_id = "course"
    exam_score = "score"
    finish_timestamp = "finished"
"#;

/// The sources `academy` and `campus`.
pub(crate) fn sources() -> Sources {
    let settings: SourcesSettings = toml::from_str(SOURCES).unwrap();
    Sources::compile(&settings).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The hash of a token, as in settings.
pub(crate) fn sha256(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02X}")).collect()
}
