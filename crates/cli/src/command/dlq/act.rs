//! `scoresync dlq redrive|discard`: what people do with many letters at once, a page at a time.

use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use scoresync_archive::{Access, Archive, ArchiveError, Letter, LetterFilter, LetterId, LetterPage, Request};
use scoresync_domain::{LetterFamily, LetterState};
use scoresync_service::Exit;
use serde_json::json;

use super::{Context, actor, filter_of, now, open, topic};
use crate::{
    arguments::{DlqAct, DlqDiscard, DlqFilter},
    failure::Failure,
    progress::spinner,
};

/// Letters that are changed in one transaction.
const PAGE: u32 = 500;

/// What was done, and what could not be.
#[derive(Default)]
struct Tally {
    meant: u64,
    done: u64,
    /// Letters that a redrive does not help any more, or never could.
    tried_too_often: u64,
    foreign: u64,
}

pub(super) async fn redrive(arguments: &DlqAct, context: &Context) -> Result<Exit, Failure> {
    if arguments.from_topic {
        return redrive_from_topic(arguments, context).await;
    }
    let archive = open(context, access(arguments)).await?;
    let max_attempts = context.configuration.desk.max_attempts.get();
    let actor = actor();
    let mut pace = Pace::new(arguments.rate.map(std::num::NonZeroU32::get));
    let tally = each_page((arguments, context), &archive, async |letters, tally: &mut Tally| {
        let mut ids = Vec::new();
        for letter in letters {
            if letter.family != LetterFamily::Scoresync {
                tally.foreign += 1;
            } else if letter.attempt >= max_attempts {
                tally.tried_too_often += 1;
            } else {
                ids.push(letter.id.clone());
            }
        }
        if arguments.dry_run {
            return Ok(ids.len() as u64);
        }
        let request = Request {
            actor: &actor,
            action: "redrive",
            reason: "asked for at the command line",
            at: now(),
        };
        let mut done = 0;
        for some in ids.chunks(pace.portion()) {
            pace.wait(some.len()).await;
            done += archive.queue_redrives(some, &request, max_attempts).await?;
        }
        Ok(done)
    })
    .await?;
    tell(context, &tally, (arguments.dry_run, "redriven", "sent by a running desk"))
}

/// Without a desk nobody remembers what was sent: the same command sends the same letters again.
async fn redrive_from_topic(arguments: &DlqAct, context: &Context) -> Result<Exit, Failure> {
    let filter = meant(arguments, context)?;
    let mut letters = topic::read(context, filter).await?;
    if !arguments.letters.is_empty() {
        letters.retain(|found| arguments.letters.contains(&found.letter.id));
    }
    let max_attempts = context.configuration.desk.max_attempts.get();
    let mut tally = Tally {
        meant: letters.len() as u64,
        ..Tally::default()
    };
    letters.retain(|found| {
        let is_ours = found.letter.family == LetterFamily::Scoresync;
        let is_worth_it = found.letter.attempt < max_attempts;
        tally.foreign += u64::from(!is_ours);
        tally.tried_too_often += u64::from(is_ours && !is_worth_it);
        is_ours && is_worth_it
    });
    tally.done = letters.len() as u64;
    if !arguments.dry_run {
        let rate = arguments.rate.unwrap_or(context.configuration.desk.redrives_per_second);
        tally.done = topic::send(context, letters, rate).await?;
    }
    tell(context, &tally, (arguments.dry_run, "redriven", "sent to scores.raw from here"))
}

