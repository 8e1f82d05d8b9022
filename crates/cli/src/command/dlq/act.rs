//! `scoresync dlq redrive|discard`: what people do with many letters at once.

use anyhow::{Context as _, anyhow};
use scoresync_desk::office::{Act, Meant, Office, Tally, check_said};
use scoresync_domain::LetterState;
use scoresync_service::Exit;
use serde_json::json;

use super::{Context, actor, office, selection, topic};
use crate::{
    arguments::{DlqAct, DlqDiscard},
    failure::Failure,
    progress::spinner,
};

pub(super) async fn redrive(arguments: &DlqAct, context: &Context) -> Result<Exit, Failure> {
    if arguments.from_topic {
        return redrive_from_topic(arguments, context).await;
    }
    let office = office(context, !arguments.dry_run).await?;
    let meant = meant(&office, arguments)?;
    let actor = actor();
    let act = act((&actor, "asked for at the command line"), arguments);
    let bar = spinner("letters");
    let tally = office.redrive(&meant, &act, |tally| show(&bar, tally)).await;
    bar.finish_and_clear();
    tell(context, &tally?, ("redriven", "sent by a running desk"))
}

/// Without a desk nobody remembers what was sent: the same command sends the same letters again.
async fn redrive_from_topic(arguments: &DlqAct, context: &Context) -> Result<Exit, Failure> {
    let selection = selection(&arguments.filter);
    check_said(&arguments.letters, &selection, arguments.all).context(HOW_TO_SAY)?;
    let mut letters = topic::read(context, &selection, Some(LetterState::Open)).await?;
    if !arguments.letters.is_empty() {
        letters.retain(|found| arguments.letters.contains(&found.letter.id));
    }
    let max_attempts = context.configuration.desk.max_attempts.get();
    let mut tally = Tally {
        dry_run: arguments.dry_run,
        meant: letters.len() as u64,
        ..Tally::default()
    };
    letters.retain(|found| {
        let is_admitted = tally.admits(&found.letter, max_attempts);
        // A tombstone is no report, and worth no try.
        let is_tombstone = found.body.value.is_none();
        tally.tried_too_often += u64::from(is_admitted && is_tombstone);
        is_admitted && !is_tombstone
    });
    tally.done = letters.len() as u64;
    if !arguments.dry_run {
        let rate = arguments.rate.unwrap_or(context.configuration.desk.redrives_per_second);
        tally.done = topic::send(context, letters, rate).await?;
    }
    tell(context, &tally, ("redriven", "sent to scores.raw from here"))
}

pub(super) async fn discard(arguments: &DlqDiscard, context: &Context) -> Result<Exit, Failure> {
    if arguments.act.from_topic {
        return Err(anyhow!("what is discarded is remembered by the desk alone: leave --from-topic out").into());
    }
    let office = office(context, !arguments.act.dry_run).await?;
    let meant = meant(&office, &arguments.act)?;
    let actor = actor();
    let act = act((&actor, &arguments.because), &arguments.act);
    let bar = spinner("letters");
    let tally = office.discard(&meant, &act, |tally| show(&bar, tally)).await;
    bar.finish_and_clear();
    tell(context, &tally?, ("discarded", "closed"))
}

const HOW_TO_SAY: &str = "name letters, filter them, or take --all";

fn meant(office: &Office, arguments: &DlqAct) -> anyhow::Result<Meant> {
    let meant = office.meant(arguments.letters.clone(), &selection(&arguments.filter), arguments.all);
    meant.context(HOW_TO_SAY)
}

fn act<'a>((actor, because): (&'a str, &'a str), arguments: &DlqAct) -> Act<'a> {
    Act {
        actor,
        because,
        dry_run: arguments.dry_run,
        rate: arguments.rate,
    }
}

fn show(bar: &indicatif::ProgressBar, tally: &Tally) {
    bar.set_message(format!("{} of {}", tally.done, tally.meant));
    bar.tick();
}

fn tell(context: &Context, tally: &Tally, (done, how): (&str, &str)) -> Result<Exit, Failure> {
    let document = json!({
        "dry_run": tally.dry_run,
        "meant": tally.meant,
        done: tally.done,
        "tried_too_often": tally.tried_too_often,
        "of_other_systems": tally.of_other_systems,
        "refused_by_the_archive": tally.refused_by_the_archive,
    });
    context.output.print(&document, |_| {
        let would = if tally.dry_run { "would be " } else { "" };
        let mut lines = vec![format!(
            "{} open letters are meant, {} {would}{done} ({how})",
            tally.meant, tally.done
        )];
        if tally.tried_too_often > 0 {
            lines.push(format!(
                "{} were tried as often as desk.max_attempts allows: find out why they fail, then raise it",
                tally.tried_too_often
            ));
        }
        if tally.of_other_systems > 0 {
            lines.push(format!("{} come from other systems: they are mended there", tally.of_other_systems));
        }
        if tally.refused_by_the_archive > 0 {
            lines.push(format!(
                "{} were refused by the archive: `scoresync dlq show LETTER` says what to do",
                tally.refused_by_the_archive
            ));
        }
        lines
    })?;
    Ok(Exit::Ok)
}
