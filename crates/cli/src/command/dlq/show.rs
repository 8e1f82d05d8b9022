//! `scoresync dlq show`: one letter in words.

use anyhow::anyhow;
use scoresync_archive::Letter;
use scoresync_desk::office::{CandidateDocument, EventDocument, LetterDetail, group_name};
use scoresync_domain::LetterState;
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde::Serialize;

use super::{Context, actor, office_unless, reach, topic};
use crate::{
    arguments::DlqShow,
    failure::Failure,
    office::rules,
    output::{table, visible},
};

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    detail: &'a LetterDetail,
    candidates: &'a [CandidateDocument],
}

pub(super) async fn run(arguments: &DlqShow, context: &Context) -> Result<Exit, Failure> {
    let is_revealed = arguments.reveal.is_some();
    let rules = rules(&context.configuration, &context.checked);
    let office = office_unless(arguments.from_topic, is_revealed, context).await?;
    let found = match &office {
        Some(office) if !arguments.from_topic => office.archive.letter(&arguments.letter).await?,
        Some(_) | None => topic::letter(context, &arguments.letter).await?,
    };
    let found = found.ok_or_else(|| anyhow!("there is no letter {}; `scoresync dlq list` lists them", arguments.letter))?;
    if let (Some(office), Some(reason)) = (&office, &arguments.reveal) {
        office.note_reveal(std::slice::from_ref(&found.0.id), (&actor(), reason)).await?;
    }
    let detail = match &office {
        Some(office) => office.detail(&found, is_revealed).await?,
        None => rules.detail((&found.0, &found.1), &[], is_revealed),
    };
    let candidates = if arguments.candidates {
        let reach = reach(context, &[Topic::Employees, Topic::Aliases]).await?;
        rules.candidates(&found, &reach, is_revealed).await?
    } else {
        Vec::new()
    };
    let shown = Shown {
        detail: &detail,
        candidates: &candidates,
    };
    context.output.print(&shown, |_| {
        let mut lines = lines(&found.0, &detail, rules.max_attempts);
        if arguments.candidates {
            lines.extend(candidate_lines(&candidates));
        }
        lines
    })?;
    Ok(Exit::Ok)
}

fn lines(letter: &Letter, detail: &LetterDetail, max_attempts: u32) -> Vec<String> {
    let mut facts = vec![
        ("letter", letter.id.to_string()),
        ("state", state(letter)),
        ("reason", letter.reason.clone()),
        ("source", letter.source.clone()),
        ("tries", format!("{} of {max_attempts}", letter.attempt)),
        ("first failed", letter.first_failed_at.to_string()),
        ("last failed", letter.last_failed_at.to_string()),
        ("problem", group_name(letter.group_id)),
    ];
    facts.extend(letter.result_id.map(|id| ("result", id.to_string())));
    let rows: Vec<Vec<String>> = facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut lines = table(&rows);
    lines.push(String::new());
    lines.push(visible(&detail.explanation).into_owned());
    lines.push(detail.advice.clone());
    lines.push(String::new());
    if detail.fields.is_empty() {
        let bytes = detail.value_bytes.unwrap_or(0);
        lines.push(format!("what arrived cannot be read as fields: {bytes} bytes"));
    } else {
        lines.push("what arrived:".to_owned());
        let row =
            |(name, value): &(String, Option<String>)| vec![format!("  {name}"), value.clone().unwrap_or_else(|| "(null)".to_owned())];
        lines.extend(table(&detail.fields.iter().map(row).collect::<Vec<_>>()));
    }
    if !detail.history.is_empty() {
        lines.extend([String::new(), "what people did:".to_owned()]);
        let row = |event: &EventDocument| {
            let why = visible(&event.reason).into_owned();
            vec![format!("  {}", event.at), event.action.clone(), event.actor.clone(), why]
        };
        lines.extend(table(&detail.history.iter().map(row).collect::<Vec<_>>()));
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

fn candidate_lines(candidates: &[CandidateDocument]) -> Vec<String> {
    if candidates.is_empty() {
        return vec![String::new(), "nobody resembles the person in the report".to_owned()];
    }
    let line = |candidate: &CandidateDocument| {
        let name = candidate.name.as_deref().unwrap_or_default();
        let department = candidate.department.as_deref().unwrap_or_default();
        let line = format!(
            "  {}  {name}  {department}  {}",
            candidate.employee_no,
            candidate.because.join("; ")
        );
        visible(&line).into_owned()
    };
    let heading = [String::new(), "it might be about:".to_owned()];
    let how = "`scoresync dlq resolve LETTER --employee EMPLOYEE_NO --because TEXT` decides it".to_owned();
    heading.into_iter().chain(candidates.iter().map(line)).chain([how]).collect()
}
