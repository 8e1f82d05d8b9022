//! A source's list beside the archive, and the reports that bring the archive up to date: for the command and for what runs by itself.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow, bail};
use scoresync_archive::Archive;
use scoresync_domain::{ResultId, ScoreReport, Source, Timestamp, WITHDRAWAL};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{Decoder, Registry, Topic, TopicNames};
use scoresync_producer::{BodyError, Format, Intake, Row, Submission, key_of};
use scoresync_reconcile::{
    Comparison, Difference, Extra, ListRow, NotWithdrawable, Progress, ReconcileError, Reconciliation, RowPlace, Scope, Settling,
    fields_of_withdrawal,
};
use scoresync_service::now_millis;
use tokio::runtime::Handle;

use crate::{
    configuration::{Checked, Configuration},
    directory::open_directory,
    score_files::ScoreFiles,
};

/// Topics that are needed to compare, and to send.
pub(crate) const NEEDED: [Topic; 5] = [Topic::Raw, Topic::Enriched, Topic::DeadLetters, Topic::Employees, Topic::Aliases];
/// How long the broker may take for reports.
const BROKER_PATIENCE: Duration = Duration::from_secs(60);
/// How long the stages may take until what was sent is settled.
const SETTLING_PATIENCE: Duration = Duration::from_secs(300);

/// Rows of a list, and the key that the report of each has: a list that has changed meanwhile is noticed by it.
pub(crate) type RowsToSend = HashMap<RowPlace, ResultId>;

/// Everything that comparing and sending need. Its functions wait: they belong on a thread of their own.
pub(crate) struct Ground {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) checked: Arc<Checked>,
    pub(crate) source: Source,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) format: Option<Format>,
    pub(crate) scope: Scope,
    /// Of which moment the list is; of that at which its files were changed last, where nothing is said.
    pub(crate) as_of: Option<Timestamp>,
    pub(crate) scratch: PathBuf,
    pub(crate) registry: Registry,
    pub(crate) archive: Arc<Archive>,
    pub(crate) runtime: Handle,
}

impl Ground {
    /// Compares the list with the archive as it is now, and shows each difference.
    pub(crate) fn compare(&self, show: &mut dyn FnMut(Difference) -> io::Result<()>, progress: Progress<'_>) -> anyhow::Result<Comparison> {
        let (kafka, topics) = (&self.configuration.kafka, &self.configuration.topics);
        let region = self.checked.roster.region();
        let live = open_directory((kafka, topics), region, (&self.registry, &self.runtime))?;
        let reconciliation = Reconciliation {
            kafka,
            topics,
            runtime: &self.runtime,
            archive: &self.archive,
            sources: &self.checked.sources,
            source: &self.source,
            directory: live.directory(),
            scope: &self.scope,
            as_of: self.as_of(),
            scratch: &self.scratch,
        };
        let list = self.files.iter().enumerate().flat_map(|(number, file)| self.list(number, file));
        Ok(reconciliation.run(list, show, progress)?)
    }

    /// The rows of one file, or why there are none.
    fn list<'s>(&'s self, number: usize, file: &'s Path) -> impl Iterator<Item = anyhow::Result<ListRow<'s>>> {
        let told = move |error: anyhow::Error| error.context(file.display().to_string());
        let (rows, failure) = match self.score_files().open(file) {
            Ok(rows) => (Some(rows), None),
            Err(error) => (None, Some(Err(told(error)))),
        };
        let listed = move |(row, report): (u64, ScoreReport<'s>)| {
            let (result_id, key) = key_of(&self.source, &report);
            ListRow {
                place: place(number, row),
                key,
                is_keyed: result_id.is_some(),
                report,
            }
        };
        let rows = rows.into_iter().flatten();
        let rows = rows.map(move |row| row.map(listed).map_err(|error: BodyError| told(error.into())));
        failure.into_iter().chain(rows)
    }

