//! `scoresync dlq list|groups|stats`.

use scoresync_archive::{Letter, LetterPage};
use scoresync_desk::office::{GroupDocument, IdentityDocument, LetterDocument, Selection, StatsDocument, groups_of, stats_of};
use scoresync_domain::{LetterState, Refusal};
use scoresync_service::Exit;

use super::{Context, actor, office, office_unless, selection, topic};
use crate::{
    arguments::{DlqGroups, DlqList},
    failure::Failure,
    office::rules,
    output::table,
};

pub(super) async fn list(arguments: &DlqList, context: &Context) -> Result<Exit, Failure> {
    let state = state_of(&arguments.state)?;
    let selection = selection(&arguments.filter);
    let letters: Vec<Letter> = if arguments.from_topic {
        let found = topic::read(context, &selection, state)
            .await?
            .into_iter()
            .take(arguments.limit as usize);
        found.map(|found| found.letter).collect()
    } else {
        let page = LetterPage {
            after: None,
            limit: arguments.limit,
        };
        let office = office(context, false).await?;
        office.archive.letters(&office.rules.filter(&selection, state), &page).await?
    };
    let letters: Vec<LetterDocument> = letters.iter().map(LetterDocument::of).collect();
    context.output.print(&letters, |_| {
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

fn line(letter: &LetterDocument) -> Vec<String> {
    vec![
        letter.letter.clone(),
        letter.state.clone(),
        letter.reason.clone(),
        letter.source.clone(),
        letter.attempt.to_string(),
        minute(&letter.first_failed_at),
        letter.problem.clone(),
    ]
}

pub(super) async fn groups(arguments: &DlqGroups, context: &Context) -> Result<Exit, Failure> {
    let is_revealed = arguments.reveal.is_some();
    let office = office_unless(arguments.from_topic, is_revealed, context).await?;
    if let (Some(office), Some(reason)) = (&office, &arguments.reveal) {
        office.note_reveal(&[], (&actor(), reason)).await?;
    }
    let groups = match &office {
        Some(office) if !arguments.from_topic => office.archive.letter_groups(arguments.limit).await?,
        Some(_) | None => {
            let mut groups = groups_of(&topic::read(context, &Selection::default(), None).await?);
            groups.truncate(arguments.limit as usize);
            groups
        }
    };
    let groups = groups.iter().map(|group| GroupDocument::of(group, is_revealed));
    let groups: Vec<GroupDocument> = groups.collect();
    context.output.print(&groups, |_| {
        if groups.is_empty() {
            return vec!["no letter is open".to_owned()];
        }
        let rows: Vec<Vec<String>> = std::iter::once(heading(&["letters", "reason", "source", "about", "since (UTC)", "problem"]))
            .chain(groups.iter().map(group_line))
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

fn group_line(group: &GroupDocument) -> Vec<String> {
    let person = |identity: &IdentityDocument| format!("{} {}", identity.kind, identity.value);
    let people: Vec<String> = group.identities.iter().map(person).collect();
    let about = match &group.field {
        Some(field) => format!("field {field}"),
        None if group.reason.parse::<Refusal>().is_ok() => "the result".to_owned(),
        None if people.is_empty() => "the record".to_owned(),
        None => people.join(", "),
    };
    vec![
        group.letters.to_string(),
        group.reason.clone(),
        group.source.clone(),
        about,
        minute(&group.oldest),
        group.problem.clone(),
    ]
}

pub(super) async fn stats(from_topic: bool, context: &Context) -> Result<Exit, Failure> {
    let stats = if from_topic {
        let letters = topic::read(context, &Selection::default(), None).await?;
        stats_of(&letters, &rules(&context.configuration, &context.checked))
    } else {
        office(context, false).await?.stats().await?
    };
    context.output.print(&stats, |_| {
        let StatsDocument {
            states,
            open,
            refused_by_the_archive: refused,
            offered,
        } = &stats;
        let mut lines: Vec<String> = states.iter().map(|(state, count)| format!("{state}: {count}")).collect();
        if states.is_empty() {
            lines.push("there are no letters".to_owned());
        }
        if !open.is_empty() {
            lines.push(String::new());
            let rows = open.iter().map(|open| {
                vec![
                    open.letters.to_string(),
                    open.reason.clone(),
                    open.source.clone(),
                    minute(&open.oldest),
                ]
            });
            let rows: Vec<Vec<String>> = std::iter::once(heading(&["open", "reason", "source", "since (UTC)"]))
                .chain(rows)
                .collect();
            lines.extend(table(&rows));
        }
        let refused = refused
            .iter()
            .map(|refused| format!("refused by the archive, {}: {}", refused.reason, refused.scores));
        lines.extend(refused);
        lines.extend(offered.iter().map(|offer| {
            format!(
                "{} letters of {source} were read by an older mapping: `scoresync dlq redrive --source {source} --older-mapping`",
                offer.letters,
                source = offer.source
            )
        }));
        lines
    })?;
    Ok(Exit::Ok)
}

/// Date and time to the minute, in UTC.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}
