//! What is known of a result, small enough to be written to disk.

use scoresync_archive::{Head, SurveyedRecord};
use scoresync_domain::{ContentHash, EnrichedScore, Origin, Repeat, Status, rule::Statement};
use serde::{Deserialize, Serialize};

use crate::{difference::RowPlace, view::View};

/// Something about a result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Item {
    /// A row of the list that can be mapped and matched.
    Listed(Box<Listed>),
    /// A row that cannot, and why.
    Unfit {
        file: u32,
        row: u64,
        why: String,
        is_in_scope: bool,
    },
    /// What stands in a file.
    Archived(Box<Archived>),
    /// What was said of it before.
    Former(Box<Stated>),
    /// A letter about it is open.
    Waiting,
    /// A person closed a letter about it as nothing.
    Discarded,
    /// The database did not take a score of it.
    Refused,
    /// A report about it has not come to the archive.
    InFlight,
}

/// A row of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    file: u32,
    row: u64,
    pub(crate) is_in_scope: bool,
    pub(crate) view: View,
    pub(crate) stated: Stated,
}

/// What the archive's rule looks at in a statement, but for whom it names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stated {
    origin: (i32, i32, i64),
    mapping_version: i32,
    decision: i64,
    status: u8,
    revision_scheme: i32,
    revision: Option<i64>,
    content_hash: [u8; 16],
    is_correction: bool,
}

/// A record of the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Archived {
    pub(crate) source: Option<String>,
    pub(crate) is_in_scope: bool,
    pub(crate) view: View,
    /// When its report was received.
    pub(crate) received_ms: i64,
    pub(crate) stated: Stated,
}

impl Stated {
    /// What a row of the list says, if it were reported now: behind everything that was said, in the order of the list.
    fn by_row(score: &EnrichedScore<'_>, place: RowPlace) -> Self {
        Self {
            origin: (
                i32::MAX,
                i32::try_from(place.file).unwrap_or(i32::MAX),
                i64::try_from(place.row).unwrap_or(i64::MAX),
            ),
            mapping_version: score.mapping_version,
            decision: score.decision,
            status: number_of(score.status),
            revision_scheme: score.revision_scheme,
            revision: score.revision,
            content_hash: score.content_hash.0,
            is_correction: score.repeat == Repeat::Correction,
        }
    }

    pub(crate) fn in_archive(head: &Head<'_>) -> Self {
        Self {
            origin: (head.origin.generation, head.origin.partition, head.origin.offset),
            mapping_version: head.mapping_version,
            decision: head.decision,
            status: number_of(head.status),
            revision_scheme: head.revision_scheme,
            revision: head.revision,
            content_hash: head.content_hash.0,
            is_correction: head.repeat == Repeat::Correction,
        }
    }

    pub(crate) const fn origin(&self) -> Origin {
        Origin {
            generation: self.origin.0,
            partition: self.origin.1,
            offset: self.origin.2,
        }
    }

    /// Naming somebody, or nobody.
    pub(crate) fn statement(&self, employee_no: Option<String>) -> Statement {
        Statement {
            origin: self.origin(),
            mapping_version: self.mapping_version,
            decision: self.decision,
            employee_no,
            status: Status::ALL[usize::from(self.status).min(Status::ALL.len() - 1)],
            revision_scheme: self.revision_scheme,
            revision: self.revision,
            content_hash: ContentHash(self.content_hash),
            repeat: if self.is_correction {
                Repeat::Correction
            } else {
                Repeat::Redelivery
            },
        }
    }
}

fn number_of(status: Status) -> u8 {
    Status::ALL.iter().position(|known| *known == status).unwrap_or_default() as u8
}

impl Listed {
    pub(crate) fn of(score: &EnrichedScore<'_>, place: RowPlace, is_in_scope: bool) -> Self {
        Self {
            file: place.file,
            row: place.row,
            is_in_scope,
            view: View::of_row(score),
            stated: Stated::by_row(score, place),
        }
    }

    pub(crate) const fn place(&self) -> RowPlace {
        RowPlace {
            file: self.file,
            row: self.row,
        }
    }
}

impl Archived {
    pub(crate) fn of(record: &SurveyedRecord, is_in_scope: bool) -> Self {
        Self {
            source: record.shown.as_ref().map(|(_, content)| content.source.to_string()),
            is_in_scope,
            view: View::of_record(record),
            received_ms: record.head.received_at.as_millis(),
            stated: Stated::in_archive(&record.head),
        }
    }
}
