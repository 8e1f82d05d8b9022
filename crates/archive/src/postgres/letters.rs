//! Letters in PostgreSQL: statements of one transaction, those of many rows without waiting between them.

use deadpool_postgres::Transaction;
use futures_util::future::try_join_all;
use tokio_postgres::{
    IsolationLevel,
    types::{ToSql, Type},
};

use super::PostgresArchive;
use crate::{
    error::Failure,
    letters::{Column, Row, Session},
    table::Value,
};

/// Rows that are on their way together.
const TOGETHER: usize = 200;

/// A transaction.
pub(crate) struct LetterTransaction<'c>(Transaction<'c>);

impl PostgresArchive {
    /// Does some work in one transaction.
    pub(crate) async fn letters<T>(&self, work: impl AsyncFnOnce(&LetterTransaction<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut client = self.client().await?;
        let transaction = LetterTransaction(client.transaction().await?);
        let done = work(&transaction).await?;
        transaction.0.commit().await?;
        Ok(done)
    }

    /// Looks at everything as it is at one moment.
    pub(crate) async fn snapshot<T>(&self, look: impl AsyncFnOnce(&LetterTransaction<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut client = self.client().await?;
        let begin = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true);
        let transaction = LetterTransaction(begin.start().await?);
        let seen = look(&transaction).await?;
        transaction.0.commit().await?;
        Ok(seen)
    }
}

impl Session for LetterTransaction<'_> {
    async fn change(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, Failure> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.0.prepare_cached(sql).await?;
        let mut changed = Vec::with_capacity(rows.len());
        for some in rows.chunks(TOGETHER) {
            let parameters: Vec<_> = some.iter().map(|row| parameters(row)).collect();
            let together = parameters.iter().map(|parameters| self.0.execute(&statement, parameters));
            changed.extend(try_join_all(together).await?);
        }
        Ok(changed)
    }

    async fn ask(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        let statement = self.0.prepare_cached(sql).await?;
        let rows = self.0.query(&statement, &parameters(values)).await?;
        rows.iter().map(read).collect()
    }
}

fn parameters<'v>(row: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    row.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Failure> {
    let columns: Result<Vec<Column>, Failure> = (0..row.len()).map(|number| read_column(row, number)).collect();
    Ok(Row::new(columns?))
}

fn read_column(row: &tokio_postgres::Row, number: usize) -> Result<Column, Failure> {
    let column = match *row.columns()[number].type_() {
        Type::INT4 => row.try_get::<_, Option<i32>>(number)?.map(|value| Column::Integer(value.into())),
        Type::INT8 => row.try_get::<_, Option<i64>>(number)?.map(Column::Integer),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(number)?.map(Column::Bytes),
        Type::BOOL => row.try_get::<_, Option<bool>>(number)?.map(Column::Flag),
        Type::UUID => row.try_get::<_, Option<uuid::Uuid>>(number)?.map(Column::Id),
        _ => row.try_get::<_, Option<String>>(number)?.map(Column::Text),
    };
    Ok(column.unwrap_or(Column::Null))
}
