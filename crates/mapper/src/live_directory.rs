//! The directory, complete before the first report and live afterwards.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_domain::{AliasSubject, Directory, Employee, IdentityAlias, Region};
use scoresync_kafka::{
    KafkaSettings, Registry, SchemaMemory, TableChange, TableEnds, TableError, TableReader, Topic, TopicNames, TopicSettings,
};
use tokio::runtime::Handle;

/// The directory and the two tables that feed it.
pub struct LiveDirectory {
    directory: Directory,
    employees: TableReader<Employee>,
    aliases: TableReader<IdentityAlias>,
    /// When both tables were last read to their ends.
    complete_at: Option<Instant>,
}

/// How old the directory may be that a report is matched by. What was announced earlier than this before a report counts for it.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// The directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the directory of employees cannot be read")]
pub struct DirectoryError(#[from] pub TableError);

impl LiveDirectory {
    /// Prepares to read both tables; they are read by [`Self::read_to_end`].
    ///
    /// # Errors
    /// Where the broker does not answer or lacks the topics.
    pub fn open(
        kafka: &KafkaSettings,
        topics: &TopicSettings,
        region: Region,
        schemas: (&Registry, &Handle),
    ) -> Result<Self, DirectoryError> {
        let failed = |cause| TableError::Kafka {
            topic: TopicNames::new(topics).name(Topic::Employees),
            cause,
        };
        let ends = Arc::new(TableEnds::open(kafka).map_err(failed)?);
        Ok(Self {
            directory: Directory::new(region),
            employees: TableReader::open(Topic::Employees, (kafka, topics), schemas, Arc::clone(&ends))?,
            aliases: TableReader::open(Topic::Aliases, (kafka, topics), schemas, ends)?,
            complete_at: None,
        })
    }

    /// What the schema ids of employees and of aliases meant.
    pub(crate) const fn schema_memories(&self) -> (&SchemaMemory, &SchemaMemory) {
        (self.employees.schema_memory(), self.aliases.schema_memory())
    }

    /// Everything that was written before this call is in the directory after it.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or `limit` passes.
    pub fn read_to_end(&mut self, limit: Duration) -> Result<(), DirectoryError> {
        let asked_at = Instant::now();
        self.employees
            .read_to_end(limit, |change| apply_employee(&mut self.directory, change))?;
        self.aliases.read_to_end(limit, |change| apply_alias(&mut self.directory, change))?;
        self.complete_at = Some(asked_at);
        Ok(())
    }

    /// Reads both tables as far as they can be read, unless that was done just before `now`.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or `limit` passes.
    pub(crate) fn keep_fresh(&mut self, now: Instant, limit: Duration) -> Result<(), DirectoryError> {
        match self.complete_at {
            Some(complete_at) if now.saturating_duration_since(complete_at) < FRESH_FOR => Ok(()),
            Some(_) | None => self.read_to_readable_end(limit),
        }
    }

    /// What a transaction that is open still holds back is not announced yet.
    fn read_to_readable_end(&mut self, limit: Duration) -> Result<(), DirectoryError> {
        let asked_at = Instant::now();
        let (directory, employees, aliases) = (&mut self.directory, &mut self.employees, &mut self.aliases);
        employees.read_to_readable_end(limit, |change| apply_employee(directory, change))?;
        aliases.read_to_readable_end(limit, |change| apply_alias(directory, change))?;
        self.complete_at = Some(asked_at);
        Ok(())
    }

    /// How far the employees are read.
    pub(crate) fn employees_position(&self) -> i64 {
        self.employees.position(0)
    }

    /// Takes in what has come since, without waiting.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer.
    pub fn read_available(&mut self) -> Result<(), DirectoryError> {
        self.employees
            .read_available(|change| apply_employee(&mut self.directory, change))?;
        self.aliases.read_available(|change| apply_alias(&mut self.directory, change))?;
        Ok(())
    }

    /// The directory as far as it was read.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }
}

fn apply_employee(directory: &mut Directory, change: TableChange<Employee>) {
    let changed = match change.row {
        Some(employee) => directory.apply_employee(&employee),
        None => directory.erase(&change.key),
    };
    tracing::trace!(offset = change.offset, changed, "took in an employee");
}

fn apply_alias(directory: &mut Directory, change: TableChange<IdentityAlias>) {
    let changed = match (change.row, change.key.parse::<AliasSubject>()) {
        (Some(alias), _) => directory.apply_alias(alias),
        (None, Ok(subject)) => directory.erase_alias(&subject),
        (None, Err(_)) => {
            tracing::error!(
                offset = change.offset,
                "the erasure of an alias has no readable key and was passed over"
            );
            false
        }
    };
    tracing::trace!(offset = change.offset, changed, "took in a decision");
}
