//! `scoresync dlq export|purge`: letters taken elsewhere, and letters forgotten.

use std::io::{self, BufWriter, ErrorKind, Write, stdout};

use scoresync_archive::{Letter, LetterPage};
use scoresync_desk::office::{Act, LetterDocument, RecordDocument, ago};
use scoresync_service::Exit;
use serde_json::{Map, Value, json};

use super::{Context, actor, listing, office, selection};
use crate::{arguments::DlqExport, failure::Failure};

/// Letters that are read in one transaction.
const PAGE: u32 = 500;

pub(super) async fn run(arguments: &DlqExport, context: &Context) -> Result<Exit, Failure> {
    let state = listing::state_of(&arguments.state)?;
    let is_revealed = arguments.reveal.is_some();
    let office = office(context, is_revealed).await?;
    if let Some(reason) = &arguments.reveal {
        office.note_reveal(&[], (&actor(), reason)).await?;
    }
    let filter = office.rules.filter(&selection(&arguments.filter), state);
    let mut out = BufWriter::new(stdout().lock());
    let mut after = None;
    loop {
        let letters = office.archive.letters(&filter, &LetterPage { after, limit: PAGE }).await?;
        for letter in &letters {
            let Some((letter, body)) = office.archive.letter(&letter.id).await? else {
                continue;
            };
            let mut document = serde_json::to_value(LetterDocument::of(&letter))?;
            let fields = office.rules.fields((&letter, &body), is_revealed).into_iter();
            document["fields"] = fields.map(|(name, value)| (name, json!(value))).collect::<Map<_, _>>().into();
            if is_revealed
                && let (Some(shown), Value::Object(record)) = (document.as_object_mut(), serde_json::to_value(RecordDocument::of(&body))?)
            {
                shown.extend(record);
            }
            if !write_line(&mut out, &document)? {
                return Ok(Exit::Ok);
            }
        }
        let is_last = letters.len() < PAGE as usize;
        after = letters.last().map(Letter::place);
        if is_last {
            return Ok(Exit::Ok);
        }
    }
}

/// Says whether anybody reads on.
fn write_line(out: &mut impl Write, document: &Value) -> io::Result<bool> {
    match writeln!(out, "{document}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}

pub(super) async fn purge((older_than, dry_run): (std::time::Duration, bool), context: &Context) -> Result<Exit, Failure> {
    let closed_before = ago(older_than);
    let office = office(context, !dry_run).await?;
    let actor = actor();
    let act = Act {
        actor: &actor,
        because: "asked for at the command line",
        dry_run,
        rate: None,
    };
    let forgotten = office.purge(closed_before, &act).await?;
    let document = json!({ "dry_run": dry_run, "forgotten": forgotten });
    context.output.print(&document, |_| {
        let would = if dry_run { "would be" } else { "are" };
        vec![format!(
            "{forgotten} letters that were closed before {closed_before} {would} forgotten"
        )]
    })?;
    Ok(Exit::Ok)
}
