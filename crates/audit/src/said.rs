//! What is known of a result, small enough to be written to disk: what was said of it, and what the archive made of that.

use std::collections::HashMap;

use scoresync_archive::{Content, EnrichedPosition, Head, RefusedStatement, SurveyedHistory, SurveyedRecord};
use scoresync_domain::{EnrichedScore, Origin, Score, Status, Timestamp, rule::Statement};
use serde::{Deserialize, Serialize};

use crate::standing::Standing;

/// BLAKE3, cut to 16 bytes.
pub(crate) type Hash = [u8; 16];

/// Something about a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Item {
    Said(Said),
    Record(Record),
    History(History),
    Refused(Refused),
}

/// Generation, partition and offset in `scores.enriched`.
pub(crate) type Place = (i32, i32, i64);

/// An enriched score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) place: Place,
    /// With the employee as it is written.
    pub(crate) stated: Statement,
    pub(crate) head: Hash,
    pub(crate) content: Hash,
    pub(crate) course: Course,
}

/// A row of `training_record`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) standing: Standing,
    number: Option<i32>,
}

/// What a record shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) status: u8,
    pub(crate) content_hash: Hash,
    pub(crate) content: Hash,
    pub(crate) course: Course,
}

/// A row of `score_history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    pub(crate) arrived: Place,
    pub(crate) head: Hash,
    number: i32,
    content: Option<Hash>,
}

/// In milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

/// A row of `refused_score`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) place: Place,
    /// Because it names somebody else than the owner; otherwise the database has a constraint against it.
    pub(crate) is_by_owner: bool,
    pub(crate) head: Hash,
    pub(crate) content: Hash,
}

/// Source, course and day of the exam.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Course {
    pub(crate) source: String,
    pub(crate) course_id: String,
    pub(crate) day: i64,
}

impl Said {
    pub(crate) fn of(score: &EnrichedScore<'_>, arrived: EnrichedPosition) -> Self {
        let (head, content) = (Head::of(score, arrived), Content::of(score));
        Self {
            place: place(arrived),
            stated: head.statement(head.employee_no.as_deref().map(str::to_owned)),
            head: hash_head(&head),
            content: hash_content(&content),
            course: Course::of(&content),
        }
    }

    pub(crate) const fn origin(&self) -> Origin {
        self.stated.origin
    }

    pub(crate) fn employee_no(&self) -> Option<&str> {
        self.stated.employee_no.as_deref()
    }

    /// As the rule sees it, with the employee that `replaced_by` leads to.
    pub(crate) fn statement(&self, employee_no: Option<String>) -> Statement {
        Statement {
            employee_no,
            ..self.stated.clone()
        }
    }

    /// Whether both are one output, written twice.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        let output = |said: &Self| (said.origin(), said.stated.mapping_version, said.stated.decision);
        output(self) == output(other) && self.stated.employee_no == other.stated.employee_no
    }

    /// Whether a person decided whose it is.
    pub(crate) const fn is_decided(&self) -> bool {
        self.stated.decision != 0
    }

    /// What a record shows that shows this.
    pub(crate) fn shown(&self) -> Shown {
        Shown {
            status: status(self.stated.status),
            content_hash: self.stated.content_hash.0,
            content: self.content,
            course: self.course.clone(),
        }
    }
}

impl Record {
    pub(crate) fn of(row: &SurveyedRecord) -> Self {
        let (shown_status, shown_hash) = row.shown_instead.unwrap_or((row.head.status, row.head.content_hash));
        Self {
            standing: Standing {
                arrived: place(row.head.arrived),
                head: hash_head(&row.head),
                owner: row.owner_employee_no.clone(),
                decision: row.owner_decision,
                shown: row.shown.as_ref().map(|(_, content)| Shown {
                    status: status(shown_status),
                    content_hash: shown_hash.0,
                    content: hash_content(content),
                    course: Course::of(content),
                }),
            },
            number: row.shown.as_ref().map(|(number, _)| *number),
        }
    }
}

impl History {
    pub(crate) fn of(row: &SurveyedHistory) -> Self {
        Self {
            arrived: place(row.head.arrived),
            head: hash_head(&row.head),
            number: row.content_number,
            content: row.content.as_ref().map(hash_content),
        }
    }

