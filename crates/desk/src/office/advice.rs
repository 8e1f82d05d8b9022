//! A letter in words: why its report could not be filed, and what to do.

use scoresync_archive::Letter;
use scoresync_domain::{LetterFamily, LetterState, Reason, Refusal};

/// What the mapper said when it failed last.
pub(super) fn explanation(letter: &Letter) -> String {
    if letter.family == LetterFamily::Archive {
        return refusal(letter).0.to_owned();
    }
    if letter.message.is_empty() {
        return "Its letter was not read yet; its report is filed.".to_owned();
    }
    if letter.family != LetterFamily::Scoresync {
        return "What the other system says of it can hold values: it shows where they are revealed, with the record's headers.".to_owned();
    }
    format!("Why it could not be filed: {}.", letter.message.trim_end_matches('.'))
}

/// What a person can do.
pub(super) fn advice(letter: &Letter, max_attempts: u32) -> String {
    match letter.state {
        LetterState::Filed => return "Nothing is left to do.".to_owned(),
        LetterState::Discarded => return "A person decided that it is nothing.".to_owned(),
        LetterState::Redriven => return "It is on its way through the pipeline again.".to_owned(),
        LetterState::Open => {}
    }
    if letter.family == LetterFamily::Archive {
        return refusal(letter).1.to_owned();
    }
    if letter.family != LetterFamily::Scoresync {
        return format!("Another system wrote it ({}): mend it there, then discard it here.", letter.family);
    }
    if letter.attempt >= max_attempts {
        return format!(
            "It was tried {} times, which is as often as desk.max_attempts allows: find out why, then raise that.",
            letter.attempt
        );
    }
    let advice = match letter.reason.parse() {
        Ok(Reason::UnmatchedEmployee) => {
            "Nobody has these identities. When the HR system states whose they are, it is sent again by itself within a second."
        }
        Ok(Reason::AmbiguousEmployee) => {
            "More than one person has this identity. When the HR system says whose it is, it is sent again by itself."
        }
        Ok(Reason::ConflictingIdentity) => {
            "The report names two people. Correct it at the source, or the identities in the HR system; then it is sent again by itself."
        }
        Ok(Reason::MissingField | Reason::InvalidField | Reason::AmbiguousField) => {
            "Correct it at the source, which then sends another report, or correct the field mapping, raise mapping_version and redrive it."
        }
        Ok(Reason::UnknownSource) => "Configure the source, or correct its name at the sender; then redrive it.",
        Ok(Reason::Unparsed | Reason::Undecodable) => {
            "It cannot be read. Have the source send it again in a format that it may use, and discard this one."
        }
        Ok(Reason::UnknownSchema) => "Its schema is none of ours. Register it if it should be, then redrive it.",
        Ok(Reason::TooLarge) => {
            "It is too large for its topic. Have the source shorten its texts, or raise topics.max_message_bytes and redrive it."
        }
        Err(_) => "Find out what failed, then redrive or discard it.",
    };
    advice.to_owned()
}

/// Why the archive refused a score, and what a person can do.
fn refusal(letter: &Letter) -> (&'static str, &'static str) {
    match letter.reason.parse() {
        Ok(Refusal::OwnerChanged) => (
            "The archive did not file it: its result is in the file of another employee, and nobody decided that it moves.",
            "Decide whose the result is (`scoresync dlq resolve`); all its versions are that employee's then, this one included.",
        ),
        Ok(Refusal::Constraint) => (
            "The archive's database refused the row: a value is beyond what it takes.",
            "Correct it at the source, which then sends another report. The log of the sink has the database's message.",
        ),
        Ok(Refusal::Undecodable) => (
            "The record in scores.enriched cannot be read.",
            "Somebody other than the mapper writes to scores.enriched: find out who, and take the right away.",
        ),
        Err(_) => ("The archive did not file it.", "Find out why: the log of the sink has the reason."),
    }
}
