//! Decides from what was sent, and what is there, whether each promise was kept.

mod content;
mod filing;
mod mapping;
mod origins;
mod secrecy;

use std::fmt;

use super::{Attempts, Evidence, Staff, Stream};
use origins::Origins;

/// Which promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something that was answered with success is nowhere, or has no fate.
    Lost,
    /// Something is there that nobody sent, or more often than it was sent.
    Invented,
    /// Something stands with somebody else, or says something else than its sender.
    Garbled,
    /// A dead letter that should be none, is missing, or is not its report.
    Letter,
    /// A record is not what the rule makes of the reports.
    Record,
    /// Something that was said is missing from the history or the refusals.
    History,
    /// The counts of fates are not those of the log.
    Fates,
    /// A position is wrong, or went backwards.
    Position,
    /// A stage ended by itself, or does not catch up.
    Stuck,
    /// A personal value or a secret is where none may be.
    Leak,
    /// By scoresync's own audit, the books do not balance.
    Books,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Lost,
        Self::Invented,
        Self::Garbled,
        Self::Letter,
        Self::Record,
        Self::History,
        Self::Fates,
        Self::Position,
        Self::Stuck,
        Self::Leak,
        Self::Books,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Invented => "invented",
            Self::Garbled => "garbled",
            Self::Letter => "letter",
            Self::Record => "record",
            Self::History => "history",
            Self::Fates => "fates",
            Self::Position => "position",
            Self::Stuck => "stuck",
            Self::Leak => "leak",
            Self::Books => "books",
        }
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// Which.
    pub class: Class,
    /// What was found, with the history of the result where there is one.
    pub text: String,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.class.as_str(), self.text)
    }
}

/// What was sent, by whom, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Who works there.
    pub staff: &'a Staff,
    /// What was to be sent.
    pub stream: &'a Stream,
    /// How often it was.
    pub attempts: &'a Attempts,
    /// What must be in no log beside what the staff has.
    pub tokens: &'a [&'a str],
}

/// Everything that is wrong.
#[must_use]
pub fn check(case: &Case<'_>, evidence: &Evidence) -> Vec<Anomaly> {
    // What can be the cause of others comes first.
    let accidents = evidence.accidents.iter().map(|text| (Class::Stuck, text));
    let positions = evidence.uncommitted.iter().chain(&evidence.backwards);
    let refused = case.attempts.refused.iter().map(|text| (Class::Lost, text));
    let told = accidents.chain(positions.map(|text| (Class::Position, text))).chain(refused);
    let mut anomalies: Vec<_> = told.map(|(class, text)| Anomaly { class, text: text.clone() }).collect();
    let origins = Origins::find(case, evidence, &mut anomalies);
    mapping::check(case, evidence, &origins, &mut anomalies);
    filing::check(case, evidence, &origins, &mut anomalies);
    secrecy::check(case, evidence, &mut anomalies);
    anomalies.extend(evidence.imbalances.iter().map(|text| Anomaly {
        class: Class::Books,
        text: text.clone(),
    }));
    anomalies
}
