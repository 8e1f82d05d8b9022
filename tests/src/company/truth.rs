//! What must become of reports and files, as the generator knows it from having made them.

use std::fmt;

use scoresync_domain::{Fate, Reason, Refusal};

/// What must become of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It changes the record.
    Filed,
    /// It says what is known.
    Duplicate,
    /// It says something new that does not win.
    Superseded,
    /// The archive does not let it count.
    Refused(Refusal),
    /// The mapper sets it aside.
    DeadLettered(Reason),
}

/// Where a report ends up. What the archive made of those that it took is known by counts alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// In an employee's file: filed, duplicate or superseded.
    Archive,
    /// Among the refusals.
    Refused(Refusal),
    /// Among the dead letters.
    DeadLettered(Reason),
}

impl Truth {
    /// The fate that the sink or the mapper counts.
    #[must_use]
    pub const fn fate(self) -> Fate {
        match self {
            Self::Filed => Fate::Filed,
            Self::Duplicate => Fate::Duplicate,
            Self::Superseded => Fate::Superseded,
            Self::Refused(_) => Fate::Refused,
            Self::DeadLettered(_) => Fate::DeadLettered,
        }
    }

    /// Where the report must be found.
    #[must_use]
    pub const fn destination(self) -> Destination {
        match self {
            Self::Filed | Self::Duplicate | Self::Superseded => Destination::Archive,
            Self::Refused(refusal) => Destination::Refused(refusal),
            Self::DeadLettered(reason) => Destination::DeadLettered(reason),
        }
    }

    /// What becomes of the same bytes when a source that retries sends them again.
    #[must_use]
    pub const fn when_redelivered(self) -> Self {
        match self {
            Self::Filed | Self::Duplicate | Self::Superseded => Self::Duplicate,
            Self::Refused(_) | Self::DeadLettered(_) => self,
        }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filed | Self::Duplicate | Self::Superseded => self.fate().fmt(formatter),
            Self::Refused(_) | Self::DeadLettered(_) => self.destination().fmt(formatter),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive => formatter.write_str("in the archive"),
            Self::Refused(refusal) => write!(formatter, "{}: {refusal}", Fate::Refused),
            Self::DeadLettered(reason) => write!(formatter, "{}: {reason}", Fate::DeadLettered),
        }
    }
}

/// One row of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// A text that is in the row's bytes, in a field that nobody maps. A row that is redelivered has the same one again.
    pub serial: String,
    /// What is dirty about its result; the text is for people.
    pub case: &'static str,
    /// The result that it speaks of, as a number in [`super::Company::results`].
    pub result: usize,
    /// What must become of it.
    pub truth: Truth,
}

/// What must be known of one result when all is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueResult {
    /// What is dirty about it.
    pub case: &'static str,
    /// The record in somebody's file; `None` where no report of it can be filed, or no report names anybody.
    pub record: Option<TrueRecord>,
    /// Reports that the archive has as record or history.
    pub statements: usize,
    /// Different things that those say.
    pub versions: usize,
}

/// What must stand in somebody's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueRecord {
    /// In whose file, by the number that the employee has at the end.
    pub employee_no: String,
    /// The score that is shown, in its shortest form; `None` where it was cleared.
    pub exam_score: Option<String>,
    /// Whether it is withdrawn.
    pub withdrawn: bool,
}
