//! The import itself: reads ahead of the broker only so far, and remembers what is acknowledged.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use scoresync_domain::{Problem, Source, Timestamp};
use scoresync_kafka::DeliveryFailure;
use scoresync_service::{Shutdown, now_millis};

use super::{
    checkpoint::{Checkpoint, CheckpointError, Identity},
    counted::{ByteCount, Counted},
    summary::ImportSummary,
};
use crate::{
    format::{BodyError, Format, Limits, RowReader, SettingsError, read_rows},
    intake::{Intake, IntakeError, Submission},
    source_format::format_settings_of,
};

/// Rows on their way at most; more wait for the broker.
const MAX_IN_FLIGHT: usize = 10_000;
/// How long a full producer's queue is waited for. The broker is away much longer before this counts: see [`MAX_IN_FLIGHT`].
const PATIENCE: Duration = Duration::from_secs(60);
const REMEMBER_EVERY: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(2);

/// Which file, and how.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// Whose reports they are.
    pub source: &'a Source,
    /// The file; `-` is standard input, which cannot be resumed.
    pub file: &'a Path,
    /// What it is.
    pub format: Format,
    /// Where interrupted imports keep how far they came.
    pub state_dir: &'a Path,
    /// Begin at the first row, whatever is remembered.
    pub restart: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportProgress {
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Bytes that it has, where that is known.
    pub bytes_total: Option<u64>,
    /// Rows that were read.
    pub rows: u64,
    /// Rows that are on their way to the broker.
    pub in_flight: usize,
    /// Rows that could not be read.
    pub unreadable: u64,
}

