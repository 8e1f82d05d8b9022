//! Listing letters and the problems that they are.

use std::fmt::Write;

use scoresync_domain::{IdentityKey, Origin, ResultId, Timestamp};
use uuid::Uuid;

use super::{
    Letter, LetterBody, LetterFilter, LetterGroup, LetterId, LetterPage, OpenLetters, Row, Session, WaitingGroup, take::id_values,
};
use crate::{
    error::Failure,
    table::{RowReader, Value, named, present},
};

const COLUMNS: &str = "topic, generation, partition, place, family, state, reason, message, source, attempt, first_failed_ms,
    last_failed_ms, group_id, result_id, mapping_version, received_ms, requested_by, closed_ms, closed_by, closing_reason";

/// What can be listed as letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    DeadLetters,
    /// Their view has the columns of letters, and two more.
    Refusals,
}

impl Listed {
    const fn table(self) -> &'static str {
        match self {
            Self::DeadLetters => "dead_letter",
            Self::Refusals => "refused_letter",
        }
    }
}

/// Conditions with their parameters.
struct Conditions<'v> {
    sql: String,
    parameters: Vec<Value<'v>>,
}

impl<'v> Conditions<'v> {
    fn of(filter: &'v LetterFilter, listed: Listed) -> Self {
        let mut all = Self {
            sql: "1 = 1".to_owned(),
            parameters: Vec::new(),
        };
        // Written out, so that the indexes of open letters alone are used.
        if let Some(state) = filter.state {
            let _ = write!(all.sql, " AND state = '{state}'");
        }
        all.add(filter.reason.as_deref(), |reason| ("reason = ", Value::Text(Some(reason)), ""));
        all.add(filter.source.as_deref(), |source| ("source = ", Value::Text(Some(source)), ""));
        match (listed, &filter.group_id) {
            // The problem of a refusal is its result, by which refusals are found.
            (Listed::Refusals, Some(group)) if group.iter().all(|byte| *byte == 0) => all.sql.push_str(" AND result_id IS NULL"),
            (Listed::Refusals, group) => all.add(group.map(Uuid::from_bytes), |result_id| {
                ("result_id = ", Value::Id(Some(result_id)), "")
            }),
            (Listed::DeadLetters, group) => all.add(group.as_ref(), |group| ("group_id = ", Value::Bytes(Some(group)), "")),
        }
        all.add(filter.field.as_deref(), |field| {
            (
                "group_id IN (SELECT group_id FROM letter_group WHERE field = ",
                Value::Text(Some(field)),
                ")",
            )
        });
        all.add(filter.employee.as_ref(), |(number, hash)| match listed {
            Listed::DeadLetters => (
                "group_id IN (SELECT group_id FROM letter_identity WHERE identity_hash = ",
                Value::Bytes(Some(hash)),
                ")",
            ),
            Listed::Refusals => ("employee_no = ", Value::Text(Some(number)), ""),
        });
        all.add(filter.text.as_deref(), |text| match listed {
            Listed::DeadLetters => (
                "EXISTS (SELECT 1 FROM letter_body AS body WHERE body.topic = dead_letter.topic
                    AND body.generation = dead_letter.generation AND body.partition = dead_letter.partition
                    AND body.place = dead_letter.place AND lower(body.fields) LIKE '%' || lower(CAST(",
                Value::Text(Some(text)),
                " AS text)) || '%' ESCAPE '\\')",
            ),
            Listed::Refusals => (
                "lower(fields) LIKE '%' || lower(CAST(",
                Value::Text(Some(text)),
                " AS text)) || '%' ESCAPE '\\'",
            ),
        });
        all.add(filter.mapping_below, |version| {
            ("mapping_version < ", Value::Int4(Some(version)), "")
        });
        all.add(filter.before, |time| {
            ("first_failed_ms < ", Value::Int8(Some(time.as_millis())), "")
        });
        all.add(filter.since, |time| {
            ("first_failed_ms >= ", Value::Int8(Some(time.as_millis())), "")
        });
        all
    }

    fn add<T>(&mut self, limit: Option<T>, condition: impl FnOnce(T) -> (&'static str, Value<'v>, &'static str)) {
        if let Some(limit) = limit {
            let (before, value, behind) = condition(limit);
            let placeholder = self.placeholder(value);
            let _ = write!(self.sql, " AND {before}{placeholder}{behind}");
        }
    }

    fn placeholder(&mut self, value: Value<'v>) -> String {
        self.parameters.push(value);
        format!("${}", self.parameters.len())
    }
}

/// The letters of a filter, refusals among them, those first that failed first.
pub(crate) async fn letters(session: &impl Session, filter: &LetterFilter, page: &LetterPage) -> Result<Vec<Letter>, Failure> {
    // What has a special meaning to LIKE is meant as it is written.
    let filter = LetterFilter {
        text: filter
            .text
            .as_deref()
            .map(|text| text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")),
        ..filter.clone()
    };
    let mut letters = listed(session, Listed::DeadLetters, (&filter, page)).await?;
    letters.extend(listed(session, Listed::Refusals, (&filter, page)).await?);
    letters.sort_by_cached_key(Letter::place);
    letters.truncate(page.limit as usize);
    Ok(letters)
}

async fn listed(session: &impl Session, listed: Listed, (filter, page): (&LetterFilter, &LetterPage)) -> Result<Vec<Letter>, Failure> {
    let mut conditions = Conditions::of(filter, listed);
    if let Some((time, id)) = &page.after {
        let mut place = vec![Value::Int8(Some(time.as_millis()))];
        place.extend(id_values(id));
        let place: Vec<String> = place.into_iter().map(|value| conditions.placeholder(value)).collect();
        let _ = write!(
            conditions.sql,
            " AND (first_failed_ms, topic, generation, partition, place) > ({})",
            place.join(", ")
        );
    }
    let limit = conditions.placeholder(Value::Int8(Some(page.limit.into())));
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE {} ORDER BY first_failed_ms, topic, generation, partition, place LIMIT {limit}",
        listed.table(),
        conditions.sql
    );
    let rows = session.ask(&sql, &conditions.parameters).await?;
    rows.into_iter().map(|mut row| read_letter(&mut row)).collect()
}

/// One letter with what it holds.
pub(crate) async fn letter(session: &impl Session, id: &LetterId) -> Result<Option<(Letter, LetterBody)>, Failure> {
    let this = "topic = $1 AND generation = $2 AND partition = $3 AND place = $4";
    let sql = format!("SELECT {COLUMNS} FROM dead_letter WHERE {this}");
    let Some(mut row) = session.ask(&sql, &id_values(id)).await?.into_iter().next() else {
        return refusal(session, id).await;
    };
    let letter = read_letter(&mut row)?;
    let sql = format!("SELECT record_key, record_value, headers, fields FROM letter_body WHERE {this}");
    let body = match session.ask(&sql, &id_values(id)).await?.into_iter().next() {
        Some(mut row) => LetterBody {
            key: row.bytes()?,
            value: row.bytes()?,
            headers: present(row.text()?, "headers")?,
            fields: row.text()?,
        },
        // Its report is known to be filed, and it was not read yet.
        None => LetterBody {
            key: None,
            value: None,
            headers: "[]".to_owned(),
            fields: None,
        },
    };
    Ok(Some((letter, body)))
}

/// A refusal as a letter. What was refused is no record of a report any more: only its fields are there.
async fn refusal(session: &impl Session, id: &LetterId) -> Result<Option<(Letter, LetterBody)>, Failure> {
    let this = "topic = $1 AND generation = $2 AND partition = $3 AND place = $4";
    let sql = format!("SELECT {COLUMNS}, fields FROM refused_letter WHERE {this}");
    let row = session.ask(&sql, &id_values(id)).await?.into_iter().next();
    let read = |mut row: Row| {
        let letter = read_letter(&mut row)?;
        let body = LetterBody {
            key: None,
            value: None,
            headers: "[]".to_owned(),
            fields: row.text()?,
        };
        Ok((letter, body))
    };
    row.map(read).transpose()
}

/// The problems with open letters, refusals among them, those with the most letters first.
pub(crate) async fn groups(session: &impl Session, limit: u32) -> Result<Vec<LetterGroup>, Failure> {
    let sql = "SELECT known.group_id, known.source, known.reason, known.field, known.identities, counted.letters, counted.oldest FROM
            (SELECT group_id, count(*) AS letters, min(first_failed_ms) AS oldest FROM dead_letter WHERE state = 'open'
                GROUP BY group_id ORDER BY letters DESC, group_id LIMIT $1) AS counted
            JOIN letter_group AS known ON known.group_id = counted.group_id
        ORDER BY counted.letters DESC, known.group_id";
    // Refusals about one result are one problem.
    let refused = "SELECT group_id, source, reason, NULL, '[]', count(*) AS letters, min(first_failed_ms) FROM refused_letter
        WHERE state = 'open' GROUP BY group_id, source, reason ORDER BY letters DESC, group_id LIMIT $1";
    let limits = [Value::Int8(Some(limit.into()))];
    let mut rows = session.ask(sql, &limits).await?;
    rows.extend(session.ask(refused, &limits).await?);
    let read = |mut row: Row| {
        Ok(LetterGroup {
            group_id: read_group_id(&mut row)?,
            source: present(row.text()?, "source")?,
            reason: present(row.text()?, "reason")?,
            field: row.text()?,
            identities: read_identities(row.text()?)?,
            letters: present(row.int8()?, "count")?.unsigned_abs(),
            oldest: time(&mut row)?,
        })
    };
    let mut groups = rows.into_iter().map(read).collect::<Result<Vec<LetterGroup>, Failure>>()?;
    groups.sort_by_key(|group| (std::cmp::Reverse(group.letters), group.group_id));
    groups.truncate(limit as usize);
    Ok(groups)
}

/// What a problem is about; `None` where there is none of this name.
pub(crate) async fn group(session: &impl Session, group_id: &[u8; 16]) -> Result<Option<WaitingGroup>, Failure> {
    let sql = "SELECT group_id, source, identities FROM letter_group WHERE group_id = $1";
    let rows = session.ask(sql, &[Value::Bytes(Some(group_id))]).await?;
    rows.into_iter().next().map(read_waiting_group).transpose()
}

pub(super) fn read_waiting_group(mut row: Row) -> Result<WaitingGroup, Failure> {
    Ok(WaitingGroup {
        group_id: read_group_id(&mut row)?,
        source: present(row.text()?, "source")?,
        identities: read_identities(row.text()?)?,
    })
}

/// Where the reports first appeared that say something of a result, refused ones included.
pub(crate) async fn origins_of(session: &impl Session, result_id: ResultId) -> Result<Vec<Origin>, Failure> {
    let all = ["training_record", "score_history", "refused_score"].map(|table| (table, "origin_offset IS NOT NULL"));
    origins(session, result_id, all).await
}

/// The last of them that names an employee and counts, or would if somebody decided. What was taken back does not count.
pub(crate) async fn last_naming_report(session: &impl Session, result_id: ResultId) -> Result<Option<Origin>, Failure> {
    let stands = |table: &str| {
        let taken_back = ["training_record", "score_history"].map(|by| {
            format!(
                "NOT EXISTS (SELECT 1 FROM {by} AS later WHERE later.result_id = {table}.result_id
                    AND later.origin_generation = {table}.origin_generation AND later.origin_partition = {table}.origin_partition
                    AND later.origin_offset = {table}.origin_offset AND later.revision_scheme = 0
                    AND later.mapping_version > {table}.mapping_version)"
            )
        });
        format!("employee_no IS NOT NULL AND {}", taken_back.join(" AND "))
    };
    let [record, history, refused] = ["training_record", "score_history", "refused_score"].map(stands);
    let naming = [
        ("training_record", record.as_str()),
        ("score_history", &history),
        ("refused_score", &format!("{refused} AND reason = 'owner_changed'")),
    ];
    Ok(origins(session, result_id, naming).await?.last().copied())
}

async fn origins(session: &impl Session, result_id: ResultId, tables: [(&str, &str); 3]) -> Result<Vec<Origin>, Failure> {
    let id = Value::Id(Some(*result_id.as_uuid()));
    let mut origins = Vec::new();
    for (table, condition) in tables {
        let sql = format!("SELECT origin_generation, origin_partition, origin_offset FROM {table} WHERE result_id = $1 AND {condition}");
        for mut row in session.ask(&sql, &[id]).await? {
            origins.push(Origin {
                generation: present(row.int4()?, "generation")?,
                partition: present(row.int4()?, "partition")?,
                offset: present(row.int8()?, "offset")?,
            });
        }
    }
    origins.sort_unstable();
    origins.dedup();
    Ok(origins)
}

/// By which decision the owner of each of these results was found, of those that have one.
pub(crate) async fn owner_decisions(session: &impl Session, results: &[ResultId]) -> Result<Vec<(ResultId, i64)>, Failure> {
    let sql = "SELECT owner_decision FROM training_record WHERE result_id = $1";
    let mut decisions = Vec::new();
    for result_id in results {
        for mut row in session.ask(sql, &[Value::Id(Some(*result_id.as_uuid()))]).await? {
            decisions.push((*result_id, present(row.int8()?, "decision")?));
        }
    }
    Ok(decisions)
}

/// The owners of the records that were matched by a person's decision of this kind.
pub(crate) async fn owners_matched_by(session: &impl Session, matched_by: &str) -> Result<Vec<String>, Failure> {
    let sql = "SELECT DISTINCT owner_employee_no FROM training_record
        WHERE matched_by = $1 AND matched_by LIKE 'alias:%' AND owner_employee_no IS NOT NULL ORDER BY owner_employee_no";
    let rows = session.ask(sql, &[Value::Text(Some(matched_by))]).await?;
    rows.into_iter().map(|mut row| present(row.text()?, "employee number")).collect()
}

/// How many letters are open, by source and reason, and since when.
pub(crate) async fn open(session: &impl Session) -> Result<OpenLetters, Failure> {
    let sql = "SELECT source, reason, count(*), min(first_failed_ms) FROM dead_letter WHERE state = 'open' GROUP BY source, reason";
    let read = |mut row: Row| {
        let place = (present(row.text()?, "source")?, present(row.text()?, "reason")?);
        Ok((place, (present(row.int8()?, "count")?.unsigned_abs(), time(&mut row)?)))
    };
    session.ask(sql, &[]).await?.into_iter().map(read).collect()
}

/// How many letters are open that a field mapping could not read, by source and the mapping's version.
pub(crate) async fn unread_by_mapping(session: &impl Session) -> Result<Vec<(String, i32, u64)>, Failure> {
    let sql = "SELECT source, mapping_version, count(*) FROM dead_letter WHERE state = 'open' AND mapping_version IS NOT NULL
            AND reason IN ('missing_field', 'invalid_field', 'ambiguous_field', 'unparsed')
        GROUP BY source, mapping_version ORDER BY source, mapping_version";
    let read = |mut row: Row| {
        let (source, version) = (present(row.text()?, "source")?, present(row.int4()?, "mapping version")?);
        Ok((source, version, present(row.int8()?, "count")?.unsigned_abs()))
    };
    session.ask(sql, &[]).await?.into_iter().map(read).collect()
}

/// How many letters there are in each state.
pub(crate) async fn states(session: &impl Session) -> Result<Vec<(String, u64)>, Failure> {
    let sql = "SELECT state, count(*) FROM dead_letter GROUP BY state ORDER BY state";
    let read = |mut row: Row| Ok((present(row.text()?, "state")?, present(row.int8()?, "count")?.unsigned_abs()));
    session.ask(sql, &[]).await?.into_iter().map(read).collect()
}

fn read_letter(row: &mut Row) -> Result<Letter, Failure> {
    Ok(Letter {
        id: read_id(row)?,
        family: named(row.text()?, "family")?,
        state: named(row.text()?, "state")?,
        reason: present(row.text()?, "reason")?,
        message: present(row.text()?, "message")?,
        source: present(row.text()?, "source")?,
        attempt: present(row.int4()?, "attempt")?.unsigned_abs(),
        first_failed_at: time(row)?,
        last_failed_at: time(row)?,
        group_id: read_group_id(row)?,
        result_id: row.id()?.map(ResultId::from_uuid),
        mapping_version: row.int4()?,
        received_at: row.int8()?.map(Timestamp::from_millis),
        requested_by: row.text()?,
        closed_at: row.int8()?.map(Timestamp::from_millis),
        closed_by: row.text()?,
        closing_reason: row.text()?,
    })
}

pub(crate) fn read_id(row: &mut Row) -> Result<LetterId, Failure> {
    Ok(LetterId {
        topic: present(row.text()?, "topic")?,
        origin: Origin {
            generation: present(row.int4()?, "generation")?,
            partition: present(row.int4()?, "partition")?,
            offset: present(row.int8()?, "offset")?,
        },
    })
}

pub(super) fn read_group_id(row: &mut Row) -> Result<[u8; 16], Failure> {
    present(row.bytes()?.and_then(|bytes| bytes.try_into().ok()), "group")
}

fn time(row: &mut Row) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_millis(present(row.int8()?, "time")?))
}

pub(super) fn read_identities(json: Option<String>) -> Result<Vec<IdentityKey>, Failure> {
    let json = present(json, "list of identities")?;
    let all: Option<Vec<serde_json::Value>> = serde_json::from_str(&json).ok();
    let read = |identity: serde_json::Value| {
        let text = |name: &str| identity[name].as_str().map(str::to_owned);
        Some((text("kind")?.parse().ok()?, text("system"), text("value")?))
    };
    let all = all.and_then(|all| all.into_iter().map(read).collect());
    present(all, "list of identities")
}
