//! The table of employees: read live, written by statements, and looked at again after every write.

use std::{collections::HashMap, sync::Arc, time::Duration};

use scoresync_domain::{Employee, Region, RosterError};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    DatumError, DeliveryFailure, Encoder, Error, KafkaSettings, Kind, Outgoing, PublishError, Publisher, Registry, TableEnds, TableError,
    TableReader, Topic, TopicNames, TopicSettings,
};
use tokio::runtime::Handle;

use super::{
    delivery::{Deliveries, WriteTicket},
    known::KnownEmployees,
    patience::{BEAT, GivenUp, Patience},
    statement::{Change, Next, Statement},
    verification::{Verdict, verify},
};

/// After so long without an end, the one who waits is asked.
const ATTEMPT: Duration = Duration::from_secs(1);
/// How often a record is written again because others write the same employee.
const MAX_ROUNDS: usize = 16;

/// What reading and writing employees needs.
#[derive(Clone, Copy)]
pub struct RosterSurroundings<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// Where calls to the registry run; never the thread that works here.
    pub runtime: &'a Handle,
    /// The registry's id of the schema of employees.
    pub employee_schema_id: u32,
    /// Where phone numbers without a country code belong.
    pub region: Region,
}

/// The surroundings do not let employees be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableWriteError {
    /// Kafka's settings.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The table cannot be read.
    #[error("the employees cannot be read")]
    Read(#[from] TableError),
    /// The producer cannot go on.
    #[error("the employees cannot be written")]
    Publish(#[source] PublishError),
    /// An error in the program.
    #[error("a record of an employee cannot be written or read back")]
    Record(#[from] DatumError),
    /// Waiting was given up, with this many records on their way. They may be written all the same.
    #[error("the wait for the broker was given up with {open} records on their way")]
    GivenUp {
        /// Records that are not acknowledged.
        open: usize,
    },
}

/// What became of a statement.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A record was written and stands.
    Changed(Change),
    /// There was nothing to write.
    Unchanged,
    /// A later statement stands.
    Stale,
    /// It could not be written.
    Failed(StatementError),
}

/// Why a statement could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum StatementError {
    #[error(transparent)]
    Invalid(#[from] RosterError),
    #[error("the record cannot be written")]
    Unwritable(#[source] DatumError),
    #[error("the record is larger than the topic of employees takes; state fewer identities")]
    TooLarge,
    #[error(transparent)]
    Refused(DeliveryFailure),
    #[error("others write the same employee again and again; send it once more later")]
    Crowded,
    #[error("the employee was erased at the same moment and may have come back with the old identities; erase the employee again")]
    Erased,
}

/// Reads and writes the table. Belongs to a thread of its own.
pub(super) struct EmployeesTable {
    reader: TableReader<Employee>,
    known: KnownEmployees,
    encoder: Encoder<Employee>,
    publisher: Publisher<WriteTicket>,
    topic: String,
    buffer: Vec<u8>,
}

/// A record on its way.
struct Pending {
    /// Which statement it is of.
    place: usize,
    key: String,
    record: Employee,
}

impl EmployeesTable {
    /// Prepares; nothing is read yet.
    pub(super) fn open(surroundings: &RosterSurroundings<'_>) -> Result<Self, TableWriteError> {
        let RosterSurroundings {
            kafka,
            topics,
            registry,
            runtime,
            employee_schema_id,
            region,
        } = *surroundings;
        let ends = Arc::new(TableEnds::open(kafka)?);
        Ok(Self {
            reader: TableReader::open(Topic::Employees, (kafka, topics), (registry, runtime), ends)?,
            known: KnownEmployees::new(region),
            encoder: Encoder::new(employee_schema_id),
            publisher: Publisher::new(kafka, topics)?,
            topic: TopicNames::new(topics).name(Topic::Employees),
            buffer: Vec::new(),
        })
    }

    pub(super) fn known(&self) -> &KnownEmployees {
        &self.known
    }

    /// Takes in what has come, without waiting.
    pub(super) fn follow(&mut self) -> Result<(), TableWriteError> {
        let (known, mut failure) = (&mut self.known, None);
        self.reader.read_available(|change| {
            let applied = known.apply(&change.key, change.row.as_ref());
            failure = failure.take().or(applied.err());
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Everything that was written before this call is known after it.
    pub(super) fn catch_up(&mut self, patience: &mut Patience<'_>) -> Result<(), TableWriteError> {
        self.catch_up_watching(&mut HashMap::new(), patience)
    }

    /// Writes what follows from the statements, each about another employee, and looks again until every record stands.
    ///
    /// Expects to have caught up. An error leaves records that were written and not looked at.
    pub(super) fn write(&mut self, statements: &[Statement], patience: &mut Patience<'_>) -> Result<Vec<Outcome>, TableWriteError> {
        let mut pending = Vec::new();
        let mut outcomes = Vec::with_capacity(statements.len());
        for (place, statement) in statements.iter().enumerate() {
            let key = self.known.key_of(statement.employee_no());
            let next = statement.on_top_of(self.known.get(&key)?.as_ref(), self.known.region());
            outcomes.push(match next {
                Ok(Next::Record(record, change)) => {
                    pending.push(Pending { place, key, record });
                    Outcome::Changed(change)
                }
                Ok(Next::Unchanged) => Outcome::Unchanged,
                Ok(Next::Stale) => Outcome::Stale,
                Err(error) => Outcome::Failed(error.into()),
            });
        }
        for _ in 0..MAX_ROUNDS {
            if pending.is_empty() {
                return Ok(outcomes);
            }
            self.publish(&mut pending, &mut outcomes, patience)?;
            pending = self.look(pending, (statements, &mut outcomes), patience)?;
        }
        for record in pending {
            outcomes[record.place] = Outcome::Failed(StatementError::Crowded);
        }
        Ok(outcomes)
    }

    /// Writes the records and waits for the broker; those that it refuses are not pending any more.
    fn publish(
        &mut self,
        pending: &mut Vec<Pending>,
        outcomes: &mut [Outcome],
        patience: &mut Patience<'_>,
    ) -> Result<(), TableWriteError> {
        let deliveries = Arc::new(Deliveries::default());
        for record in pending.iter() {
            if let Some(error) = self.publish_one(record, &deliveries, patience)? {
                outcomes[record.place] = Outcome::Failed(error);
            }
        }
        let mut open = deliveries.open();
        while open > 0 {
            let still = deliveries.wait(BEAT);
            if still < open {
                patience.renew();
            }
            open = still;
            patience.ask().map_err(|GivenUp| TableWriteError::GivenUp { open })?;
        }
        for (place, failure) in deliveries.refused() {
            let error = if failure.is_too_large() {
                StatementError::TooLarge
            } else {
                StatementError::Refused(failure)
            };
            outcomes[place] = Outcome::Failed(error);
        }
        pending.retain(|record| !matches!(outcomes[record.place], Outcome::Failed(_)));
        fault_points::pass(Point::RosterAcknowledged);
        Ok(())
    }

    fn publish_one(
        &mut self,
        pending: &Pending,
        deliveries: &Arc<Deliveries>,
        patience: &mut Patience<'_>,
    ) -> Result<Option<StatementError>, TableWriteError> {
        if let Err(error) = self.encoder.encode(&pending.record, &mut self.buffer) {
            return Ok(Some(StatementError::Unwritable(error)));
        }
        let record = Outgoing {
            topic: &self.topic,
            key: Some(pending.key.as_bytes()),
            value: Some(&self.buffer),
        };
        loop {
            match self.publisher.publish(record, None, deliveries.begin(pending.place)) {
                Ok(()) => {
                    fault_points::pass(Point::RosterWritten);
                    return Ok(None);
                }
                Err(PublishError::QueueFull) => {
                    deliveries.abandon();
                    std::thread::sleep(Duration::from_millis(1));
                    let open = deliveries.open();
                    patience.ask().map_err(|GivenUp| TableWriteError::GivenUp { open })?;
                }
                Err(PublishError::TooLarge) => {
                    deliveries.abandon();
                    return Ok(Some(StatementError::TooLarge));
                }
                Err(error @ PublishError::Client(_)) => {
                    deliveries.abandon();
                    let refusal = error.refusal(&self.topic).ok_or(TableWriteError::Publish(error))?;
                    return Ok(Some(StatementError::Refused(refusal)));
                }
            }
        }
    }

    /// Reads on past our records; gives those that have to be written again.
    fn look(
        &mut self,
        pending: Vec<Pending>,
        (statements, outcomes): (&[Statement], &mut [Outcome]),
        patience: &mut Patience<'_>,
    ) -> Result<Vec<Pending>, TableWriteError> {
        let mut seen: HashMap<String, Vec<Option<Employee>>> = pending.iter().map(|record| (record.key.clone(), Vec::new())).collect();
        self.catch_up_watching(&mut seen, patience)?;
        let mut again = Vec::new();
        for Pending { place, key, record } in pending {
            let came = seen.remove(&key).unwrap_or_default();
            let wanted = match verify(&statements[place], &record, (&came, self.known.region())) {
                Ok(Verdict::Stands) => continue,
                Ok(Verdict::Rewrite(wanted)) => wanted,
                Ok(Verdict::Restore(wanted)) => {
                    outcomes[place] = Outcome::Stale;
                    wanted
                }
                Ok(Verdict::Erased) => {
                    outcomes[place] = Outcome::Failed(StatementError::Erased);
                    continue;
                }
                Err(error) => {
                    outcomes[place] = Outcome::Failed(error.into());
                    continue;
                }
            };
            again.push(Pending {
                place,
                key,
                record: wanted,
            });
        }
        Ok(again)
    }

    /// Reads to the present end, noting what comes for the keys of `seen`; waits while the surroundings do not let it.
    fn catch_up_watching(
        &mut self,
        seen: &mut HashMap<String, Vec<Option<Employee>>>,
        patience: &mut Patience<'_>,
    ) -> Result<(), TableWriteError> {
        loop {
            let (known, mut failure, mut changes) = (&mut self.known, None, 0_usize);
            let read = self.reader.read_to_end(ATTEMPT, |change| {
                changes += 1;
                let applied = known.apply(&change.key, change.row.as_ref());
                failure = failure.take().or(applied.err());
                if let Some(came) = seen.get_mut(&change.key) {
                    came.push(change.row);
                }
            });
            if let Some(error) = failure {
                return Err(error.into());
            }
            if changes > 0 {
                patience.renew();
            }
            let given_up = |GivenUp| TableWriteError::GivenUp { open: 0 };
            match read {
                Ok(()) => return Ok(()),
                Err(TableError::TooSlow { .. }) => patience.ask().map_err(given_up)?,
                Err(error) if is_transient(&error) => patience.back_off(&error).map_err(given_up)?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_transient(error: &TableError) -> bool {
    match error {
        TableError::Kafka { cause, .. } => cause.kind() == Kind::Transient,
        TableError::Schemas { .. } | TableError::TooSlow { .. } => true,
    }
}

impl TableWriteError {
    /// Whether trying the same again can help.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kafka(error) => error.kind(),
            Self::Read(error) if is_transient(error) => Kind::Transient,
            Self::GivenUp { .. } => Kind::Transient,
            Self::Read(_) | Self::Publish(_) | Self::Record(_) => Kind::Environment,
        }
    }
}
