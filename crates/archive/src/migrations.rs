//! The steps that bring a database's schema up to date, and whether they may be taken.

use crate::error::Failure;

/// One step; never changed once it was released.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) version: i32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

impl Migration {
    /// Tells whether a database was set up with this very text.
    pub(crate) fn checksum(&self) -> String {
        blake3::hash(self.sql.as_bytes()).to_hex().to_string()
    }
}

macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal),+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")),
        }),+]
    };
}

pub(crate) const SQLITE: &[Migration] = migrations!("sqlite":
    1 "0001_training_records", 2 "0002_dead_letters", 3 "0003_reconciliations", 4 "0004_former_successors");
pub(crate) const POSTGRES: &[Migration] = migrations!("postgres":
    1 "0001_training_records", 2 "0002_dead_letters", 3 "0003_reconciliations", 4 "0004_former_successors");

/// Where the steps that were taken are recorded, in both databases.
pub(crate) const VERSION_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";

/// A step that was taken: version and checksum.
pub(crate) type Applied = (i32, String);

/// The steps that are left to take.
pub(crate) fn pending<'a>(all: &'a [Migration], applied: &[Applied]) -> Result<&'a [Migration], Failure> {
    for (version, checksum) in applied {
        let Some(migration) = all.iter().find(|migration| migration.version == *version) else {
            return Err(Failure::environment(format!(
                "its schema has version {version}, which this release does not know; use the release that set it up, or a newer one"
            )));
        };
        if migration.checksum() != *checksum {
            return Err(Failure::environment(format!(
                "its schema version {version} was set up by another text than this release's {}; use the release that set it up",
                migration.name
            )));
        }
    }
    let done = all
        .iter()
        .take_while(|migration| applied.iter().any(|(version, _)| *version == migration.version))
        .count();
    Ok(&all[done..])
}

/// For readers, which change nothing.
pub(crate) fn require_current(all: &[Migration], applied: &[Applied]) -> Result<(), Failure> {
    if pending(all, applied)?.is_empty() {
        Ok(())
    } else {
        Err(Failure::environment(
            "it was not set up by this release yet; start the sink, which does that",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(migrations: &[Migration]) -> Vec<Applied> {
        migrations
            .iter()
            .map(|migration| (migration.version, migration.checksum()))
            .collect()
    }

    #[test]
    fn both_databases_are_at_the_same_version_and_versions_count_up() {
        let versions = |all: &[Migration]| all.iter().map(|migration| migration.version).collect::<Vec<_>>();
        assert!(versions(SQLITE).is_sorted_by(|one, next| one < next));
        assert_eq!(versions(SQLITE), versions(POSTGRES));
    }

    #[test]
    fn what_was_done_is_not_done_again() {
        assert_eq!(pending(SQLITE, &[]).map(<[_]>::len).ok(), Some(SQLITE.len()));
        assert_eq!(pending(SQLITE, &applied(SQLITE)).map(<[_]>::len).ok(), Some(0));
        assert!(require_current(SQLITE, &[]).is_err());
    }

    #[test]
    fn a_newer_or_a_foreign_schema_is_refused() {
        let mut newer = applied(SQLITE);
        newer.push((99, "a".to_owned()));
        assert!(pending(SQLITE, &newer).is_err());
        assert!(pending(SQLITE, &[(1, "another text".to_owned())]).is_err());
    }
}
