//! The whole archive as it is at one moment, row by row, for whoever checks it against what it was made from.

use std::ops::ControlFlow;

use scoresync_domain::{ContentHash, LetterState, ResultId, Status};

use crate::{
    Content, EnrichedPosition, FateCount, Head, LetterId, Position, RefusedScore,
    error::Failure,
    judging::{KnownHistory, KnownRecord},
    letters::{Row, Session, read_id},
    read::{FATE_COUNTS, read_fate_count, read_position, refused_after, start},
    table::{RowReader, Value, history_columns, named, present, read_history, read_record, read_refused, record_columns},
};

/// Rows that are read at once.
const PAGE: i64 = 2_000;

/// A row of the archive.
#[derive(Clone, Debug, PartialEq)]
pub enum Surveyed {
    /// Where the sink goes on in a partition.
    SinkPosition(Position),
    /// Where the desk goes on in a partition.
    DeskPosition(Position),
    /// How many positions of a partition came to a fate.
    Fates(FateCount),
    /// An employee whose place somebody else took.
    Replaced {
        /// Whose.
        employee_no: String,
        /// By whom.
        successor: String,
    },
    /// An employee whose place somebody else took once, and does not any more, or who was erased since.
    FormerlyReplaced {
        /// Whose.
        employee_no: String,
        /// By whom.
        successor: String,
    },
    /// What stands in a file.
    Record(Box<SurveyedRecord>),
    /// What counts or counted beside it.
    History(Box<SurveyedHistory>),
    /// What was not let count.
    Refused(Box<RefusedScore>),
    /// What became of a dead letter.
    Letter {
        /// Which.
        id: LetterId,
        /// What became of it.
        state: LetterState,
        /// The result that its report is about; where it names none, what its key says.
        about: Option<ResultId>,
    },
    /// A letter that a person closed; it may be forgotten since.
    Discarded(LetterId),
}

/// A result's record as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyedRecord {
    /// The result.
    pub result_id: ResultId,
    /// The statement that is the record.
    pub head: Head<'static>,
    /// In whose file it stands, as the deciding statement named them.
    pub owner_employee_no: Option<String>,
    /// The decision that named the owner, or 0.
    pub owner_decision: i64,
    /// Status and hash of the version that is shown instead of a withdrawn record.
    pub shown_instead: Option<(Status, ContentHash)>,
    /// What is shown, and the number under which others refer to it.
    pub shown: Option<(i32, Content<'static>)>,
}

/// A row of a result's history as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyedHistory {
    /// The result.
    pub result_id: ResultId,
    /// The statement.
    pub head: Head<'static>,
    /// The number of its content among the result's.
    pub content_number: i32,
    /// Its content, where no other row has it.
    pub content: Option<Content<'static>>,
}