    /// Its content, which can stand in another row of the result.
    pub(crate) fn content(&self, contents: &HashMap<i32, Hash>) -> Option<Hash> {
        self.content.or_else(|| contents.get(&self.number).copied())
    }
}

/// The contents of a result by their numbers; where several rows have one, the first of the history.
pub(crate) fn contents(record: Option<&Record>, history: &[History]) -> HashMap<i32, Hash> {
    let in_history = history.iter().filter_map(|row| Some((row.number, row.content?)));
    let in_record = record.and_then(|record| Some((record.number?, record.standing.shown.as_ref()?.content)));
    let mut contents = HashMap::new();
    for (number, content) in in_history.chain(in_record) {
        contents.entry(number).or_insert(content);
    }
    contents
}

impl Refused {
    pub(crate) fn of(statement: &RefusedStatement, (place, is_by_owner): (Place, bool)) -> Self {
        Self {
            place,
            is_by_owner,
            head: hash_head(&statement.head),
            content: hash_content(&statement.content),
        }
    }
}

impl Course {
    fn of(content: &Content<'_>) -> Self {
        Self {
            source: content.source.to_string(),
            course_id: content.course_id.as_deref().unwrap_or_default().to_owned(),
            day: content.finish_timestamp.map_or(i64::MIN, |time| time.as_millis().div_euclid(DAY)),
        }
    }
}

pub(crate) const fn place(position: EnrichedPosition) -> Place {
    (position.generation, position.partition, position.offset)
}

fn status(status: Status) -> u8 {
    Status::ALL.iter().position(|known| *known == status).unwrap_or_default() as u8
}

/// Sums up values, each of which tells itself apart from its neighbours.
#[derive(Default)]
struct Digest(blake3::Hasher);

impl Digest {
    fn text(&mut self, value: Option<&str>) {
        match value {
            None => self.integer(None),
            Some(value) => {
                self.integer(i64::try_from(value.len()).ok());
                self.0.update(value.as_bytes());
            }
        }
    }

    fn integer(&mut self, value: Option<i64>) {
        self.0.update(&[u8::from(value.is_some())]);
        self.0.update(&value.unwrap_or_default().to_le_bytes());
    }

    fn integers<const N: usize>(&mut self, values: [Option<i64>; N]) {
        for value in values {
            self.integer(value);
        }
    }

    fn hash(&self) -> Hash {
        let mut hash = [0; 16];
        hash.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        hash
    }
}

fn hash_head(head: &Head<'_>) -> Hash {
    let mut digest = Digest::default();
    digest.integers([
        Some(head.origin.generation.into()),
        Some(head.origin.partition.into()),
        Some(head.origin.offset),
        Some(head.mapping_version.into()),
        Some(head.decision),
        Some(head.revision_scheme.into()),
        head.revision,
        Some(head.received_at.as_millis()),
        Some(head.arrived.generation.into()),
        Some(head.arrived.partition.into()),
        Some(head.arrived.offset),
    ]);
    digest.text(head.employee_no.as_deref());
    digest.text(head.matched_by.as_deref());
    digest.text(Some(head.status.as_str()));
    digest.text(Some(head.repeat.as_str()));
    digest.0.update(&head.content_hash.0);
    digest.hash()
}

fn hash_content(content: &Content<'_>) -> Hash {
    let mut digest = Digest::default();
    digest.text(Some(&content.source));
    digest.text(Some(&content.system));
    for text in [
        &content.employee_name,
        &content.department,
        &content.position,
        &content.course_id,
        &content.course_title,
        &content.exam_id,
        &content.exam_title,
        &content.grade,
    ] {
        digest.text(text.as_deref());
    }
    let score = |score: Option<Score>| score.map(Score::as_millionths);
    digest.integers([
        content.attempt,
        score(content.exam_score),
        score(content.min_score),
        score(content.max_score),
        content.passed.map(i64::from),
        content.finish_timestamp.map(Timestamp::as_millis),
        Some(i64::from(content.rounded)),
    ]);
    digest.hash()
}
