//! What is known of a result, small enough to be written to disk.

use scoresync_archive::SurveyedRecord;
use scoresync_domain::{EnrichedScore, Origin, rule::Statement};
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
    Former(Box<Statement>),
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
    pub(crate) stated: Statement,
}

/// A record of the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Archived {
    pub(crate) source: Option<String>,
    pub(crate) is_in_scope: bool,
    pub(crate) view: View,
    /// When its report was received.
    pub(crate) received_ms: i64,
    pub(crate) stated: Statement,
}

/// What a row of the list says, if it were reported now: behind everything that was said, in the order of the list.
fn stated_by_row(score: &EnrichedScore<'_>, place: RowPlace) -> Statement {
    let origin = Origin {
        generation: i32::MAX,
        partition: i32::try_from(place.file).unwrap_or(i32::MAX),
        offset: i64::try_from(place.row).unwrap_or(i64::MAX),
    };
    Statement {
        origin,
        ..score.statement()
    }
}

impl Listed {
    pub(crate) fn of(score: &EnrichedScore<'_>, place: RowPlace, is_in_scope: bool) -> Self {
        Self {
            file: place.file,
            row: place.row,
            is_in_scope,
            view: View::of_row(score),
            stated: stated_by_row(score, place),
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
            stated: record.head.statement(None),
        }
    }
}
