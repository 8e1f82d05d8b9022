//! `scoresync dlq list|groups|stats`.

use scoresync_archive::{Access, Letter, LetterGroup, LetterPage};
use scoresync_domain::{LetterFamily, LetterState, Timestamp};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::{Context, filter_of, group_name, masking::mask, open, topic};
use crate::{arguments::DlqList, failure::Failure, output::table};

pub(super) async fn list(arguments: &DlqList, context: &Context) -> Result<Exit, Failure> {
    let state = state_of(&arguments.state)?;
    let filter = filter_of(&arguments.filter, state, context);
    let letters = if arguments.from_topic {
        let mut letters = topic::read(context, filter).await?;
        letters.truncate(arguments.limit as usize);
        letters.into_iter().map(|found| found.letter).collect()
    } else {
        let page = LetterPage {
            after: None,
            limit: arguments.limit,
        };
        open(context, Access::Reader).await?.letters(&filter, &page).await?
    };
    let documents: Vec<Value> = letters.iter().map(document).collect();
    context.output.print(&documents, |_| {
        if letters.is_empty() {
            return vec!["no letter is meant by this".to_owned()];
        }
        let rows: Vec<Vec<String>> = std::iter::once(heading(&[
            "letter",
            "state",
            "reason",
            "source",
            "tries",
            "first failed (UTC)",
            "problem",
        ]))
        .chain(letters.iter().map(line))
        .collect();
        let mut lines = table(&rows);
        if letters.len() >= arguments.limit as usize {
            lines.push(format!("only the first {} are listed; --limit lists more", arguments.limit));
        }
        lines.push("`scoresync dlq show LETTER` explains one of them".to_owned());
        lines
    })?;
    Ok(Exit::Ok)
}

/// None for all.
pub(super) fn state_of(name: &str) -> anyhow::Result<Option<LetterState>> {
    if name == "all" {
        return Ok(None);
    }
    let states: Vec<&str> = LetterState::ALL.iter().map(|state| state.as_str()).collect();
    name.parse()
        .map(Some)
        .map_err(|_| anyhow::anyhow!("a state is one of {}, all", states.join(", ")))
}

fn heading(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn line(letter: &Letter) -> Vec<String> {
    vec![
        letter.id.to_string(),
        letter.state.to_string(),
        letter.reason.clone(),
        letter.source.clone(),
        letter.attempt.to_string(),
        minute(letter.first_failed_at),
        group_name(letter.group_id),
    ]
}

/// What a letter is, without what it holds of people.
pub(super) fn document(letter: &Letter) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    json!({
        "letter": letter.id.to_string(),
        "family": letter.family.as_str(),
        "state": letter.state.as_str(),
        "reason": letter.reason,
        // Ours holds no values; what others write can.
        "message": (letter.family == LetterFamily::Scoresync).then_some(&letter.message),
        "source": letter.source,
        "attempt": letter.attempt,
        "first_failed_at": letter.first_failed_at.to_string(),
        "last_failed_at": letter.last_failed_at.to_string(),
        "problem": group_name(letter.group_id),
        "result_id": letter.result_id.map(|id| id.to_string()),
        "mapping_version": letter.mapping_version,
        "received_at": time(letter.received_at),
        "requested_by": letter.requested_by,
        "closed_at": time(letter.closed_at),
        "closed_by": letter.closed_by,
        "closing_reason": letter.closing_reason,
    })
}

pub(super) async fn groups((limit, reveal): (u32, Option<&str>), context: &Context) -> Result<Exit, Failure> {
    let archive = match reveal {
        Some(_) => open(context, Access::Desk).await?,
        None => open(context, Access::Reader).await?,
    };
    let groups = archive.letter_groups(limit).await?;
    if let Some(reason) = reveal {
        super::show::note_reveal(&archive, &[], reason).await?;
    }
    let shown = |value: &str| if reveal.is_some() { value.to_owned() } else { mask(value) };
    let documents: Vec<Value> = groups.iter().map(|group| group_document(group, &shown)).collect();
    context.output.print(&documents, |_| {
        if groups.is_empty() {
            return vec!["no letter is open".to_owned()];
        }
        let rows: Vec<Vec<String>> = std::iter::once(heading(&["letters", "reason", "source", "about", "since (UTC)", "problem"]))
            .chain(groups.iter().map(|group| group_line(group, &shown)))
            .collect();
        let mut lines = table(&rows);
        lines.push(
            "`scoresync dlq list --group PROBLEM` lists the letters of one, `scoresync dlq redrive --group PROBLEM` sends them again"
                .to_owned(),
        );
        lines
    })?;
    Ok(Exit::Ok)
}

