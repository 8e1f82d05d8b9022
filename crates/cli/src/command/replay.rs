//! `scoresync replay`: a source's reports mapped anew, what differs, and its correction.

mod listing;

use std::{fs, path::PathBuf, thread};

use anyhow::{Context as _, anyhow, ensure};
use scoresync_archive::{Access, Archive};
use scoresync_domain::Source;
use scoresync_kafka::Topic;
use scoresync_replay::{Difference, Look, Replay, ReplayError, Span, Step};
use scoresync_service::Exit;
use scoresync_spill::scratch_folder;
use serde_json::{Value, json};
use tokio::{runtime::Handle, signal::ctrl_c, sync::oneshot};

use super::Context;
use crate::{
    arguments, confirmation::is_confirmed, failure::Failure, output::Output, progress::spinner, score_files::find_source,
    surroundings::Surroundings,
};

pub(super) async fn run(arguments: arguments::Replay, context: Context) -> Result<Exit, Failure> {
    let source = find_source(&context.checked.sources, &arguments.source)?.clone();
    let mut topics = vec![Topic::Raw, Topic::Enriched, Topic::Employees, Topic::Aliases];
    topics.extend(arguments.apply.then_some(Topic::DeadLetters));
    let surroundings = Surroundings::find(&context.configuration, &topics).await?;
    let archive = Archive::open(&context.configuration.archive, Access::Reader)
        .await
        .context("open the archive; has a sink run yet?")?;
    let folder = arguments.scratch.clone().unwrap_or_else(scratch_folder);
    let folder = tempfile::Builder::new()
        .prefix("scoresync-replay.")
        .tempdir_in(&folder)
        .with_context(|| format!("make a folder in {}", folder.display()))?;
    let job = Job {
        arguments,
        context,
        source,
        surroundings,
        archive,
        scratch: folder.path().to_owned(),
        runtime: Handle::current(),
    };
    // On a thread that nobody waits for, so that whoever interrupts it need not wait either.
    let (done, finished) = oneshot::channel();
    thread::Builder::new()
        .name("replay".to_owned())
        .spawn(move || done.send(job.run()))?;
    tokio::select! {
        ended = finished => ended.context("the replay stopped unexpectedly")?,
        interrupted = ctrl_c() => {
            interrupted?;
            drop(folder);
            Err(anyhow!("interrupted: what was sent is sent, and the same command sends what is left").into())
        }
    }
}

/// What the thread works with.
struct Job {
    arguments: arguments::Replay,
    context: Context,
    source: Source,
    surroundings: Surroundings,
    archive: Archive,
    scratch: PathBuf,
    runtime: Handle,
}

impl Job {
    fn run(&self) -> Result<Exit, Failure> {
        let (configuration, checked) = (&self.context.configuration, &self.context.checked);
        let replay = Replay {
            kafka: &configuration.kafka,
            topics: &configuration.topics,
            registry: &self.surroundings.registry,
            enriched_schema_id: self.surroundings.schema_id(Topic::Enriched)?,
            runtime: &self.runtime,
            archive: &self.archive,
            sources: &checked.sources,
            source: &self.source,
            region: checked.roster.region(),
            span: Span {
                from: self.arguments.from,
                to: self.arguments.to,
            },
            scratch: &self.scratch,
        };
        let mut look = shown(|progress| replay.look(progress))?;
        if !self.arguments.apply {
            self.tell(&json!({ "difference": &look.difference }), &look.difference)?;
            return Ok(exit_of(&look.difference));
        }
        self.apply(&replay, &mut look)
    }

    fn apply(&self, replay: &Replay<'_>, look: &mut Look) -> Result<Exit, Failure> {
        if self.context.output == Output::Human {
            self.tell(&Value::Null, &look.difference)?;
        }
        if let Err(refusal) = self.admit(&look.difference) {
            if self.context.output == Output::Json {
                self.tell(&json!({ "difference": &look.difference, "sent": 0 }), &look.difference)?;
            }
            return Err(refusal.into());
        }
        let sent = shown(|progress| replay.send(look, progress))?;
        shown(|progress| replay.wait_for_sink(progress))?;
        // Where nothing was sent, nothing can differ since.
        let remaining = match sent {
            0 => None,
            _ => Some(self.look_again(replay)?),
        };
        let remaining = remaining.as_ref().unwrap_or(&look.difference);
        let document = json!({ "difference": &look.difference, "sent": sent, "remaining": remaining });
        self.context.output.print(&document, |_| listing::outcome(sent, remaining))?;
        Ok(exit_of(remaining))
    }

    /// By an archive of its own: in the first one stands what was not sent yet.
    fn look_again(&self, replay: &Replay<'_>) -> Result<Difference, Failure> {
        let scratch = self.scratch.join("again");
        fs::create_dir(&scratch)?;
        let replay = Replay {
            scratch: &scratch,
            ..*replay
        };
        Ok(shown(|progress| replay.look(progress))?.difference)
    }

    fn tell(&self, document: &Value, difference: &Difference) -> anyhow::Result<()> {
        self.context.output.print(document, |_| listing::lines(difference))
    }

    /// Whether what differs may be sent.
    fn admit(&self, difference: &Difference) -> anyhow::Result<()> {
        if let Some(least) = difference.least_mapping_version {
            return Err(anyhow!(listing::raise(difference, least)));
        }
        let (results, most) = (difference.results, self.arguments.at_most);
        ensure!(
            results <= most,
            "{results} results are affected, and --at-most allows {most}: look whether they are meant, then allow so many"
        );
        if difference.is_none() || self.arguments.yes {
            return Ok(());
        }
        let question = format!(
            "Send {} records, which correct what is said of {results} results?",
            difference.outputs
        );
        ensure!(is_confirmed(false, &question)?, "nothing was sent");
        Ok(())
    }
}

const fn exit_of(difference: &Difference) -> Exit {
    if difference.is_none() { Exit::Ok } else { Exit::Failed }
}

/// Records that are read between two changes of what is shown.
const SHOWN_EVERY: u64 = 1_000;

/// Does some work, and shows what is being done.
fn shown<T>(work: impl FnOnce(&mut (dyn FnMut(Step, u64) + Send)) -> Result<T, ReplayError>) -> anyhow::Result<T> {
    let bar = spinner("replay");
    let (mut present, mut count) = (None, 0);
    let done = work(&mut |step, number| {
        if present != Some(step) {
            (present, count) = (Some(step), 0);
        }
        count = if step == Step::Waiting { number } else { count + number };
        if step == Step::Waiting || count % SHOWN_EVERY == 1 {
            bar.set_message(match step {
                Step::Directory => "reading the employees".to_owned(),
                Step::Reports => format!("{count} reports of scores.raw"),
                Step::Scores => format!("{count} scores of scores.enriched"),
                Step::Comparing => format!("{count} reports compared"),
                Step::Filing => format!("{count} scores of scores.enriched, for affected results"),
                Step::Records => format!("{count} records compared"),
                Step::Sending => format!("{count} records sent"),
                Step::Waiting => format!("{count} records for the sink to file"),
            });
        }
    });
    bar.finish_and_clear();
    done.map_err(anyhow::Error::new)
}
