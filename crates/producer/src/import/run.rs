//! The import of several files, one after the other.

use std::{
    fs::TryLockError,
    io::{BufReader, Read},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use scoresync_domain::Source;
use scoresync_kafka::{KafkaSettings, Kind, Topic, TopicSettings, describe_topic};
use scoresync_service::{Backoff, BackoffLimits, Shutdown};

use super::{
    broker_wait::InFlight,
    checkpoint::CheckpointFile,
    error::{Acknowledged, ImportError},
    fingerprint::{Fingerprint, Route},
    input::{Counted, Input},
    progress::{ImportProgress, ImportState},
    resume::{Beginning, Resume, beginning},
    sending::{Kept, Place, Sending, Watch},
    summary::{FileOutcome, FileSummary, ImportSummary},
};
use crate::{
    format::{Format, FormatSettings, Limits, read_rows},
    intake::Intake,
    source_format::format_settings_of,
};

/// What is imported, and where it goes.
#[derive(Clone, Copy)]
pub struct ImportRequest<'a> {
    /// The way into `scores.raw`.
    pub intake: &'a Intake,
    /// `[kafka]`, for telling the topic from a namesake made later.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// Whose files they are.
    pub source: &'a Source,
    /// The files; `-` is standard input, which cannot be gone on with.
    pub files: &'a [PathBuf],
    /// How.
    pub options: &'a ImportOptions,
}

/// How files are imported.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Their format, where their names do not tell it.
    pub format: Option<Format>,
    /// The folder in which is kept how far imports are.
    pub state_folder: PathBuf,
    /// Whether to go on where an import stopped.
    pub resume: Resume,
    /// Rows that may be on their way to the broker.
    pub max_in_flight: usize,
    /// How long the broker may acknowledge nothing before the import fails.
    pub broker_patience: Duration,
    /// How much a row may hold.
    pub limits: Limits,
}

impl ImportOptions {
    /// The defaults: ten thousand rows on their way, ten minutes of patience.
    #[must_use]
    pub fn new(state_folder: PathBuf) -> Self {
        Self {
            format: None,
            state_folder,
            resume: Resume::default(),
            max_in_flight: 10_000,
            broker_patience: Duration::from_secs(600),
            limits: Limits::default(),
        }
    }
}

/// Who watches an import, and who may end it.
pub struct ImportRun<'a> {
    /// Is told how far it is, several times a second.
    pub observer: &'a mut dyn FnMut(&ImportProgress<'_>),
    /// Ends it after the row in hand.
    pub shutdown: &'a Shutdown,
}

/// Imports files. Blocks the thread; how each file ended is in the summary.
///
/// A file that cannot be read does not keep the next ones from being imported; a broker that stays away does.
pub fn import(request: &ImportRequest<'_>, run: &mut ImportRun<'_>) -> ImportSummary {
    let importing = Importing {
        request: *request,
        topic_id: None,
    };
    importing.files(run)
}

/// An import of several files.
pub(super) struct Importing<'a> {
    pub(super) request: ImportRequest<'a>,
    /// Asked for when it is needed.
    pub(super) topic_id: Option<String>,
}

/// A file that is about to be sent.
struct Prepared {
    input: Box<dyn Read>,
    settings: FormatSettings,
    format: Format,
    kept: Option<Kept>,
    begin_at: u64,
}