fn group_line(group: &LetterGroup, shown: &impl Fn(&str) -> String) -> Vec<String> {
    let people = group.identities.iter().map(|(kind, _, value)| format!("{kind} {}", shown(value)));
    let people: Vec<String> = people.collect();
    let about = match &group.field {
        Some(field) => format!("field {field}"),
        None if people.is_empty() => "the record".to_owned(),
        None => people.join(", "),
    };
    vec![
        group.letters.to_string(),
        group.reason.clone(),
        group.source.clone(),
        about,
        minute(group.oldest),
        group_name(group.group_id),
    ]
}

fn group_document(group: &LetterGroup, shown: &impl Fn(&str) -> String) -> Value {
    let identities = group
        .identities
        .iter()
        .map(|(kind, system, value)| json!({ "kind": kind.as_str(), "system": system, "value": shown(value) }));
    json!({
        "problem": group_name(group.group_id),
        "source": group.source,
        "reason": group.reason,
        "field": group.field,
        "identities": identities.collect::<Vec<_>>(),
        "letters": group.letters,
        "oldest": group.oldest.to_string(),
    })
}

pub(super) async fn stats(context: &Context) -> Result<Exit, Failure> {
    let archive = open(context, Access::Reader).await?;
    let (states, open) = (archive.letter_states().await?, archive.open_letters().await?);
    let refused = archive.refused_counts().await?;
    let offered = offered(&archive.letters_unread_by_mapping().await?, context);
    let by_reason: Vec<Value> = open
        .iter()
        .map(|((source, reason), (count, oldest))| {
            json!({ "source": source, "reason": reason, "letters": count, "oldest": oldest.to_string() })
        })
        .collect();
    let refused_document: Vec<Value> = refused
        .iter()
        .map(|(reason, count)| json!({ "reason": reason.as_str(), "scores": count }))
        .collect();
    let states_document: serde_json::Map<String, Value> = states.iter().map(|(state, count)| (state.clone(), json!(count))).collect();
    let document = json!({ "states": states_document, "open": by_reason, "refused_by_the_archive": refused_document, "offered": offered });
    context.output.print(&document, |_| {
        let mut lines: Vec<String> = states.iter().map(|(state, count)| format!("{state}: {count}")).collect();
        if states.is_empty() {
            lines.push("there are no letters".to_owned());
        }
        if !open.is_empty() {
            lines.push(String::new());
            let rows = open
                .iter()
                .map(|((source, reason), (count, oldest))| vec![count.to_string(), reason.clone(), source.clone(), minute(*oldest)]);
            let rows: Vec<Vec<String>> = std::iter::once(heading(&["open", "reason", "source", "since (UTC)"]))
                .chain(rows)
                .collect();
            lines.extend(table(&rows));
        }
        let refused = refused
            .iter()
            .map(|(reason, count)| format!("refused by the archive, {reason}: {count}"));
        lines.extend(refused);
        lines.extend(offered.iter().map(|offer| {
            format!(
                "{} letters of {source} were read by an older mapping: `scoresync dlq redrive --source {source} --older-mapping`",
                offer["letters"],
                source = offer["source"].as_str().unwrap_or_default()
            )
        }));
        lines
    })?;
    Ok(Exit::Ok)
}

/// Letters that a newer mapping may be able to read, by source.
fn offered(unread: &[(String, i32, u64)], context: &Context) -> Vec<Value> {
    let sources = context.checked.sources.iter();
    let offers = sources.filter_map(|source| {
        let older = unread
            .iter()
            .filter(|(name, version, _)| *name == source.name && *version < source.mapping_version);
        let letters: u64 = older.map(|(_, _, count)| count).sum();
        (letters > 0).then(|| json!({ "source": source.name, "mapping_version": source.mapping_version, "letters": letters }))
    });
    offers.collect()
}

/// Date and time to the minute, in UTC.
pub(super) fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " "))
}