/// Shows all of it, positions and counts first, until there is no more or `visit` has enough.
pub(crate) async fn survey(session: &impl Session, visit: &mut (dyn FnMut(Surveyed) -> ControlFlow<()> + Send)) -> Result<(), Failure> {
    let mut survey = Survey { session, visit };
    let shown = async {
        survey.positions("consumer_position", Surveyed::SinkPosition).await?;
        survey.positions("desk_position", Surveyed::DeskPosition).await?;
        survey
            .rows(FATE_COUNTS, &[], |row| read_fate_count(row).map(Surveyed::Fates))
            .await?;
        survey.replaced().await?;
        survey.formerly_replaced().await?;
        survey.records().await?;
        survey.history().await?;
        survey.refused().await?;
        survey.letters().await
    };
    match shown.await {
        Ok(()) | Err(Stop::Enough) => Ok(()),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

enum Stop {
    Enough,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

struct Survey<'s, S> {
    session: &'s S,
    visit: &'s mut (dyn FnMut(Surveyed) -> ControlFlow<()> + Send),
}

impl<S: Session> Survey<'_, S> {
    /// Shows the rows of a query; says what the last of them was, where there can be more.
    async fn rows(
        &mut self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&mut Row) -> Result<Surveyed, Failure>,
    ) -> Result<Option<Surveyed>, Stop> {
        let rows = self.session.ask(sql, parameters).await?;
        let count = rows.len();
        let mut last = None;
        for (number, mut row) in rows.into_iter().enumerate() {
            let row = read(&mut row)?;
            if number + 1 == count && count as i64 == PAGE {
                last = Some(row.clone());
            }
            if (self.visit)(row).is_break() {
                return Err(Stop::Enough);
            }
        }
        Ok(last)
    }

    async fn positions(&mut self, table: &str, of: impl Fn(Position) -> Surveyed) -> Result<(), Stop> {
        let sql = format!("SELECT topic, generation, partition, topic_id, next_offset, partition_count, schemas FROM {table}");
        let read = |row: &mut Row| {
            let (topic, generation) = (present(row.text()?, "topic")?, present(row.int4()?, "generation")?);
            read_position(row, &topic, generation).map(&of)
        };
        self.rows(&sql, &[], read).await.map(drop)
    }

    async fn replaced(&mut self) -> Result<(), Stop> {
        let sql =
            "SELECT employee_no, successor FROM employee WHERE successor IS NOT NULL AND employee_no > $1 ORDER BY employee_no LIMIT $2";
        let mut after = String::new();
        loop {
            let parameters = [Value::Text(Some(&after)), Value::Int8(Some(PAGE))];
            let read = |row: &mut Row| {
                Ok(Surveyed::Replaced {
                    employee_no: present(row.text()?, "employee number")?,
                    successor: present(row.text()?, "employee number")?,
                })
            };
            match self.rows(sql, &parameters, read).await? {
                Some(Surveyed::Replaced { employee_no, .. }) => after = employee_no,
                _ => return Ok(()),
            }
        }
    }

    async fn formerly_replaced(&mut self) -> Result<(), Stop> {
        let key = "employee_no, successor";
        let sql = format!("SELECT {key} FROM former_successor WHERE ({key}) > ($1, $2) ORDER BY {key} LIMIT $3");
        let mut after = [String::new(), String::new()];
        loop {
            let [employee_no, successor] = after.each_ref().map(|text| Value::Text(Some(text)));
            let parameters = [employee_no, successor, Value::Int8(Some(PAGE))];
            let read = |row: &mut Row| {
                Ok(Surveyed::FormerlyReplaced {
                    employee_no: present(row.text()?, "employee number")?,
                    successor: present(row.text()?, "employee number")?,
                })
            };
            match self.rows(&sql, &parameters, read).await? {
                Some(Surveyed::FormerlyReplaced { employee_no, successor }) => after = [employee_no, successor],
                _ => return Ok(()),
            }
        }
    }

    async fn records(&mut self) -> Result<(), Stop> {
        let sql = format!(
            "SELECT {} FROM training_record WHERE result_id > $1 ORDER BY result_id LIMIT $2",
            record_columns()
        );
        let mut after = uuid::Uuid::nil();
        loop {
            let parameters = [Value::Id(Some(after)), Value::Int8(Some(PAGE))];
            let read = |row: &mut Row| read_record(row).map(|record| Surveyed::Record(Box::new(record.into())));
            match self.rows(&sql, &parameters, read).await? {
                Some(Surveyed::Record(record)) => after = *record.result_id.as_uuid(),
                _ => return Ok(()),
            }
        }
    }

    async fn history(&mut self) -> Result<(), Stop> {
        let key = "result_id, origin_generation, origin_partition, origin_offset, mapping_version, decision, (coalesce(employee_no, ''))";
        let sql = format!(
            "SELECT {} FROM score_history WHERE ({key}) > ($1, $2, $3, $4, $5, $6, $7) ORDER BY {key} LIMIT $8",
            history_columns()
        );
        let mut after = None;
        loop {
            let (result_id, head) = match &after {
                Some(SurveyedHistory { result_id, head, .. }) => (*result_id.as_uuid(), Some(head)),
                None => (uuid::Uuid::nil(), None),
            };
            let origin = head.map(|head| head.origin);
            let parameters = [
                Value::Id(Some(result_id)),
                Value::Int4(Some(origin.map_or(i32::MIN, |origin| origin.generation))),
                Value::Int4(Some(origin.map_or(i32::MIN, |origin| origin.partition))),
                Value::Int8(Some(origin.map_or(i64::MIN, |origin| origin.offset))),
                Value::Int4(Some(head.map_or(i32::MIN, |head| head.mapping_version))),
                Value::Int8(Some(head.map_or(i64::MIN, |head| head.decision))),
                Value::Text(Some(head.and_then(|head| head.employee_no.as_deref()).unwrap_or_default())),
                Value::Int8(Some(PAGE)),
            ];
            let read = |row: &mut Row| read_history(row).map(|history| Surveyed::History(Box::new(history.into())));
            match self.rows(&sql, &parameters, read).await? {
                Some(Surveyed::History(last)) => after = Some(*last),
                _ => return Ok(()),
            }
        }
    }

    async fn refused(&mut self) -> Result<(), Stop> {
        let sql = refused_after(["$1", "$2", "$3", "$4"]);
        let mut after: Option<EnrichedPosition> = None;
        loop {
            let (generation, partition, offset) = start(after);
            let parameters = [
                Value::Int4(Some(generation)),
                Value::Int4(Some(partition)),
                Value::Int8(Some(offset)),
                Value::Int8(Some(PAGE)),
            ];
            let read = |row: &mut Row| read_refused(row).map(|refused| Surveyed::Refused(Box::new(refused)));
            match self.rows(&sql, &parameters, read).await? {
                Some(Surveyed::Refused(last)) => after = Some(last.position),
                _ => return Ok(()),
            }
        }
    }

    async fn letters(&mut self) -> Result<(), Stop> {
        let key = "topic, generation, partition, place";
        let record_key =
            "(SELECT record_key FROM letter_body AS body WHERE body.topic = letter.topic AND body.generation = letter.generation
            AND body.partition = letter.partition AND body.place = letter.place)";
        let letters = format!(
            "SELECT {key}, state, result_id, CASE WHEN result_id IS NULL THEN {record_key} END FROM dead_letter AS letter
            WHERE ({key}) > ($1, $2, $3, $4) ORDER BY {key} LIMIT $5"
        );
        let read = |row: &mut Row| {
            Ok(Surveyed::Letter {
                id: read_id(row)?,
                state: named(row.text()?, "state")?,
                about: row.id()?.map(ResultId::from_uuid).or(result_of_key(row.bytes()?)),
            })
        };
        self.by_letter(&letters, read).await?;
        let discarded = format!(
            "SELECT DISTINCT {key} FROM desk_event WHERE action = 'discard' AND ({key}) > ($1, $2, $3, $4) ORDER BY {key} LIMIT $5"
        );
        self.by_letter(&discarded, |row: &mut Row| read_id(row).map(Surveyed::Discarded))
            .await
    }

    async fn by_letter(&mut self, sql: &str, read: impl Fn(&mut Row) -> Result<Surveyed, Failure>) -> Result<(), Stop> {
        let mut after: Option<LetterId> = None;
        loop {
            let topic = after.as_ref().map_or("", |id| &id.topic);
            let origin = after.as_ref().map(|id| id.origin);
            let parameters = [
                Value::Text(Some(topic)),
                Value::Int4(Some(origin.map_or(i32::MIN, |origin| origin.generation))),
                Value::Int4(Some(origin.map_or(i32::MIN, |origin| origin.partition))),
                Value::Int8(Some(origin.map_or(i64::MIN, |origin| origin.offset))),
                Value::Int8(Some(PAGE)),
            ];
            match self.rows(sql, &parameters, &read).await? {
                Some(Surveyed::Letter { id, .. } | Surveyed::Discarded(id)) => after = Some(id),
                _ => return Ok(()),
            }
        }
    }
}

/// The id that a report's key is.
fn result_of_key(key: Option<Vec<u8>>) -> Option<ResultId> {
    uuid::Uuid::try_parse_ascii(&key?).ok().map(ResultId::from_uuid)
}

impl From<(ResultId, KnownRecord)> for SurveyedRecord {
    fn from((result_id, record): (ResultId, KnownRecord)) -> Self {
        Self {
            result_id,
            head: record.head,
            owner_employee_no: record.owner_employee_no,
            owner_decision: record.owner_decision,
            shown_instead: record.shown_instead,
            shown: record.shown,
        }
    }
}

impl From<(ResultId, KnownHistory)> for SurveyedHistory {
    fn from((result_id, history): (ResultId, KnownHistory)) -> Self {
        Self {
            result_id,
            head: history.head,
            content_number: history.content_number,
            content: history.content.map(|content| *content),
        }
    }
}
