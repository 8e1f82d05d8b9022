//! `scoresync dlq export|purge`: letters taken elsewhere, and letters forgotten.

use std::io::{self, BufWriter, ErrorKind, Write, stdout};

use scoresync_archive::LetterPage;
use scoresync_desk::office::{LetterDocument, ago};
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
            if is_revealed {
                document["headers"] = serde_json::from_str(&body.headers).unwrap_or_default();
                document["key_hex"] = hex(body.key.as_deref()).into();
                document["value_hex"] = hex(body.value.as_deref()).into();
            }
            if !write_line(&mut out, &document)? {
                return Ok(Exit::Ok);
            }
        }
        let is_last = letters.len() < PAGE as usize;
        after = letters.into_iter().next_back().map(|letter| (letter.first_failed_at, letter.id));
        if is_last {
            return Ok(Exit::Ok);
        }
    }
}

fn hex(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
    let forgotten = if dry_run {
        office.archive.purgeable_letters(closed_before).await?
    } else {
        office.purge(closed_before).await?
    };
    let document = json!({ "dry_run": dry_run, "forgotten": forgotten });
    context.output.print(&document, |_| {
        let would = if dry_run { "would be" } else { "are" };
        vec![format!(
            "{forgotten} letters that were closed before {closed_before} {would} forgotten"
        )]
    })?;
    Ok(Exit::Ok)
}
