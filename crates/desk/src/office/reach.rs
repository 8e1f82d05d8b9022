//! What an office needs of Kafka, beside the archive: the directory as it is now, and people's decisions.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use scoresync_domain::{Employee, IdentityAlias, Region};
use scoresync_kafka::{
    DirectoryError, Error, KafkaSettings, LiveDirectory, Record, Registry, TableEnds, TableError, TableReader, Topic, TopicSettings,
};
use tokio::{runtime::Handle, sync::Semaphore, task::spawn_blocking};

use crate::decisions::{DecisionError, Decisions};

/// How long reading a whole table may take.
const LIMIT: Duration = Duration::from_secs(300);
/// Each of them can hold all employees.
const READERS: usize = 2;

/// The way to Kafka and the registry. Whatever waits for them does so on a thread of its own, and a few of them at most.
#[derive(Clone)]
pub struct Reach {
    kafka: KafkaSettings,
    topics: TopicSettings,
    registry: Registry,
    alias_schema_id: u32,
    region: Region,
    /// One decision at a time: each of them reads all that stand.
    deciding: Arc<Semaphore>,
    reading: Arc<Semaphore>,
}

/// Why Kafka or the registry did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Decisions, or a report that is sent again.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The thread that waited has panicked, or the process ends.
    #[error("the work ended unexpectedly")]
    Unfinished,
}

impl Reach {
    /// By these settings, the registry with its id of our schema of decisions; the region is that of phone numbers without a country.
    #[must_use]
    pub fn new((kafka, topics): (KafkaSettings, TopicSettings), (registry, alias_schema_id): (Registry, u32), region: Region) -> Self {
        Self {
            kafka,
            topics,
            registry,
            alias_schema_id,
            region,
            deciding: Arc::new(Semaphore::new(1)),
            reading: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Does something with all decisions, which were just read.
    ///
    /// # Errors
    /// No answer, or whatever the work meets.
    pub async fn with_decisions<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Decisions) -> Result<T, DecisionError> + Send + 'static,
    ) -> Result<T, ReachError> {
        self.apart(&self.deciding, move |reach, runtime| {
            let around = (&reach.registry, runtime);
            let mut decisions = Decisions::open((&reach.kafka, &reach.topics), around, reach.alias_schema_id)?;
            decisions.read()?;
            Ok(work(&mut decisions)?)
        })
        .await
    }

    /// Whether anybody has an employee number now.
    ///
    /// # Errors
    /// No answer.
    pub async fn knows(&self, employee_no: &str) -> Result<bool, ReachError> {
        let number = employee_no.to_owned();
        self.apart(&self.reading, move |reach, runtime| {
            let around = (&reach.registry, runtime);
            let mut live = LiveDirectory::open(&reach.kafka, &reach.topics, reach.region, around)?;
            live.read_to_end(LIMIT)?;
            Ok(live.directory().employee(&number).is_some())
        })
        .await
    }

    /// Shows everybody as they are now.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn read_employees<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Iterator<Item = &Employee>) -> T + Send + 'static,
    ) -> Result<T, ReachError> {
        self.apart(&self.reading, move |reach, runtime| {
            let employees = reach.rows::<Employee>(Topic::Employees, runtime)?;
            Ok(read(&mut employees.values()))
        })
        .await
    }

    /// All decisions, standing and revoked, by their subjects.
    ///
    /// # Errors
    /// No answer.
    pub async fn aliases(&self) -> Result<Vec<IdentityAlias>, ReachError> {
        self.apart(&self.reading, |reach, runtime| {
            let aliases = reach.rows::<IdentityAlias>(Topic::Aliases, runtime)?;
            Ok(aliases.into_values().collect())
        })
        .await
    }

    /// All rows of a table.
    fn rows<R: for<'a> Record<Borrowed<'a> = R>>(&self, topic: Topic, runtime: &Handle) -> Result<BTreeMap<String, R>, ReachError> {
        let (settings, around) = ((&self.kafka, &self.topics), (&self.registry, runtime));
        let ends = Arc::new(TableEnds::open(&self.kafka)?);
        let mut table = TableReader::<R>::open(topic, settings, around, ends)?;
        let mut latest = BTreeMap::new();
        table.read_to_end(LIMIT, |change| change.keep_in(&mut latest))?;
        Ok(latest)
    }

    /// The turn is the thread's, which goes on where nobody waits for it any more.
    async fn apart<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        work: impl FnOnce(&Self, &Handle) -> Result<T, ReachError> + Send + 'static,
    ) -> Result<T, ReachError> {
        let turn = turns.clone().acquire_owned().await.map_err(|_| ReachError::Unfinished)?;
        let (reach, runtime) = (self.clone(), Handle::current());
        let working = spawn_blocking(move || {
            let _turn = turn;
            work(&reach, &runtime)
        });
        working.await.map_err(|_| ReachError::Unfinished)?
    }
}
