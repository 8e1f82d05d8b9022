//! `scoresync dlq export|purge`: letters taken elsewhere, and letters forgotten.

use std::io::{self, BufWriter, ErrorKind, Write, stdout};

use scoresync_archive::{Access, LetterBody, LetterId, LetterPage};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::{Context, ago, filter_of, listing, masking, open, show};
use crate::{arguments::DlqExport, failure::Failure};

/// Letters that are read, or forgotten, in one transaction.
const PAGE: u32 = 500;

pub(super) async fn run(arguments: &DlqExport, context: &Context) -> Result<Exit, Failure> {
    let state = listing::state_of(&arguments.state)?;
    let access = if arguments.reveal.is_some() { Access::Desk } else { Access::Reader };
    let archive = open(context, access).await?;
    if let Some(reason) = &arguments.reveal {
        show::note_reveal(&archive, &[], reason).await?;
    }
    let filter = filter_of(&arguments.filter, state, context);
    let mut out = BufWriter::new(stdout().lock());
    let mut after = None;
    loop {
        let letters = archive.letters(&filter, &LetterPage { after, limit: PAGE }).await?;
        for letter in &letters {
            let Some((letter, body)) = archive.letter(&letter.id).await? else {
                continue;
            };
            let mut document = listing::document(&letter);
            add_body(&mut document, &body, |name, value| {
                let source = context.configuration.sources.get(&letter.source);
                match arguments.reveal {
                    None if masking::is_personal(source, name) => masking::mask(value),
                    Some(_) | None => value.to_owned(),
                }
            });
            if arguments.reveal.is_some() {
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

fn add_body(document: &mut Value, body: &LetterBody, shown: impl Fn(&str, &str) -> String) {
    let fields = show::fields(body, shown);
    document["fields"] = fields
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
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
    let mut forgotten = 0;
    if dry_run {
        let archive = open(context, Access::Reader).await?;
        let mut after: Option<(scoresync_domain::Timestamp, LetterId)> = None;
        loop {
            let page = LetterPage { after, limit: PAGE };
            let letters = archive.letters(&Default::default(), &page).await?;
            forgotten += letters
                .iter()
                .filter(|letter| letter.closed_at.is_some_and(|time| time < closed_before))
                .count() as u64;
            let is_last = letters.len() < PAGE as usize;
            after = letters.into_iter().next_back().map(|letter| (letter.first_failed_at, letter.id));
            if is_last {
                break;
            }
        }
    } else {
        let archive = open(context, Access::Desk).await?;
        loop {
            let some = archive.purge_letters(closed_before, PAGE).await?;
            forgotten += some;
            if some == 0 {
                break;
            }
        }
    }
    let document = json!({ "dry_run": dry_run, "forgotten": forgotten });
    context.output.print(&document, |_| {
        let would = if dry_run { "would be" } else { "are" };
        vec![format!(
            "{forgotten} letters that were closed before {closed_before} {would} forgotten"
        )]
    })?;
    Ok(Exit::Ok)
}
