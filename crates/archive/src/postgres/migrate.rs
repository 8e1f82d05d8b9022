//! Bringing the schema up to date, by one process at a time.

use deadpool_postgres::{Client, GenericClient};
use tokio_postgres::IsolationLevel;

use crate::{
    error::Failure,
    migrations::{self, POSTGRES, VERSION_TABLE},
};

/// The advisory lock of whoever migrates: "scoresyn" in ASCII.
const MIGRATION_LOCK: i64 = 0x7363_6f72_6573_796e;

pub(super) async fn migrate(client: &mut Client) -> Result<(), Failure> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await?;
    // Another release may be at a step that takes longer than a statement of the daily work.
    transaction
        .batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        .await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
    let applied = applied_migrations(&transaction).await?;
    let pending = migrations::pending(POSTGRES, &applied)?;
    if pending.is_empty() {
        return Ok(transaction.rollback().await?);
    }
    transaction.batch_execute(VERSION_TABLE).await?;
    for migration in pending {
        transaction.batch_execute(migration.sql).await?;
        let taken = "INSERT INTO schema_version (version, name, checksum) VALUES ($1, $2, $3)";
        transaction
            .execute(taken, &[&migration.version, &migration.name, &migration.checksum()])
            .await?;
    }
    Ok(transaction.commit().await?)
}

pub(super) async fn require_current(client: &Client) -> Result<(), Failure> {
    migrations::require_current(POSTGRES, &applied_migrations(client).await?)
}

/// Whether any step was ever taken.
pub(super) async fn is_begun(client: &Client) -> Result<bool, Failure> {
    Ok(!applied_migrations(client).await?.is_empty())
}

async fn applied_migrations(client: &impl GenericClient) -> Result<Vec<migrations::Applied>, Failure> {
    let exists = client.query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[]).await?;
    if !exists.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let rows = client
        .query("SELECT version, checksum FROM schema_version ORDER BY version", &[])
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
