//! `scoresync dlq show`: one letter in words.

use anyhow::anyhow;
use scoresync_archive::{Access, Archive, Letter, LetterBody, LetterId, Request};
use scoresync_domain::{LetterFamily, LetterState, Reason};
use scoresync_service::Exit;
use serde_json::{Map, Value, json};

use super::{Context, actor, candidates, group_name, listing, masking, now, open};
use crate::{
    arguments::DlqShow,
    failure::Failure,
    output::{table, visible},
};

pub(super) async fn run(arguments: &DlqShow, context: &Context) -> Result<Exit, Failure> {
    let access = if arguments.reveal.is_some() { Access::Desk } else { Access::Reader };
    let archive = open(context, access).await?;
    let found = archive.letter(&arguments.letter).await?;
    let (letter, body) = found.ok_or_else(|| anyhow!("there is no letter {}; `scoresync dlq list` lists them", arguments.letter))?;
    if let Some(reason) = &arguments.reveal {
        note_reveal(&archive, std::slice::from_ref(&letter.id), reason).await?;
    }
    let fields = fields(&body, |name, value| {
        let source = context.configuration.sources.get(&letter.source);
        match arguments.reveal {
            None if masking::is_personal(source, name) => masking::mask(value),
            Some(_) | None => value.to_owned(),
        }
    });
    let mut document = listing::document(&letter);
    if arguments.reveal.is_some() {
        document["message"] = letter.message.clone().into();
    }
    document["explanation"] = explanation(&letter).into();
    document["advice"] = advice(&letter, context.configuration.desk.max_attempts.get()).into();
    document["fields"] = fields
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect::<Map<_, _>>()
        .into();
    document["value_bytes"] = json!(body.value.as_ref().map(Vec::len));
    let candidates = if arguments.candidates {
        candidates::suggest((&letter, &body), context).await?
    } else {
        Vec::new()
    };
    let shown = |name: &str| {
        if arguments.reveal.is_some() {
            name.to_owned()
        } else {
            masking::mask(name)
        }
    };
    document["candidates"] = candidates.iter().map(|candidate| candidates::document(candidate, shown)).collect();
    context.output.print(&document, |_| {
        let mut lines = lines((&letter, &body), &fields, context);
        if arguments.candidates {
            lines.extend(candidates::lines(&candidates, shown));
        }
        lines
    })?;
    Ok(Exit::Ok)
}

/// Whoever looks at personal values says why, and that stays.
pub(in crate::command) async fn note_reveal(archive: &Archive, letters: &[LetterId], reason: &str) -> Result<(), Failure> {
    let actor = actor();
    let request = Request {
        actor: &actor,
        action: "reveal",
        reason,
        at: now(),
    };
    // Of all letters at once there is one note.
    let everything = [LetterId {
        topic: "*".to_owned(),
        origin: scoresync_domain::Origin {
            generation: 0,
            partition: 0,
            offset: 0,
        },
    }];
    let letters = if letters.is_empty() { &everything } else { letters };
    Ok(archive.note_desk_event(letters, &request).await?)
}

pub(super) fn fields(body: &LetterBody, shown: impl Fn(&str, &str) -> String) -> Vec<(String, Option<String>)> {
    let all: Map<String, Value> = body
        .fields
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let show = |(name, value): (String, Value)| {
        let value = value.as_str().map(|value| shown(&name, value));
        (name, value)
    };
    all.into_iter().map(show).collect()
}

fn lines((letter, body): (&Letter, &LetterBody), fields: &[(String, Option<String>)], context: &Context) -> Vec<String> {
    let mut facts = vec![
        ("letter", letter.id.to_string()),
        ("state", state(letter)),
        ("reason", letter.reason.clone()),
        ("source", letter.source.clone()),
        (
            "tries",
            format!("{} of {}", letter.attempt, context.configuration.desk.max_attempts),
        ),
        ("first failed", letter.first_failed_at.to_string()),
        ("last failed", letter.last_failed_at.to_string()),
        ("problem", group_name(letter.group_id)),
    ];
    facts.extend(letter.result_id.map(|id| ("result", id.to_string())));
    let rows: Vec<Vec<String>> = facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut lines = table(&rows);
    lines.push(String::new());
    lines.push(visible(&explanation(letter)).into_owned());
    lines.push(advice(letter, context.configuration.desk.max_attempts.get()));
    lines.push(String::new());
    if fields.is_empty() {
        let bytes = body.value.as_ref().map_or(0, Vec::len);
        lines.push(format!("what arrived cannot be read as fields: {bytes} bytes"));
    } else {
        lines.push("what arrived:".to_owned());
        let row =
            |(name, value): &(String, Option<String>)| vec![format!("  {name}"), value.clone().unwrap_or_else(|| "(null)".to_owned())];
        lines.extend(table(&fields.iter().map(row).collect::<Vec<_>>()));
    }
    lines
}

fn state(letter: &Letter) -> String {
    let by = |name: &Option<String>| name.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
    match letter.state {
        LetterState::Open => "open".to_owned(),
        LetterState::Redriven => format!("redriven{}", by(&letter.requested_by)),
        LetterState::Filed => "filed".to_owned(),
        LetterState::Discarded => {
            let why = letter.closing_reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("discarded{}{why}", by(&letter.closed_by))
        }
    }
}

/// What the mapper said when it failed last.
fn explanation(letter: &Letter) -> String {
    if letter.message.is_empty() {
        return "Its letter was not read yet; its report is filed.".to_owned();
    }
    if letter.family != LetterFamily::Scoresync {
        return "What the other system says of it can hold values: --reveal shows its headers by `scoresync dlq export`.".to_owned();
    }
    format!("Why it could not be filed: {}.", letter.message.trim_end_matches('.'))
}

fn advice(letter: &Letter, max_attempts: u32) -> String {
    match letter.state {
        LetterState::Filed => return "Nothing is left to do.".to_owned(),
        LetterState::Discarded => return "A person decided that it is nothing.".to_owned(),
        LetterState::Redriven => return "It is on its way through the pipeline again.".to_owned(),
        LetterState::Open => {}
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
