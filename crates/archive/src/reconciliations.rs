//! What scheduled comparisons of lists with the archive came to.

use scoresync_domain::Timestamp;

use crate::{
    error::Failure,
    letters::{Row, Session},
    table::{RowReader, Value, present},
};

/// A scheduled comparison of a source's list with the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciliationRun {
    /// The source.
    pub source: String,
    /// When it was to run.
    pub due: Timestamp,
    /// When it was begun.
    pub begun: Timestamp,
    /// What it came to; `None` while it runs, or where its process ended before.
    pub result: Option<ReconciliationResult>,
}

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciliationResult {
    /// When it ended.
    pub ended: Timestamp,
    /// `agreed`, `differs` or `failed`.
    pub outcome: String,
    /// Rows of the list.
    pub listed: i64,
    /// Records of the source's system in the archive.
    pub archived: i64,
    /// A JSON object: how many results differ in which way.
    pub classes: String,
    /// Reports that were sent to bring the archive up to date.
    pub sent: i64,
    /// Why it failed.
    pub problem: Option<String>,
}

/// Begins a run, unless somebody else has: of a run that was begun before `forgotten` and never ended, nobody is left.
pub(crate) async fn begin(
    session: &impl Session,
    source: &str,
    (due, begun, forgotten): (Timestamp, Timestamp, Timestamp),
) -> Result<bool, Failure> {
    let sql = "INSERT INTO reconciliation (source, due_ms, begun_ms) VALUES ($1, $2, $3)
        ON CONFLICT (source, due_ms) DO UPDATE SET begun_ms = excluded.begun_ms
        WHERE reconciliation.ended_ms IS NULL AND reconciliation.begun_ms < $4";
    let millis = |time: Timestamp| Value::Int8(Some(time.as_millis()));
    let row = vec![Value::Text(Some(source)), millis(due), millis(begun), millis(forgotten)];
    Ok(session.change(sql, &[row]).await?.iter().sum::<u64>() > 0)
}

/// Notes what a run came to.
pub(crate) async fn end(session: &impl Session, (source, due): (&str, Timestamp), result: &ReconciliationResult) -> Result<(), Failure> {
    let sql = "UPDATE reconciliation SET ended_ms = $1, outcome = $2, listed = $3, archived = $4, classes = $5, sent = $6, problem = $7
        WHERE source = $8 AND due_ms = $9";
    let row = vec![
        Value::Int8(Some(result.ended.as_millis())),
        Value::Text(Some(&result.outcome)),
        Value::Int8(Some(result.listed)),
        Value::Int8(Some(result.archived)),
        Value::Text(Some(&result.classes)),
        Value::Int8(Some(result.sent)),
        Value::Text(result.problem.as_deref()),
        Value::Text(Some(source)),
        Value::Int8(Some(due.as_millis())),
    ];
    session.change(sql, &[row]).await.map(drop)
}

/// Forgets a run that was not carried out.
pub(crate) async fn give_back(session: &impl Session, (source, due): (&str, Timestamp)) -> Result<(), Failure> {
    let sql = "DELETE FROM reconciliation WHERE source = $1 AND due_ms = $2 AND ended_ms IS NULL";
    let row = vec![Value::Text(Some(source)), Value::Int8(Some(due.as_millis()))];
    session.change(sql, &[row]).await.map(drop)
}

/// The latest runs, of one source or of all, the newest first.
pub(crate) async fn latest(session: &impl Session, source: Option<&str>, limit: u32) -> Result<Vec<ReconciliationRun>, Failure> {
    let columns = "source, due_ms, begun_ms, ended_ms, outcome, listed, archived, classes, sent, problem";
    let (condition, parameters) = match source {
        Some(source) => (
            "WHERE source = $1",
            vec![Value::Text(Some(source)), Value::Int8(Some(limit.into()))],
        ),
        None => ("", vec![Value::Int8(Some(limit.into()))]),
    };
    let sql = format!(
        "SELECT {columns} FROM reconciliation {condition} ORDER BY due_ms DESC, source LIMIT ${}",
        parameters.len()
    );
    let rows = session.ask(&sql, &parameters).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

fn read(row: &mut Row) -> Result<ReconciliationRun, Failure> {
    let millis = |time: Option<i64>| time.map(Timestamp::from_millis);
    let source = present(row.text()?, "source")?;
    let (due, begun) = (present(millis(row.int8()?), "time")?, present(millis(row.int8()?), "time")?);
    let (ended, outcome) = (millis(row.int8()?), row.text()?);
    let result = ReconciliationResult {
        ended: ended.unwrap_or(begun),
        outcome: outcome.unwrap_or_default(),
        listed: present(row.int8()?, "count")?,
        archived: present(row.int8()?, "count")?,
        classes: present(row.text()?, "counts")?,
        sent: present(row.int8()?, "count")?,
        problem: row.text()?,
    };
    Ok(ReconciliationRun {
        source,
        due,
        begun,
        result: ended.map(|_| result),
    })
}