pub(super) async fn discard(arguments: &DlqDiscard, context: &Context) -> Result<Exit, Failure> {
    if arguments.act.from_topic {
        return Err(anyhow!("what is discarded is remembered by the desk alone: leave --from-topic out").into());
    }
    let archive = open(context, access(&arguments.act)).await?;
    let actor = actor();
    let tally = each_page((&arguments.act, context), &archive, async |letters, _: &mut Tally| {
        let ids: Vec<LetterId> = letters.iter().map(|letter| letter.id.clone()).collect();
        if arguments.act.dry_run {
            return Ok(ids.len() as u64);
        }
        let request = Request {
            actor: &actor,
            action: "discard",
            reason: &arguments.because,
            at: now(),
        };
        archive.discard_letters(&ids, &request).await
    })
    .await?;
    tell(context, &tally, (arguments.act.dry_run, "discarded", "closed"))
}

fn access(arguments: &DlqAct) -> Access {
    if arguments.dry_run { Access::Reader } else { Access::Desk }
}

/// Nobody means everything by saying nothing.
fn meant(arguments: &DlqAct, context: &Context) -> anyhow::Result<LetterFilter> {
    let filter = |filter| filter_of(filter, Some(LetterState::Open), context);
    let nothing = DlqFilter::default();
    let limits_nothing = filter(&arguments.filter) == filter(&nothing);
    if limits_nothing && arguments.letters.is_empty() && !arguments.all {
        bail!("say which letters are meant: name them, filter them, or take --all");
    }
    Ok(filter(&arguments.filter))
}

/// Goes through the open letters that are meant.
async fn each_page(
    (arguments, context): (&DlqAct, &Context),
    archive: &Archive,
    mut act: impl AsyncFnMut(&[Letter], &mut Tally) -> Result<u64, ArchiveError>,
) -> Result<Tally, Failure> {
    let filter = meant(arguments, context)?;
    let mut tally = Tally::default();
    if !arguments.letters.is_empty() {
        let mut letters = Vec::new();
        for id in &arguments.letters {
            let found = archive.letter(id).await?;
            letters.extend(found.map(|(letter, _)| letter).filter(|letter| letter.state == LetterState::Open));
        }
        tally.meant = letters.len() as u64;
        tally.done = act(&letters, &mut tally).await?;
        return Ok(tally);
    }
    let bar = spinner("letters");
    let mut after = None;
    loop {
        let page = LetterPage { after, limit: PAGE };
        let letters = archive.letters(&filter, &page).await?;
        tally.meant += letters.len() as u64;
        let done = act(&letters, &mut tally).await?;
        tally.done += done;
        bar.set_message(format!("{} of {}", tally.done, tally.meant));
        bar.tick();
        let is_last = letters.len() < PAGE as usize;
        after = letters.into_iter().next_back().map(|letter| (letter.first_failed_at, letter.id));
        if is_last {
            bar.finish_and_clear();
            return Ok(tally);
        }
    }
}

fn tell(context: &Context, tally: &Tally, (dry_run, done, how): (bool, &str, &str)) -> Result<Exit, Failure> {
    let document = json!({
        "dry_run": dry_run,
        "meant": tally.meant,
        done: tally.done,
        "tried_too_often": tally.tried_too_often,
        "of_other_systems": tally.foreign,
    });
    context.output.print(&document, |_| {
        let would = if dry_run { "would be " } else { "" };
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
        if tally.foreign > 0 {
            lines.push(format!("{} come from other systems: they are mended there", tally.foreign));
        }
        lines
    })?;
    Ok(Exit::Ok)
}

/// So many letters in a second at most.
struct Pace {
    per_second: Option<u32>,
    begun: Instant,
    asked: u64,
}

impl Pace {
    fn new(per_second: Option<u32>) -> Self {
        Self {
            per_second,
            begun: Instant::now(),
            asked: 0,
        }
    }

    /// How many are asked for at once.
    fn portion(&self) -> usize {
        self.per_second.map_or(PAGE, |rate| rate.min(PAGE)) as usize
    }

    async fn wait(&mut self, count: usize) {
        if let Some(rate) = self.per_second {
            let due = Duration::from_secs_f64(self.asked as f64 / f64::from(rate));
            tokio::time::sleep_until((self.begun + due).into()).await;
        }
        self.asked += count as u64;
    }
}
