//! The directory, complete before the first report and live afterwards.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_domain::{AliasSubject, Directory, Employee, IdentityAlias, IdentityKey, Region};
use tokio::runtime::Handle;

use crate::{
    dead_letter::DirectoryPosition,
    registry::Registry,
    schema_memory::SchemaMemory,
    settings::{KafkaSettings, TopicSettings},
    table_reader::{TableChange, TableEnds, TableError, TableReader},
    topics::{Topic, TopicNames},
};

/// The directory and the two tables that feed it.
pub struct LiveDirectory {
    directory: Directory,
    employees: TableReader<Employee>,
    aliases: TableReader<IdentityAlias>,
    /// When both tables were last read to their ends.
    complete_at: Option<Instant>,
}

/// What changed what the directory knows.
#[derive(Clone, Copy, Debug)]
pub enum DirectoryChange<'a> {
    /// A record of an employee.
    Employee(&'a Employee),
    /// What had pointed to an employee whose record is replaced or erased: somebody else may have it alone now.
    Before(&'a [IdentityKey]),
    /// A decision, taken or revoked, or one whose employee has come.
    Alias(&'a AliasSubject),
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
    #[must_use]
    pub const fn schema_memories(&self) -> (&SchemaMemory, &SchemaMemory) {
        (self.employees.schema_memory(), self.aliases.schema_memory())
    }

    /// Everything that was written before this call is in the directory after it.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or `limit` passes.
    pub fn read_to_end(&mut self, limit: Duration) -> Result<(), DirectoryError> {
        let asked_at = Instant::now();
        let (directory, tell) = (&mut self.directory, &mut |_: DirectoryChange<'_>| {});
        self.employees
            .read_to_end(limit, |change| apply_employee(directory, change, tell))?;
        self.aliases.read_to_end(limit, |change| apply_alias(directory, change, tell))?;
        self.complete_at = Some(asked_at);
        Ok(())
    }

    /// Reads both tables as far as they can be read, unless that was done just before `now`.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or `limit` passes.
    pub fn keep_fresh(&mut self, now: Instant, limit: Duration) -> Result<(), DirectoryError> {
        match self.complete_at {
            Some(complete_at) if now.saturating_duration_since(complete_at) < FRESH_FOR => Ok(()),
            Some(_) | None => self.read_to_readable_end(limit),
        }
    }

    /// What a transaction that is open still holds back is not announced yet.
    fn read_to_readable_end(&mut self, limit: Duration) -> Result<(), DirectoryError> {
        let asked_at = Instant::now();
        let (directory, employees, aliases) = (&mut self.directory, &mut self.employees, &mut self.aliases);
        let tell = &mut |_: DirectoryChange<'_>| {};
        employees.read_to_readable_end(limit, |change| apply_employee(directory, change, tell))?;
        aliases.read_to_readable_end(limit, |change| apply_alias(directory, change, tell))?;
        self.complete_at = Some(asked_at);
        Ok(())
    }

    /// How far both tables are read.
    #[must_use]
    pub fn position(&self) -> DirectoryPosition {
        DirectoryPosition {
            employees: self.employees.position(0),
            aliases: self.aliases.position(0),
        }
    }

    /// Takes in what has come since, without waiting, and tells of all that changed what is known.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer. What was told until then is in the directory.
    pub fn read_available(&mut self, tell: &mut impl FnMut(DirectoryChange<'_>)) -> Result<(), DirectoryError> {
        let directory = &mut self.directory;
        self.employees.read_available(|change| apply_employee(directory, change, tell))?;
        self.aliases.read_available(|change| apply_alias(directory, change, tell))?;
        Ok(())
    }

    /// The directory as far as it was read.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }
}

fn apply_employee(directory: &mut Directory, change: TableChange<Employee>, tell: &mut impl FnMut(DirectoryChange<'_>)) {
    let number = change.row.as_ref().map_or(&change.key, |employee| &employee.employee_no);
    let before = directory.identities_of(number);
    // Whoever comes, or comes back, has what was decided to be theirs.
    let comes = change.row.is_some() && before.is_empty();
    let changed = match &change.row {
        Some(employee) => directory.apply_employee(employee),
        None => directory.erase(&change.key),
    };
    if changed {
        tell(DirectoryChange::Before(&before));
        if let Some(employee) = &change.row {
            tell(DirectoryChange::Employee(employee));
            if comes {
                for subject in directory.decided_to_be_of(&employee.employee_no) {
                    tell(DirectoryChange::Alias(&subject));
                }
            }
        }
    }
    tracing::trace!(offset = change.offset, changed, "took in an employee");
}

fn apply_alias(directory: &mut Directory, change: TableChange<IdentityAlias>, tell: &mut impl FnMut(DirectoryChange<'_>)) {
    let mut told = |subject: &AliasSubject, changed: bool| {
        if changed {
            tell(DirectoryChange::Alias(subject));
        }
        changed
    };
    let changed = match (change.row, change.key.parse::<AliasSubject>()) {
        (Some(alias), _) => {
            let subject = alias.subject.clone();
            told(&subject, directory.apply_alias(alias))
        }
        (None, Ok(subject)) => told(&subject, directory.erase_alias(&subject)),
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
