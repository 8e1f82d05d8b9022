//! `scoresync audit --repair`: what is missing or altered, made anew.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_audit::{Books, Finding, Remedy, Repair, Repaired};
use scoresync_desk::{DecisionError, Resender};
use scoresync_domain::Origin;
use scoresync_fault_points::{self as fault_points, Point};
use tokio::runtime::Handle;

use super::{Context, Office};
use crate::{
    confirmation::is_confirmed,
    directory::read_directory,
    failure::{Failure, causes},
};

/// Shows what would put the books right, does it where that is wanted, and gives the books as they are then.
pub(super) async fn run(books: Books, (office, yes): (&Office, bool), context: &Context) -> Result<Books, Failure> {
    if books.remedy.is_empty() {
        tell(if books.balance() {
            "there is nothing to repair"
        } else {
            "nothing of this can be repaired by a command"
        });
        return Ok(books);
    }
    intentions(&books).iter().for_each(|line| tell(line));
    if !is_confirmed(yes, "Repair this?")? {
        tell("nothing was done");
        return Ok(books);
    }
    let remedy = books.remedy.clone();
    let repaired = office
        .work(move |audit, progress| Repair { audit, remedy: &remedy }.run(progress))
        .await?;
    told(&repaired).iter().for_each(|line| tell(line));
    let reports: Vec<Origin> = books.remedy.reports.into_iter().collect();
    let is_awaited = !reports.is_empty();
    if is_awaited {
        send_again(reports, office, context).await?.iter().for_each(|line| tell(line));
    }
    tell("looking again:");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let books = office.close().await?;
        if !is_awaited || books.remedy.reports.is_empty() || Instant::now() > deadline {
            return Ok(books);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How long mapper and desk may take for what was sent again.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

/// To people beside the result, which is on standard output.
#[expect(clippy::print_stderr, reason = "the command line speaks to people")]
fn tell(line: &str) {
    eprintln!("{line}");
}

/// What would be done, each thing with why.
fn intentions(books: &Books) -> Vec<String> {
    let mut lines: Vec<String> = books
        .findings
        .iter()
        .map(|Finding { item, text, .. }| format!("  {item}: {text}"))
        .collect();
    let Remedy {
        results,
        fates,
        reports,
        letters,
        beyond,
        ..
    } = &books.remedy;
    let refusals = books.remedy.refusals();
    lines.insert(0, format!("{} findings:", books.finding_count));
    lines.push("to be done:".to_owned());
    let mut intend = |count: usize, what: &str| {
        if count > 0 {
            lines.push(format!("  {count} {what}"));
        }
    };
    intend(
        results.len(),
        "results are made anew from all that scores.enriched says of them; of what nobody said, nothing stays",
    );
    intend(refusals, "refusals of records that cannot be decoded are written anew");
    intend(fates.len(), "counts of fates are corrected");
    intend(letters.len(), "letters that are closed as filed and are not are opened again");
    intend(reports.len(), "reports are sent through the pipeline again, with their origin");
    intend(
        usize::try_from(*beyond).unwrap_or(usize::MAX),
        "findings need a person: see docs/audit.md",
    );
    lines
}

fn told(repaired: &Repaired) -> Vec<String> {
    let failed = repaired
        .failed
        .iter()
        .map(|(result_id, why)| format!("result {result_id} could not be made anew: {}", causes(why)));
    std::iter::once(format!("{} results were made anew", repaired.results))
        .chain(failed)
        .collect()
}

/// Sends reports again that came to nothing, and says what was done.
async fn send_again(reports: Vec<Origin>, office: &Office, context: &Context) -> Result<Vec<String>, Failure> {
    let directory = read_directory(context, &office.registry).await?.position();
    let (kafka, topics) = (office.kafka.clone(), office.topics.clone());
    let (archive, runtime) = (Arc::clone(&office.archive), Handle::current());
    let sending = tokio::task::spawn_blocking(move || {
        let resender = Resender::new(&kafka, &topics)?;
        let send = |origin: Origin| -> Result<(), DecisionError> {
            let report = resender.report(origin)?;
            resender.send_again((origin, &report), (&archive, &runtime), directory)
        };
        let (mut sent, mut lines) = (0_u64, Vec::new());
        for origin in reports {
            match send(origin) {
                Ok(()) => {
                    fault_points::pass(Point::LostReportSent);
                    sent += 1;
                }
                Err(error) if error.is_of_report() => lines.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        lines.insert(0, format!("{sent} reports were sent again, and are in flight"));
        Ok::<_, DecisionError>(lines)
    });
    Ok(sending.await??)
}
