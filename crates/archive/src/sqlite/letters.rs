//! Letters in SQLite. Nothing is waited for: what is asynchronous elsewhere is done when it returns.

use futures_util::FutureExt;
use rusqlite::{Transaction, TransactionBehavior, types::ValueRef};

use super::SqliteArchive;
use crate::{
    error::Failure,
    letters::{Column, Intent, Row, Session},
    table::Value,
};

/// A transaction.
pub(crate) struct LetterTransaction<'c>(Transaction<'c>);

impl SqliteArchive {
    /// Does some work in one transaction. Whoever begins by looking and then writes is refused where somebody else has written in between.
    pub(crate) fn letters<T>(
        &self,
        intent: Intent,
        work: impl AsyncFnOnce(&LetterTransaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let behavior = match intent {
            Intent::Look => TransactionBehavior::Deferred,
            Intent::Change => TransactionBehavior::Immediate,
        };
        self.run(|connection| {
            let transaction = LetterTransaction(connection.transaction_with_behavior(behavior)?);
            let waits = || Failure::environment("a question to an embedded database did not end at once");
            let done = work(&transaction).now_or_never().ok_or_else(waits)??;
            transaction.0.commit()?;
            Ok(done)
        })
    }
}

impl Session for LetterTransaction<'_> {
    async fn change(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, Failure> {
        let mut statement = self.0.prepare_cached(&placeholders(sql))?;
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            for (number, value) in row.iter().enumerate() {
                statement.raw_bind_parameter(number + 1, value)?;
            }
            changed.push(statement.raw_execute()? as u64);
        }
        Ok(changed)
    }

    async fn ask(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        let mut statement = self.0.prepare_cached(&placeholders(sql))?;
        for (number, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(number + 1, value)?;
        }
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let columns: Result<Vec<Column>, rusqlite::Error> = (0..columns).map(|number| Ok(read(row.get_ref(number)?))).collect();
            all.push(Row::new(columns?));
        }
        Ok(all)
    }
}

/// `?1` is SQLite's way to say `$1`.
fn placeholders(sql: &str) -> String {
    sql.replace('$', "?")
}

fn read(value: ValueRef<'_>) -> Column {
    match value {
        ValueRef::Null => Column::Null,
        ValueRef::Integer(value) => Column::Integer(value),
        // No column of ours holds one.
        ValueRef::Real(_) => Column::Flag(false),
        ValueRef::Text(text) => Column::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Column::Bytes(bytes.to_vec()),
    }
}
