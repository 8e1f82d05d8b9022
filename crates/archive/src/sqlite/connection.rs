//! Opening the file: settings, the writer's lock, schema.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::{
    error::Failure,
    migrations::{self, SQLITE, VERSION_TABLE},
    settings::{Access, SqliteSettings},
};

/// How long a reader waits while the writer moves its journal into the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a batch changes has to fit, or it is written twice: once into the journal to make room, and once more when it is read again.
const WRITERS_CACHE_KIB: i64 = 16 << 10;

/// Training records in a SQLite file.
pub struct SqliteArchive {
    connection: Mutex<Connection>,
    /// Held for as long as the archive is open for writing.
    _writer: Option<File>,
}

impl SqliteArchive {
    pub(crate) fn open(settings: &SqliteSettings, access: Access) -> Result<Self, Failure> {
        let (connection, writer) = match access {
            Access::Writer => {
                let lock = lock(&settings.path)?;
                let connection = connect_writer(&settings.path)?;
                connection.pragma_update(None, "cache_size", -WRITERS_CACHE_KIB)?;
                (connection, Some(lock))
            }
            Access::Desk => (connect_writer(&settings.path)?, None),
            Access::Reader => {
                if !settings.path.exists() {
                    let path = settings.path.display();
                    return Err(Failure::environment(format!(
                        "there is no file {path} yet; start the sink, which makes it"
                    )));
                }
                let connection = connect(&settings.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.pragma_update(None, "query_only", true)?;
                migrations::require_current(SQLITE, &applied_migrations(&connection)?)?;
                (connection, None)
            }
        };
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self {
            connection: Mutex::new(connection),
            _writer: writer,
        })
    }

    /// Runs `work` on the connection without holding up the runtime's other tasks, where the runtime has threads to spare.
    ///
    /// On a runtime of a single thread everything waits, as there is nobody else to do it.
    pub(super) fn run<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let on_connection = || work(&mut self.connection());
        match Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(on_connection),
            Ok(_) | Err(_) => on_connection(),
        }
    }

    /// A panic in between rolled its transaction back, so the connection is usable.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect_writer(path: &Path) -> Result<Connection, Failure> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Readers and the desk go on beside the writer, so it is a second one of records alone that must be kept out: by a lock on a file of its own.
fn lock(path: &Path) -> Result<File, Failure> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let shown = lock_path.display();
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path);
    let file = file.map_err(|error| Failure::environment(format!("{shown} cannot be opened ({error}); does its folder exist?")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::environment(format!(
            "another process writes to it (it holds {shown}); an embedded archive takes one sink"
        ))),
        Err(TryLockError::Error(error)) => Err(Failure::environment(format!("{shown} cannot be locked ({error})"))),
    }
}

fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(VERSION_TABLE)?;
    for migration in migrations::pending(SQLITE, &applied_migrations(&transaction)?)? {
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO schema_version (version, name, checksum) VALUES (?, ?, ?)",
            (migration.version, migration.name, migration.checksum()),
        )?;
    }
    Ok(transaction.commit()?)
}

fn applied_migrations(connection: &Connection) -> Result<Vec<migrations::Applied>, Failure> {
    if !connection.table_exists(None, "schema_version")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT version, checksum FROM schema_version ORDER BY version")?;
    let applied = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(applied.collect::<Result<_, _>>()?)
}
