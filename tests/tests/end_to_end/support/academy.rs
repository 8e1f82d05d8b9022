//! Reports of the source `academy` about one employee, as the sender writes them and as they stand in `scores.raw`.

use std::borrow::Cow;

use scoresync_domain::{Fields, Origin, ScoreReport, Timestamp};
use scoresync_kafka::Topic;

use super::{Bytes, Foreign, Scene};

/// The roster of a company of one.
pub(crate) const ROSTER: &str = "工号,姓名,手机号\nE100,测试员,19900000100\n";
/// Her number.
pub(crate) const EMPLOYEE_NO: &str = "E100";

/// The fields of a report that can be filed; every exam is another result.
pub(crate) fn fields(exam_id: &str) -> Vec<(&'static str, String)> {
    vec![
        ("工号", EMPLOYEE_NO.to_owned()),
        ("课程编号", "C-1".to_owned()),
        ("考试编号", exam_id.to_owned()),
        ("次数", "1".to_owned()),
        ("分数", "85.5".to_owned()),
        ("完成时间", "2026-03-01 09:30:00".to_owned()),
        ("版本", "1".to_owned()),
    ]
}

/// The same as one JSON object.
pub(crate) fn json(exam_id: &str) -> serde_json::Value {
    fields(exam_id)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The same as a score report, with further fields or others.
pub(crate) fn report(exam_id: &str, others: &[(&'static str, &str)]) -> ScoreReport<'static> {
    let mut all = fields(exam_id);
    for (name, value) in others {
        all.retain(|(known, _)| known != name);
        all.push((name, (*value).to_owned()));
    }
    let all = all.into_iter().map(|(name, value)| (Cow::Borrowed(name), Some(Cow::Owned(value))));
    ScoreReport {
        source: "academy".into(),
        received_at: Timestamp::parse_rfc3339("2026-03-01T02:00:00Z").unwrap_or(Timestamp::from_millis(0)),
        content_type: "application/json".into(),
        fields: Fields::from_unique(all.collect()),
        unparsed: None,
    }
}

/// Writes it to `scores.raw`, and says where it is.
pub(crate) async fn write(scene: &Scene, exam_id: &str, others: &[(&'static str, &str)]) -> anyhow::Result<Origin> {
    let foreign = Foreign::of(scene)?;
    let value = foreign.encode(&report(exam_id, others)).await?;
    let offset = foreign.write((Topic::Raw, 0), &Bytes::new("k", value)).await?;
    Ok(Origin {
        generation: 1,
        partition: 0,
        offset,
    })
}