/// Why an import did not come to the end of its file. What was acknowledged is remembered; importing again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {path}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The source's settings do not fit the file.
    #[error("{0}")]
    Source(Problem),
    /// The source's settings do not make a reader.
    #[error("the source's format settings cannot be used")]
    Settings(#[from] SettingsError),
    /// A row was not queued.
    #[error("row {row} was not sent; the rows before are acknowledged or will be sent again")]
    Row {
        /// Number of the row.
        row: u64,
        /// Why.
        #[source]
        cause: IntakeError,
    },
    /// The broker refused a row.
    #[error("the broker did not take a row")]
    Refused(#[source] DeliveryFailure),
    /// How far it came cannot be remembered.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Sends a file's rows and waits until the broker has all of them. Blocks; belongs to a thread of its own.
///
/// # Errors
/// See [`ImportError`]. A file that cannot be read on is no error but told in the summary.
pub fn import_file(
    intake: &Intake,
    request: ImportRequest<'_>,
    shutdown: &Shutdown,
    observe: &mut dyn FnMut(ImportProgress),
) -> Result<ImportSummary, ImportError> {
    let started = Instant::now();
    let settings = format_settings_of(request.source).map_err(ImportError::Source)?;
    let checkpoint = checkpoint_of(&request, format!("{} {settings:?}", request.format))?;
    let first_row = checkpoint.as_ref().filter(|_| !request.restart).map_or(1, Checkpoint::first_row);
    let bytes = ByteCount::default();
    let (input, bytes_total) = open(request.file, &bytes)?;
    let rows = read_rows(request.format, &settings, Limits::default(), BufReader::new(input))?;
    let mut import = Import {
        submission: intake.submission(request.source, request.format.content_type()),
        checkpoint,
        first_row,
        remembered_at: Instant::now(),
        progress: ImportProgress { bytes_total, ..ImportProgress::default() },
        bytes,
        shutdown,
        observe,
    };
    let mut summary = ImportSummary::default();
    import.send(rows, &mut summary, request.file)?;
    import.wait_for_all(&mut summary)?;
    summary.skipped = (first_row - 1).min(summary.rows);
    summary.acknowledged = import.first_unacknowledged().saturating_sub(first_row);
    summary.seconds = started.elapsed().as_secs_f64();
    Ok(summary)
}

fn checkpoint_of(request: &ImportRequest<'_>, reading: String) -> Result<Option<Checkpoint>, ImportError> {
    if request.file.as_os_str() == "-" {
        return Ok(None);
    }
    let identity = Identity::of(&request.source.name, request.file, reading);
    let identity = identity.map_err(|cause| ImportError::File { path: request.file.to_owned(), cause })?;
    Ok(Some(Checkpoint::in_folder(request.state_dir, identity)?))
}

fn open(file: &Path, bytes: &ByteCount) -> Result<(Counted<Box<dyn Read>>, Option<u64>), ImportError> {
    if file.as_os_str() == "-" {
        return Ok((Counted::new(Box::new(io::stdin()), bytes.clone()), None));
    }
    let opened = File::open(file).and_then(|opened| opened.metadata().map(|metadata| (opened, metadata.len())));
    let (opened, size) = opened.map_err(|cause| ImportError::File { path: file.to_owned(), cause })?;
    Ok((Counted::new(Box::new(opened), bytes.clone()), Some(size)))
}

struct Import<'a> {
    submission: Submission<'a>,
    checkpoint: Option<Checkpoint>,
    first_row: u64,
    remembered_at: Instant,
    progress: ImportProgress,
    bytes: ByteCount,
    shutdown: &'a Shutdown,
    observe: &'a mut dyn FnMut(ImportProgress),
}

impl Import<'_> {
    fn send<R: io::BufRead>(&mut self, rows: RowReader<R>, summary: &mut ImportSummary, file: &Path) -> Result<(), ImportError> {
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err(BodyError::Broken(broken)) => {
                    summary.note_broken(&broken);
                    return Ok(());
                }
                Err(BodyError::Input { source, .. }) => return Err(ImportError::File { path: file.to_owned(), cause: source }),
            };
            summary.note_row(&row);
            let number = row.number;
            if number < self.first_row {
                continue;
            }
            if self.wait_for_room(summary)? {
                summary.rows = number - 1;
                return Ok(());
            }
            let received_at = Timestamp::from_millis(now_millis());
            self.submission.accept(row, received_at, PATIENCE).map_err(|cause| ImportError::Row { row: number, cause })?;
        }
        Ok(())
    }

    /// Waits while too much is on its way, for as long as the broker is away; says whether the end was asked for.
    fn wait_for_room(&mut self, summary: &mut ImportSummary) -> Result<bool, ImportError> {
        self.look_around(summary)?;
        while self.submission.in_flight() >= MAX_IN_FLIGHT && !self.shutdown.pause(STEP) {
            self.look_around(summary)?;
        }
        summary.interrupted = self.shutdown.is_requested();
        Ok(summary.interrupted)
    }

    fn wait_for_all(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        while self.submission.in_flight() > 0 && !self.shutdown.pause(STEP) {
            self.look_around(summary)?;
        }
        self.look_around(summary)?;
        summary.interrupted |= self.submission.in_flight() > 0;
        let complete = !summary.interrupted && summary.broken.is_none();
        self.remember(complete)
    }

    fn look_around(&mut self, summary: &ImportSummary) -> Result<(), ImportError> {
        if let Some(failure) = self.submission.failure() {
            let failure = failure.clone();
            self.remember(false)?;
            return Err(ImportError::Refused(failure));
        }
        if self.remembered_at.elapsed() >= REMEMBER_EVERY {
            self.remember(false)?;
        }
        self.progress.bytes_read = self.bytes.get();
        self.progress.rows = summary.rows;
        self.progress.unreadable = summary.unreadable;
        self.progress.in_flight = self.submission.in_flight();
        (self.observe)(self.progress);
        Ok(())
    }

    /// The first row that has to be sent when this import is killed now.
    fn first_unacknowledged(&self) -> u64 {
        self.submission.first_unacknowledged().max(self.first_row)
    }

    fn remember(&mut self, complete: bool) -> Result<(), ImportError> {
        self.remembered_at = Instant::now();
        match &self.checkpoint {
            Some(checkpoint) => Ok(checkpoint.write(self.first_unacknowledged(), complete)?),
            None => Ok(()),
        }
    }
}
