//! One transaction of either database, as far as letters need it: the same statements, with the same placeholders.

use uuid::Uuid;

use crate::{
    error::Failure,
    table::{RowReader, Value},
};

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Look,
    Change,
}

/// Runs statements in one transaction. Placeholders are `$1`, `$2` … in the order of their first use.
pub(crate) trait Session {
    /// Runs a statement once for each row of parameters, and says how many rows each of them changed.
    async fn change(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, Failure>;

    /// Runs a query.
    async fn ask(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, Failure>;
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
    Flag(bool),
    Id(Uuid),
}

/// A row that was read, taken from left to right.
pub(crate) struct Row(std::vec::IntoIter<Column>);

impl Row {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self(columns.into_iter())
    }

    fn take<T>(&mut self, read: impl FnOnce(Column) -> Option<T>) -> Result<Option<T>, Failure> {
        match self.0.next() {
            None | Some(Column::Null) => Ok(None),
            Some(column) => match read(column) {
                Some(value) => Ok(Some(value)),
                None => Err(Failure::environment(
                    "a column holds a value of another kind; was it changed by hand?",
                )),
            },
        }
    }
}

impl RowReader for Row {
    fn int4(&mut self) -> Result<Option<i32>, Failure> {
        self.take(|column| match column {
            Column::Integer(value) => value.try_into().ok(),
            Column::Null | Column::Text(_) | Column::Bytes(_) | Column::Flag(_) | Column::Id(_) => None,
        })
    }

    fn int8(&mut self) -> Result<Option<i64>, Failure> {
        self.take(|column| match column {
            Column::Integer(value) => Some(value),
            Column::Null | Column::Text(_) | Column::Bytes(_) | Column::Flag(_) | Column::Id(_) => None,
        })
    }

    fn text(&mut self) -> Result<Option<String>, Failure> {
        self.take(|column| match column {
            Column::Text(value) => Some(value),
            Column::Null | Column::Integer(_) | Column::Bytes(_) | Column::Flag(_) | Column::Id(_) => None,
        })
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.take(|column| match column {
            Column::Bytes(value) => Some(value),
            Column::Null | Column::Integer(_) | Column::Text(_) | Column::Flag(_) | Column::Id(_) => None,
        })
    }

    fn flag(&mut self) -> Result<Option<bool>, Failure> {
        self.take(|column| match column {
            Column::Flag(value) => Some(value),
            Column::Integer(value) => Some(value != 0),
            Column::Null | Column::Text(_) | Column::Bytes(_) | Column::Id(_) => None,
        })
    }

    fn id(&mut self) -> Result<Option<Uuid>, Failure> {
        self.take(|column| match column {
            Column::Id(value) => Some(value),
            Column::Bytes(value) => Uuid::from_slice(&value).ok(),
            Column::Null | Column::Integer(_) | Column::Text(_) | Column::Flag(_) => None,
        })
    }
}