    fn score_files(&self) -> ScoreFiles<'_> {
        ScoreFiles {
            source: &self.source,
            format: self.format,
            limits: self.configuration.door.row_limits(),
        }
    }

    /// Files that cannot be asked are of this moment, at which nothing is too old.
    fn as_of(&self) -> Timestamp {
        let changed = |file: &PathBuf| file.metadata().and_then(|file| file.modified()).ok();
        let millis = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let oldest = self.files.iter().filter_map(changed).map(millis).min();
        let oldest = oldest.map(|millis| Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)));
        self.as_of.or(oldest).unwrap_or_else(|| Timestamp::from_millis(now_millis()))
    }

    /// Sends these rows of the list as reports, and says how many there were. All of them are acknowledged then.
    pub(crate) fn send(&self, rows: &RowsToSend, intake: &Intake) -> anyhow::Result<u64> {
        let mut sent = 0;
        for (number, file) in self.files.iter().enumerate() {
            let (format, read) = self.score_files().rows(file)?;
            let wanted = read.filter(|row| row.as_ref().map_or(true, |row| rows.contains_key(&place(number, row.number))));
            let mut submission = intake.submission(&self.source, format.content_type());
            for (sent_of_file, row) in (1..).zip(wanted) {
                let row = row?;
                if rows.get(&place(number, row.number)) != Some(&self.key_of(&row)) {
                    bail!("{} has changed since it was compared: compare again", file.display());
                }
                // Numbered as they are sent, so that all are acknowledged when the last is.
                let row = Row {
                    number: sent_of_file,
                    ..row
                };
                accept(&mut submission, row)?;
                fault_points::pass(Point::ListedRowQueued);
                sent += 1;
            }
            self.acknowledged(submission)?;
        }
        if sent != rows.len() as u64 {
            bail!("the list has fewer rows than when it was compared: compare again");
        }
        Ok(sent)
    }

    /// Sends a withdrawal for each of these, and gives back those for which there is none, with why.
    pub(crate) fn withdraw(&self, extras: &[Extra], intake: &Intake) -> anyhow::Result<Vec<(Extra, NotWithdrawable)>> {
        let (kafka, topics) = (&self.configuration.kafka, &self.configuration.topics);
        let subject = TopicNames::new(topics).subject(Topic::Raw);
        let mut reports = Decoder::<ScoreReport<'static>>::new(subject, self.registry.clone(), self.runtime.clone());
        let mut submission = intake.submission(&self.source, WITHDRAWAL);
        let (mut refused, mut number) = (Vec::new(), 0);
        for extra in extras {
            // A person was asked meanwhile, who may have thought for long.
            let present = self.runtime.block_on(self.archive.records_of_results(&[extra.result_id]))?;
            if present.first().map(|record| record.head.origin) != Some(extra.origin) {
                refused.push((*extra, NotWithdrawable::Changed));
                continue;
            }
            match fields_of_withdrawal(*extra, &self.source, (kafka, topics), &mut reports) {
                Ok(fields) => {
                    number += 1;
                    let row = Row {
                        number,
                        line: number,
                        content: Ok(fields),
                    };
                    accept(&mut submission, row)?;
                    fault_points::pass(Point::WithdrawalQueued);
                }
                Err(reason @ (NotWithdrawable::Gone | NotWithdrawable::OfAnother | NotWithdrawable::Changed)) => {
                    refused.push((*extra, reason));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.acknowledged(submission)?;
        Ok(refused)
    }

    fn key_of(&self, row: &Row) -> ResultId {
        let report = row.clone().into_report(&self.source, "", Timestamp::from_millis(0));
        key_of(&self.source, &report).1
    }

    fn acknowledged(&self, submission: Submission<'_>) -> anyhow::Result<()> {
        let acknowledgement = submission.into_acknowledgement();
        let waited = self.runtime.block_on(acknowledgement.wait(BROKER_PATIENCE));
        waited.context("not all reports were acknowledged; running it again sends what is still missing")
    }

    /// Waits until everything that was sent is filed, refused or a dead letter.
    pub(crate) fn settle(&self, goes_on: &mut dyn FnMut() -> bool) -> anyhow::Result<()> {
        let settling = Settling {
            kafka: &self.configuration.kafka,
            topics: &self.configuration.topics,
            runtime: &self.runtime,
            archive: &self.archive,
            patience: SETTLING_PATIENCE,
        };
        let is_settled = settling.wait(goes_on).map_err(|error: ReconcileError| anyhow!(error))?;
        if !is_settled {
            bail!("what was sent has not come to its end within {SETTLING_PATIENCE:?}; do mapper, sink and desk run?");
        }
        Ok(())
    }
}

fn place(file: usize, row: u64) -> RowPlace {
    RowPlace {
        file: u32::try_from(file).unwrap_or(u32::MAX),
        row,
    }
}

fn accept(submission: &mut Submission<'_>, row: Row) -> anyhow::Result<()> {
    submission.accept(row, Timestamp::from_millis(now_millis()), BROKER_PATIENCE)?;
    Ok(())
}
