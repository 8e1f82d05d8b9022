//! Single updates: a thread that follows the table and writes what it is told, many at once where many wait.

use std::{
    collections::{HashSet, VecDeque},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    time::{Duration, Instant},
};

use scoresync_domain::{RosterEntry, RosterError, Timestamp};
use scoresync_kafka::Kind;
use scoresync_service::{Shutdown, StageReadiness};
use tokio::sync::oneshot;

use super::{
    known::normal,
    patience::Patience,
    refusals::Refusals,
    statement::{About, Change, Repetition, Silence, Statement},
    table::{EmployeesTable, Outcome, RosterSurroundings, StatementError, TableWriteError},
};

/// Updates that may wait; more are refused.
const MAX_WAITING: usize = 1_024;
/// Updates that are written together.
const MAX_TOGETHER: usize = 256;
/// How long an update waits to be acknowledged.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(15);
/// How often the table is followed while nothing is to be written.
const IDLE: Duration = Duration::from_millis(50);
/// A broker that takes longer makes the stage not ready.
const SLOW: Duration = Duration::from_secs(2);
/// How long the end waits for the broker and for whoever may still send an update.
const SETTLE: Duration = Duration::from_secs(8);

/// Takes updates. Clones share one follower.
#[derive(Clone, Debug)]
pub struct RosterWriter(SyncSender<Request>);

/// The other end: works on a thread of its own.
#[derive(Debug)]
pub struct RosterFollower(pub(super) Receiver<Request>);

#[derive(Debug)]
pub(super) struct Request {
    pub(super) statement: Statement,
    pub(super) answer: oneshot::Sender<Result<UpdateOutcome, UpdateError>>,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// A record was written and stands.
    Changed,
    /// This is what was known already.
    Unchanged,
    /// Something of a later moment is known; nothing was changed.
    Stale,
}

/// Why an update was not done, or not known to be done. Sending it again is safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// It cannot be a record.
    #[error(transparent)]
    Invalid(#[from] RosterError),
    /// The record would be too large.
    #[error("the employee's record would be larger than the topic takes; state fewer identities")]
    TooLarge,
    /// Too many updates wait.
    #[error("too many updates of employees wait for the broker; send it again later")]
    Busy,
    /// The broker has not acknowledged it.
    #[error("the broker has not acknowledged the update; send it again")]
    NotAcknowledged,
    /// It met an erasure of the same employee.
    #[error("the employee was erased at the same moment; erase the employee again if that was meant")]
    Erased,
    /// The process is to end.
    #[error("the process is shutting down; send the update again")]
    ShuttingDown,
}

/// Both ends of a writer. Nothing is written until the follower runs.
#[must_use]
pub fn roster_writer() -> (RosterWriter, RosterFollower) {
    let (sender, receiver) = sync_channel(MAX_WAITING);
    (RosterWriter(sender), RosterFollower(receiver))
}

impl RosterWriter {
    /// Records all that is said of an employee at a moment: what the entry leaves out is no longer so. Returns when the record is
    /// acknowledged and was looked at again.
    ///
    /// # Errors
    /// See [`UpdateError`].
    pub async fn update(&self, entry: RosterEntry, as_of: Timestamp) -> Result<UpdateOutcome, UpdateError> {
        let (answer, answered) = oneshot::channel();
        let statement = Statement {
            as_of,
            said: About::Entry(entry, Silence::None),
            repetition: Repetition::Recorded,
        };
        self.0.try_send(Request { statement, answer }).map_err(|error| match error {
            TrySendError::Full(_) => UpdateError::Busy,
            TrySendError::Disconnected(_) => UpdateError::ShuttingDown,
        })?;
        match tokio::time::timeout(ACKNOWLEDGE_WITHIN, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(UpdateError::ShuttingDown),
            Err(_) => Err(UpdateError::NotAcknowledged),
        }
    }
}

impl RosterFollower {
    /// Reads the table, then writes what the writers are told, until the end is asked for.
    ///
    /// While the broker or the registry is away it waits, not ready, and goes on by itself.
    ///
    /// # Errors
    /// What does not pass without a person.
    pub fn run(
        self,
        surroundings: &RosterSurroundings<'_>,
        readiness: &StageReadiness,
        shutdown: &Shutdown,
    ) -> Result<(), TableWriteError> {
        readiness.not_ready("reading the employees");
        let mut goes_on = goes_on(readiness, shutdown);
        let mut patience = Patience::new(&mut goes_on);
        let outcome = open(surroundings, &mut patience).and_then(|table| {
            let following = Following {
                table,
                requests: self.0,
                deferred: VecDeque::new(),
                refusals: Refusals::default(),
            };
            following.follow(&mut patience, (readiness, shutdown))
        });
        match outcome {
            Err(TableWriteError::GivenUp { .. }) if shutdown.is_requested() => Ok(()),
            outcome => outcome,
        }
    }
}

