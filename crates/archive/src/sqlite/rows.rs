//! Rows into and out of SQLite.

use rusqlite::{
    CachedStatement, Connection, Row, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use uuid::Uuid;

use crate::{
    error::Failure,
    table::{RowReader, Table, Value},
};

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let integer = |integer: Option<i64>| ToSqlOutput::Borrowed(integer.map_or(ValueRef::Null, ValueRef::Integer));
        let bytes = |bytes| ToSqlOutput::Borrowed(ValueRef::Blob(bytes));
        let null = ToSqlOutput::Borrowed(ValueRef::Null);
        Ok(match self {
            Self::Int4(value) => integer(value.map(i64::from)),
            Self::Int8(value) => integer(*value),
            Self::Flag(value) => integer(value.map(i64::from)),
            Self::Text(value) => value.map_or(null, |text| ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Self::Bytes(value) => value.map_or(null, bytes),
            Self::Id(value) => value.as_ref().map_or(null, |id| bytes(id.as_bytes())),
        })
    }
}

/// A statement that writes rows of one table.
pub(super) struct Writer<'c> {
    statement: CachedStatement<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn to(connection: &'c Connection, table: &Table) -> Result<Self, Failure> {
        let statement = connection.prepare_cached(&insert(table))?;
        Ok(Self { statement })
    }

    /// Whether the row was written, or another one of its key left as it was.
    pub(super) fn write<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) -> Result<bool, Failure> {
        for (number, value) in values.into_iter().enumerate() {
            self.statement.raw_bind_parameter(number + 1, value)?;
        }
        Ok(self.statement.raw_execute()? > 0)
    }
}

fn insert(table: &Table) -> String {
    let parameters = vec!["?"; table.columns.len()].join(", ");
    format!(
        "INSERT INTO {} ({}) VALUES ({parameters}) {}",
        table.name,
        table.names(),
        table.conflict
    )
}

/// Takes the columns of a row from left to right.
pub(super) struct Cursor<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Cursor<'r> {
    pub(super) fn over(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T, Failure> {
        self.next += 1;
        Ok(self.row.get(self.next - 1)?)
    }
}

impl RowReader for Cursor<'_> {
    fn int4(&mut self) -> Result<Option<i32>, Failure> {
        self.take()
    }

    fn int8(&mut self) -> Result<Option<i64>, Failure> {
        self.take()
    }

    fn text(&mut self) -> Result<Option<String>, Failure> {
        self.take()
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.take()
    }

    fn flag(&mut self) -> Result<Option<bool>, Failure> {
        self.take()
    }

    fn id(&mut self) -> Result<Option<Uuid>, Failure> {
        let bytes: Option<Vec<u8>> = self.take()?;
        let read = |bytes: Vec<u8>| Uuid::from_slice(&bytes).map_err(|_| Failure::environment("a row holds an id that is no UUID"));
        bytes.map(read).transpose()
    }
}

/// Runs a query and reads each of its rows.
pub(super) fn read_all<T>(
    connection: &Connection,
    (sql, parameters): (&str, impl rusqlite::Params),
    mut read: impl FnMut(&mut Cursor<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(&mut Cursor::over(row))?);
    }
    Ok(all)
}
