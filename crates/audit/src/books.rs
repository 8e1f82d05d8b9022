//! What an audit has found.

use std::{collections::BTreeMap, fmt};

use scoresync_domain::{LetterState, Origin, ResultId, Timestamp};
use serde::Serialize;

use crate::{
    remedy::Remedy,
    said::{Course, DAY, Place},
};

/// So many findings are told one by one; all are counted.
const MOST_FINDINGS: usize = 1_000;

/// The books of an installation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Books {
    /// For each partition of `scores.raw`.
    pub partitions: Vec<PartitionBooks>,
    /// Results that the archive has.
    pub results: u64,
    /// Of those, results that cannot be judged, as the log of enriched scores does not hold all that they were made from.
    pub unverifiable_results: u64,
    /// Courses of a source on a day, each of which has a hash of all that stands in files about it.
    pub course_days: u64,
    /// Of those, the ones whose hashes are not as they must be, at most 1,000 of them.
    pub altered_course_days: Vec<CourseDay>,
    /// All of them together, in 32 hexadecimal digits: two archives with one hash hold the same.
    pub archive_hash: String,
    /// Dead letters by their state.
    pub letters: BTreeMap<&'static str, u64>,
    /// Everything that does not balance, at most 1,000 of them.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub finding_count: u64,
    /// What could not be looked at.
    pub notes: Vec<String>,
    /// What would put them right.
    #[serde(skip)]
    pub remedy: Remedy,
}

/// A course of a source on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CourseDay {
    /// The source.
    pub source: String,
    /// The course's id in its system.
    pub course_id: String,
    /// The day on which the exam was finished (UTC); `null` where no record says it.
    pub day: Option<String>,
}

/// What became of the reports that first appeared in one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PartitionBooks {
    /// Generation of the topic.
    pub generation: i32,
    /// Partition of the topic.
    pub partition: i32,
    /// Reports since the beginning of its log, redriven copies not counted.
    pub reports: u64,
    /// Those that changed a file.
    pub filed: u64,
    /// Those that said what was known.
    pub duplicate: u64,
    /// Those that came after what outranks them.
    pub superseded: u64,
    /// Those that the archive refused.
    pub refused: u64,
    /// Those that could not be mapped or matched.
    pub dead_lettered: u64,
    /// Those that are on their way.
    pub in_flight: u64,
    /// Those that came to nothing at all.
    pub lost: u64,
}

impl PartitionBooks {
    /// Adds another's numbers.
    pub fn add(&mut self, other: &Self) {
        self.reports += other.reports;
        self.filed += other.filed;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
        self.refused += other.refused;
        self.dead_lettered += other.dead_lettered;
        self.in_flight += other.in_flight;
        self.lost += other.lost;
    }
}

/// What does not balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A report was mapped, and there is neither an enriched score nor a dead letter.
    Lost,
    /// An output names a report that never was.
    Invented,
    /// A position stands where the log has nothing.
    Position,
    /// The counted fates are not those of the positions that were read.
    Fates,
    /// A result has no record.
    MissingRecord,
    /// A record is not what the rule makes of what was said.
    AlteredRecord,
    /// Nobody said anything of a result that has a record or a history.
    ExtraRecord,
    /// A statement is neither the record nor in the history.
    MissingHistory,
    /// The history holds what nobody said, or says it otherwise.
    ExtraHistory,
    /// What must be refused is not.
    MissingRefusal,
    /// What must not be refused is.
    ExtraRefusal,
    /// A dead letter has no state.
    MissingLetter,
    /// A letter is filed whose report is not.
    UnfiledLetter,
}

/// One thing that does not balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// Which item.
    #[serde(serialize_with = "as_text")]
    pub item: Item,
    /// In a sentence.
    pub text: String,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A report, by where it first appeared.
    Report(Origin),
    /// A report's dead letter.
    Letter(Origin),
    /// A result.
    Result(ResultId),
    /// An enriched score: generation, partition and offset.
    Score(Place),
    /// A topic, by its name.
    Topic(String),
    /// A partition of a topic.
    Partition {
        /// The topic's name.
        topic: String,
        /// Its generation.
        generation: i32,
        /// The partition.
        partition: i32,
    },
}

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(origin) => write!(formatter, "report {origin}"),
            Self::Letter(origin) => write!(formatter, "letter {origin}"),
            Self::Result(result_id) => write!(formatter, "result {result_id}"),
            Self::Score(place) => formatter.write_str(&written(*place)),
            Self::Topic(topic) => formatter.write_str(topic),
            Self::Partition {
                topic,
                generation,
                partition,
            } => write!(formatter, "{topic}:{generation}/{partition}"),
        }
    }
}

fn as_text<S: serde::Serializer>(item: &Item, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(item)
}

/// A place of an enriched score in words.
pub(crate) fn written((generation, partition, offset): Place) -> String {
    format!("scores.enriched:{generation}/{partition}/{offset}")
}

impl Books {
    /// Whether everything adds up.
    #[must_use]
    pub const fn balance(&self) -> bool {
        self.finding_count == 0
    }

    /// All partitions together.
    #[must_use]
    pub fn total(&self) -> PartitionBooks {
        let mut total = PartitionBooks::default();
        for partition in &self.partitions {
            total.add(partition);
        }
        total
    }

    pub(crate) fn find(&mut self, kind: FindingKind, item: Item, text: impl Into<String>) {
        self.finding_count += 1;
        self.remedy.add(kind, &item);
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding {
                kind,
                item,
                text: text.into(),
            });
        }
    }

    /// Each course day with the sums of what must stand in files and of what does.
    pub(crate) fn close_courses(&mut self, courses: BTreeMap<Course, [u128; 2]>) {
        self.course_days = courses.len() as u64;
        let is = courses.values().fold(0_u128, |sum, [_, is]| sum.wrapping_add(*is));
        self.archive_hash = format!("{is:032x}");
        let altered = courses.into_iter().filter(|(_, [must_be, is])| must_be != is);
        self.altered_course_days = altered.map(|(course, _)| course.into()).take(MOST_FINDINGS).collect();
    }

    pub(crate) fn count_letter(&mut self, state: LetterState) {
        *self.letters.entry(state.as_str()).or_default() += 1;
    }
}

impl From<Course> for CourseDay {
    fn from(course: Course) -> Self {
        let day = course.day.checked_mul(DAY).map(|time| Timestamp::from_millis(time).to_string());
        Self {
            source: course.source,
            course_id: course.course_id,
            day: day.map(|text| text.split('T').next().unwrap_or_default().to_owned()),
        }
    }
}
