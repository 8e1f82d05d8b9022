//! How the sources write what they say.

use scoresync_domain::Status;

use super::{Said, Source};

/// The first line of a file.
pub(super) const EXPORT_HEADER: &[u8] = b"serial,result_id,employee_no,course_id,exam_score,finish_timestamp\n";

fn time(said: &Said) -> String {
    format!("{} 09:30:00", said.date())
}

pub(super) fn hall_row(serial: &str, said: &Said, (employee_no, phone): (Option<&str>, Option<&str>), remark: usize) -> Vec<u8> {
    let mut row = serde_json::Map::new();
    let mut set = |name: &str, value: serde_json::Value| drop(row.insert(name.to_owned(), value));
    set("流水号", serial.into());
    set("结果号", format!("H{}", said.result).into());
    if let Some(employee_no) = employee_no {
        set("工号", employee_no.into());
    }
    if let Some(phone) = phone {
        set("手机号", phone.into());
    }
    if said.status != Status::Withdrawn {
        set("课程编号", Source::Hall.course_id().into());
        set("分数", said.exam_score.clone().into());
        set("完成时间", time(said).into());
    }
    set("版本", said.revision.into());
    let status = match said.status {
        Status::Final => "有效",
        Status::Provisional => "暂定",
        Status::Withdrawn => "作废",
    };
    set("状态", status.into());
    if remark > 0 {
        set("备注", "长".repeat(remark / 3).into());
    }
    serde_json::Value::Object(row).to_string().into_bytes()
}

pub(super) fn booth_row(serial: &str, said: &Said, phone: &str) -> Vec<u8> {
    let score = said.exam_score.as_deref().unwrap_or_default();
    let rest = match said.status {
        Status::Withdrawn => "<status>withdrawn</status>".to_owned(),
        Status::Final | Status::Provisional => format!(
            "<phone>{phone}</phone><course_id>{}</course_id><exam_score>{score}</exam_score><finish_timestamp>{}</finish_timestamp>",
            Source::Booth.course_id(),
            time(said)
        ),
    };
    format!(
        "<record><serial>{serial}</serial><result_id>B{}</result_id>{rest}</record>\n",
        said.result
    )
    .into_bytes()
}

pub(super) fn export_row(serial: &str, said: &Said, employee_no: Option<&str>) -> Vec<u8> {
    let (employee_no, score) = (employee_no.unwrap_or_default(), said.exam_score.as_deref().unwrap_or_default());
    let course_id = Source::Export.course_id();
    format!("{serial},E{},{employee_no},{course_id},{score},{}\n", said.result, time(said)).into_bytes()
}