/// Waits for ever, but not for long once the end is asked for.
fn goes_on<'a>(readiness: &'a StageReadiness, shutdown: &'a Shutdown) -> impl FnMut(Duration) -> bool + use<'a> {
    let mut asked = None;
    move |waited| {
        if waited >= SLOW {
            readiness.not_ready("the employees cannot be read or written: no answer from the broker or the registry");
        }
        let since = shutdown.is_requested().then(|| *asked.get_or_insert_with(Instant::now));
        since.is_none_or(|since| since.elapsed() < SETTLE)
    }
}

/// Opens and reads the table, as often as it takes.
fn open(surroundings: &RosterSurroundings<'_>, patience: &mut Patience<'_>) -> Result<EmployeesTable, TableWriteError> {
    let mut table = loop {
        match EmployeesTable::open(surroundings) {
            Ok(table) => break table,
            Err(error) if error.kind() == Kind::Transient => {
                patience.back_off(&error).map_err(|_| TableWriteError::GivenUp { open: 0 })?;
            }
            Err(error) => return Err(error),
        }
    };
    table.catch_up(patience)?;
    Ok(table)
}

struct Following {
    table: EmployeesTable,
    requests: Receiver<Request>,
    /// Later updates of an employee who was in the batch already, in their order.
    deferred: VecDeque<Request>,
    refusals: Refusals,
}

impl Following {
    fn follow(mut self, patience: &mut Patience<'_>, (readiness, shutdown): (&StageReadiness, &Shutdown)) -> Result<(), TableWriteError> {
        let mut last_request = Instant::now();
        loop {
            patience.renew();
            self.refusals.tell(readiness);
            let Some(batch) = self.next_batch() else { return Ok(()) };
            if batch.is_empty() {
                if shutdown.is_requested() && last_request.elapsed() > SETTLE {
                    return Ok(());
                }
                self.idle(patience)?;
            } else {
                last_request = Instant::now();
                self.write(batch, patience)?;
            }
        }
    }

    fn idle(&mut self, patience: &mut Patience<'_>) -> Result<(), TableWriteError> {
        match self.table.follow() {
            Err(error) if error.kind() == Kind::Transient => patience.back_off(&error).map_err(|_| TableWriteError::GivenUp { open: 0 }),
            outcome => outcome,
        }
    }

    /// Updates of different employees; empty where none comes for a while, `None` where none can come any more.
    fn next_batch(&mut self) -> Option<Vec<Request>> {
        let first = match self.deferred.pop_front() {
            Some(first) => first,
            None => match self.requests.recv_timeout(IDLE) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return None,
            },
        };
        let waiting: Vec<_> = std::mem::take(&mut self.deferred)
            .into_iter()
            .chain(self.requests.try_iter().take(MAX_TOGETHER))
            .collect();
        let region = self.table.known().region();
        let (mut batch, mut employees) = (Vec::new(), HashSet::new());
        for request in std::iter::once(first).chain(waiting) {
            let is_first_of_employee = employees.insert(normal(request.statement.employee_no(), region).into_owned());
            if is_first_of_employee && batch.len() < MAX_TOGETHER {
                batch.push(request);
            } else {
                self.deferred.push_back(request);
            }
        }
        Some(batch)
    }

    fn write(&mut self, batch: Vec<Request>, patience: &mut Patience<'_>) -> Result<(), TableWriteError> {
        // Whoever does not wait any more was told to send it again.
        let (mut statements, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .filter(|request| !request.answer.is_closed())
            .map(|request| (request.statement, request.answer))
            .unzip();
        self.table.catch_up(patience)?;
        let known = self.table.known();
        for statement in &mut statements {
            statement.date_handovers(known, |identity| known.held(identity))?;
        }
        let outcomes = self.table.write(&statements, patience)?;
        self.refusals.note(&outcomes);
        for (outcome, answer) in outcomes.into_iter().zip(answers) {
            // Whoever went away meanwhile needs no answer.
            drop(answer.send(answer_of(outcome)));
        }
        Ok(())
    }
}

fn answer_of(outcome: Outcome) -> Result<UpdateOutcome, UpdateError> {
    match outcome {
        Outcome::Changed(Change::New | Change::Content) => Ok(UpdateOutcome::Changed),
        Outcome::Changed(Change::MomentAlone) | Outcome::Unchanged => Ok(UpdateOutcome::Unchanged),
        Outcome::Stale => Ok(UpdateOutcome::Stale),
        Outcome::Failed(error) => Err(match error {
            StatementError::Invalid(error) => UpdateError::Invalid(error),
            StatementError::TooLarge | StatementError::Unwritable(_) => UpdateError::TooLarge,
            StatementError::Erased => UpdateError::Erased,
            StatementError::Refused(_) | StatementError::Crowded => {
                tracing::error!(%error, "an update of an employee could not be written: {error}");
                UpdateError::NotAcknowledged
            }
        }),
    }
}