impl Importing<'_> {
    pub(super) fn files(mut self, run: &mut ImportRun<'_>) -> ImportSummary {
        let begun = Instant::now();
        let (mut summary, mut has_ended) = (ImportSummary::default(), false);
        let files = self.request.files;
        for (path, number) in files.iter().zip(1..) {
            let mut file = FileSummary::new(path.clone());
            if !has_ended {
                let begun = Instant::now();
                let place = Place {
                    path,
                    number,
                    files: files.len(),
                    bytes_total: None,
                };
                file.outcome = match self.file(place, &mut file, run) {
                    Ok(outcome) => outcome,
                    Err(error) => {
                        has_ended = !error.concerns_one_file();
                        FileOutcome::Failed(error)
                    }
                };
                file.seconds = begun.elapsed().as_secs_f64();
            }
            summary.files.push(file);
        }
        summary.seconds = begun.elapsed().as_secs_f64();
        summary
    }

    fn file(&mut self, place: Place<'_>, summary: &mut FileSummary, run: &mut ImportRun<'_>) -> Result<FileOutcome, ImportError> {
        let ImportRequest {
            intake, source, options, ..
        } = self.request;
        let input = Input::open(place.path)?;
        let Some(prepared) = self.prepare(input, place.path, (summary, run))? else {
            return Ok(FileOutcome::AlreadyImported);
        };
        let watched = std::mem::replace(summary, FileSummary::new(place.path.to_owned()));
        let bytes_read = Arc::new(AtomicU64::new(0));
        let size = prepared.kept.as_ref().map(|kept| kept.fingerprint.size);
        let input = BufReader::with_capacity(256 * 1024, Counted::new(prepared.input, &bytes_read));
        let rows = read_rows(prepared.format, &prepared.settings, options.limits, input)?;
        let now = Instant::now();
        let mut sending = Sending {
            submission: intake.submission(source, prepared.format.content_type()),
            in_flight: InFlight::new(options.max_in_flight),
            begin_at: prepared.begin_at,
            kept: prepared.kept,
            place: Place {
                bytes_total: size,
                ..place
            },
            bytes_read,
            watch: Watch {
                observer: &mut *run.observer,
                shutdown: run.shutdown,
                broker_patience: options.broker_patience,
            },
            summary: watched,
            last_beat: now,
            last_checkpoint: now,
        };
        let outcome = sending.send(rows);
        *summary = sending.summary;
        outcome?;
        Ok(FileOutcome::Complete)
    }

    /// Finds out how the file is read and where to begin; `None` where there is nothing to be done.
    fn prepare(
        &mut self,
        input: Input,
        path: &Path,
        (summary, run): (&mut FileSummary, &mut ImportRun<'_>),
    ) -> Result<Option<Prepared>, ImportError> {
        let format = self.request.options.format.map_or_else(|| Format::of_file(path), Ok)?;
        let settings = format_settings_of(self.request.source).map_err(ImportError::Source)?;
        let mut file = match input {
            Input::File(file) => file,
            Input::Stream(input) => {
                return Ok(Some(Prepared {
                    input,
                    settings,
                    format,
                    kept: None,
                    begin_at: 1,
                }));
            }
        };
        let topic_id = self.topic_id(path, run)?;
        let route = Route {
            source: &self.request.source.name,
            format,
            settings: &settings,
            topic_id: &topic_id,
        };
        let fingerprint = Fingerprint::take(&mut file, path, route).map_err(|source| ImportError::Open {
            path: path.to_owned(),
            source,
        })?;
        let (kept, begin_at) = match self.begin(fingerprint)? {
            (_, Beginning::AlreadyImported) => return Ok(None),
            (kept, Beginning::At(row, notice)) => {
                summary.notices.extend(notice);
                (Some(kept), row)
            }
        };
        Ok(Some(Prepared {
            input: Box::new(file),
            settings,
            format,
            kept,
            begin_at,
        }))
    }

    fn begin(&self, fingerprint: Fingerprint) -> Result<(Kept, Beginning), ImportError> {
        let options = self.request.options;
        let failed = |path: &Path, source| ImportError::State {
            path: path.to_owned(),
            source,
        };
        let file = CheckpointFile::open(&options.state_folder, &fingerprint).map_err(|error| match error {
            TryLockError::WouldBlock => ImportError::InProgress,
            TryLockError::Error(source) => failed(&options.state_folder, source),
        })?;
        let found = file.load().map_err(|source| failed(file.path(), source))?;
        let beginning = beginning(found.as_ref(), &fingerprint, (options.resume, self.request.source.repeat));
        Ok((Kept { file, fingerprint }, beginning))
    }

    /// The topic's id, asked for once; waits while the broker is away.
    fn topic_id(&mut self, path: &Path, run: &mut ImportRun<'_>) -> Result<String, ImportError> {
        if let Some(topic_id) = &self.topic_id {
            return Ok(topic_id.clone());
        }
        let (begun, mut backoff) = (Instant::now(), Backoff::new(BackoffLimits::default()));
        loop {
            let error = match describe_topic(Topic::Raw, self.request.kafka, self.request.topics) {
                Ok(description) => {
                    self.topic_id = Some(description.topic_id.clone());
                    return Ok(description.topic_id);
                }
                Err(error) => error,
            };
            let waited = begun.elapsed();
            if error.kind() == Kind::Environment || waited > self.request.options.broker_patience {
                return Err(ImportError::Destination(error));
            }
            (run.observer)(&waiting(path, waited, self.request.files.len()));
            if run.shutdown.pause(backoff.next_delay()) {
                return Err(ImportError::Interrupted {
                    acknowledged: Acknowledged {
                        first_unacknowledged: 1,
                        can_resume: false,
                    },
                });
            }
        }
    }
}

/// Nothing is read yet.
fn waiting(file: &Path, waited: Duration, files: usize) -> ImportProgress<'_> {
    ImportProgress {
        file,
        file_number: 1,
        files,
        bytes_read: 0,
        bytes_total: None,
        rows_read: 0,
        rows_skipped: 0,
        rows_sent: 0,
        rows_acknowledged: 0,
        rows_unreadable: 0,
        state: ImportState::WaitingForBroker { waited },
    }
}
