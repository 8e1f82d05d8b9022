//! What is known of a result, small enough to be written to disk.

use scoresync_archive::SurveyedRecord;
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
    /// A letter about it is open.
    Waiting,
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
    /// What of it the archive's rule looks at beside that.
    status: u8,
    content_hash: [u8; 16],
    decision: i64,
    mapping_version: i32,
    is_correction: bool,
}

/// A record of the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Archived {
    pub(crate) source: Option<String>,
    pub(crate) is_in_scope: bool,
    pub(crate) view: View,
    origin: (i32, i32, i64),
}

impl Listed {
    pub(crate) fn of(score: &EnrichedScore<'_>, place: RowPlace, is_in_scope: bool) -> Self {
        Self {
            file: place.file,
            row: place.row,
            is_in_scope,
            view: View::of_row(score),
            status: Status::ALL.iter().position(|status| *status == score.status).unwrap_or_default() as u8,
            content_hash: score.content_hash.0,
            decision: score.decision,
            mapping_version: score.mapping_version,
            is_correction: score.repeat == Repeat::Correction,
        }
    }

    pub(crate) const fn place(&self) -> RowPlace {
        RowPlace {
            file: self.file,
            row: self.row,
        }
    }

    /// As the archive's rule would see it if it were reported now, in the order of the list, whose employee has the number that follows from
    /// `replaced_by`.
    pub(crate) fn statement(&self, employee_no: Option<String>) -> Statement {
        Statement {
            origin: Origin {
                generation: 0,
                partition: i32::try_from(self.file).unwrap_or(i32::MAX),
                offset: i64::try_from(self.row).unwrap_or(i64::MAX),
            },
            mapping_version: self.mapping_version,
            decision: self.decision,
            employee_no,
            status: Status::ALL[usize::from(self.status).min(Status::ALL.len() - 1)],
            revision_scheme: self.view.revision_scheme,
            revision: self.view.revision,
            content_hash: ContentHash(self.content_hash),
            repeat: if self.is_correction {
                Repeat::Correction
            } else {
                Repeat::Redelivery
            },
        }
    }
}

impl Archived {
    pub(crate) fn of(record: &SurveyedRecord, is_in_scope: bool) -> Self {
        let origin = record.head.origin;
        Self {
            source: record.shown.as_ref().map(|(_, content)| content.source.to_string()),
            is_in_scope,
            view: View::of_record(record),
            origin: (origin.generation, origin.partition, origin.offset),
        }
    }

    pub(crate) const fn origin(&self) -> Origin {
        Origin {
            generation: self.origin.0,
            partition: self.origin.1,
            offset: self.origin.2,
        }
    }
}
