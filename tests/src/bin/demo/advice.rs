//! One dead letter, explained: why, what arrived, and what to do.

use anyhow::Context;
use scoresync_domain::{Reason, ScoreReport};
use scoresync_kafka::dead_letter;
use scoresync_tests::{topics::Record, verdict::Found};

/// The first of the most instructive kind that there is.
pub(crate) fn explain_one(found: &Found) -> anyhow::Result<()> {
    let of_reason = |reason: Reason| {
        found
            .dead_letters
            .iter()
            .find(move |letter| letter.header(dead_letter::REASON) == Some(reason.as_str()))
    };
    let Some(letter) = of_reason(Reason::AmbiguousEmployee).or_else(|| found.dead_letters.first()) else {
        return Ok(());
    };
    let reason: Reason = letter
        .header(dead_letter::REASON)
        .and_then(|text| text.parse().ok())
        .context("a dead letter without a reason")?;
    let header = |name| letter.header(name).unwrap_or("-");
    println!("\nOne of {} dead letters:\n", found.dead_letters.len());
    println!("  reason    {reason}: {}", header(dead_letter::connect::EXCEPTION_MESSAGE));
    println!(
        "  report    of {}, first seen at {} of scores.raw, failed at {}",
        header(dead_letter::SOURCE),
        header(dead_letter::ORIGIN),
        header(dead_letter::FIRST_FAILED_AT)
    );
    println!("  arrived   {}", arrived(letter));
    println!("  to do     {}", advice(reason));
    Ok(())
}

/// The fields with their values masked, as the letter itself is read by more people than may see them.
fn arrived(letter: &Record<ScoreReport<'static>>) -> String {
    let Some(report) = &letter.value else {
        return format!("{} bytes that are no raw report", letter.bytes.len());
    };
    match &report.unparsed {
        Some(bytes) => format!("a row of {} bytes that could not be read", bytes.len()),
        None => {
            let fields = report
                .fields
                .iter()
                .map(|(name, value)| format!("{name}={}", value.map_or_else(|| "null".to_owned(), masked)));
            fields.collect::<Vec<_>>().join(", ")
        }
    }
}

/// The first character, and how many follow.
fn masked(value: &str) -> String {
    let mut characters = value.chars();
    let first: String = characters.next().into_iter().collect();
    first + &"*".repeat(characters.count().min(12))
}

fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::Undecodable | Reason::UnknownSchema => "find out who writes to scores.raw without our schema, and have them send again",
        Reason::UnknownSource => "add the source to the configuration, or correct the sender",
        Reason::Unparsed => "the source sends rows that are not what its format says: correct them there and send them again",
        Reason::MissingField => "have the source send the field, or name it in the source's mapping",
        Reason::InvalidField => "correct the value in the source and send it again, or say in the mapping how it is to be read",
        Reason::AmbiguousField => "the source says the same thing twice, differently: have it send one value",
        Reason::UnmatchedEmployee => "bring the employee or the identity into the HR file and import it, then send the report again",
        Reason::AmbiguousEmployee => {
            "two employees have this identity, and scoresync does not guess: end it for one of them in the HR file"
        }
        Reason::ConflictingIdentity => "the report points to two people: correct it in the source, or correct the HR file",
        Reason::TooLarge => "shorten the report's texts in the source",
    }
}
