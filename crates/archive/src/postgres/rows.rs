//! Rows into and out of PostgreSQL: in as one array per column, which one statement takes whatever their number, or copied in.

use std::pin::Pin;

use bytes::BytesMut;
use tokio_postgres::{
    Row, Statement,
    binary_copy::BinaryCopyInWriter,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};
use uuid::Uuid;

use super::transaction::Transaction;
use crate::{
    error::Failure,
    table::{Kind, RowReader, Table, Value},
};

/// The values of one column.
enum Array<'a> {
    Int4(Vec<Option<i32>>),
    Int8(Vec<Option<i64>>),
    Text(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
    Flag(Vec<Option<bool>>),
    Id(Vec<Option<Uuid>>),
}

impl<'a> Array<'a> {
    fn of(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Int4 => Self::Int4(Vec::with_capacity(rows)),
            Kind::Int8 => Self::Int8(Vec::with_capacity(rows)),
            Kind::Text => Self::Text(Vec::with_capacity(rows)),
            Kind::Bytes => Self::Bytes(Vec::with_capacity(rows)),
            Kind::Flag => Self::Flag(Vec::with_capacity(rows)),
            Kind::Id => Self::Id(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, value: Value<'a>) {
        match (self, value) {
            (Self::Int4(array), Value::Int4(value)) => array.push(value),
            (Self::Int8(array), Value::Int8(value)) => array.push(value),
            (Self::Text(array), Value::Text(value)) => array.push(value),
            (Self::Bytes(array), Value::Bytes(value)) => array.push(value),
            (Self::Flag(array), Value::Flag(value)) => array.push(value),
            (Self::Id(array), Value::Id(value)) => array.push(value),
            // Arrays of different lengths are a row of nulls at the end, which no table takes.
            (
                Self::Int4(_) | Self::Int8(_) | Self::Text(_) | Self::Bytes(_) | Self::Flag(_) | Self::Id(_),
                Value::Int4(_) | Value::Int8(_) | Value::Text(_) | Value::Bytes(_) | Value::Flag(_) | Value::Id(_),
            ) => debug_assert!(false, "a value of another kind than its column"),
        }
    }

    fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int4(array) => array,
            Self::Int8(array) => array,
            Self::Text(array) => array,
            Self::Bytes(array) => array,
            Self::Flag(array) => array,
            Self::Id(array) => array,
        }
    }
}

/// Rows of one table and the statement that writes them, which can be sent at once.
pub(super) struct Prepared<'a> {
    /// None where there are no rows.
    statement: Option<Statement>,
    arrays: Vec<Array<'a>>,
}

impl<'a> Prepared<'a> {
    /// Where a key is there already, the table's rule for conflicts says what becomes of it.
    pub(super) async fn rows<V: IntoIterator<Item = Value<'a>>>(
        transaction: &Transaction<'_>,
        table: &Table,
        rows: impl ExactSizeIterator<Item = V>,
    ) -> Result<Self, Failure> {
        Self::of(transaction, (table, &table.conflict), rows).await
    }

    /// A key that is there already is an error.
    pub(super) async fn new_rows<V: IntoIterator<Item = Value<'a>>>(
        transaction: &Transaction<'_>,
        table: &Table,
        rows: impl ExactSizeIterator<Item = V>,
    ) -> Result<Self, Failure> {
        Self::of(transaction, (table, ""), rows).await
    }

    async fn of<V: IntoIterator<Item = Value<'a>>>(
        transaction: &Transaction<'_>,
        (table, conflict): (&Table, &str),
        rows: impl ExactSizeIterator<Item = V>,
    ) -> Result<Self, Failure> {
        let statement = match rows.len() {
            0 => None,
            _ => Some(transaction.prepare_cached(&format!("{} {conflict}", insert(table))).await?),
        };
        let mut arrays: Vec<Array<'a>> = table.columns.iter().map(|column| Array::of(column.kind, rows.len())).collect();
        for row in rows {
            for (array, value) in arrays.iter_mut().zip(row) {
                array.push(value);
            }
        }
        Ok(Self { statement, arrays })
    }

    pub(super) async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Failure> {
        if let Some(statement) = &self.statement {
            let parameters: Vec<_> = self.arrays.iter().map(Array::parameter).collect();
            transaction.execute(statement, &parameters).await?;
        }
        Ok(())
    }
}

fn insert(table: &Table) -> String {
    let arrays = (1..)
        .zip(&table.columns)
        .map(|(number, column)| format!("${number}::{}[]", sql_type(column.kind)));
    let (table_name, names, parameters) = (table.name, table.names(), arrays.collect::<Vec<_>>().join(", "));
    format!("INSERT INTO {table_name} ({names}) SELECT {names} FROM unnest({parameters}) AS given ({names})")
}

/// The quickest way that the server has for many rows. One whose key is there already is an error.
pub(super) struct CopyIn {
    statement: Statement,
    types: Vec<Type>,
}

/// Rows that are on that way.
pub(super) struct Copying {
    writer: Pin<Box<BinaryCopyInWriter>>,
}

impl CopyIn {
    pub(super) async fn prepare(transaction: &Transaction<'_>, table: &Table) -> Result<Self, Failure> {
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.names());
        Ok(Self {
            statement: transaction.prepare_cached(&sql).await?,
            types: table.columns.iter().map(|column| sql_type(column.kind)).collect(),
        })
    }

    pub(super) async fn begin(self, transaction: &Transaction<'_>) -> Result<Copying, Failure> {
        let sink = transaction.copy_in(&self.statement).await?;
        let writer = Box::pin(BinaryCopyInWriter::new(sink, &self.types));
        Ok(Copying { writer })
    }
}

impl Copying {
    pub(super) async fn write<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) -> Result<(), Failure> {
        let values: Vec<Value<'a>> = values.into_iter().collect();
        Ok(self.writer.as_mut().write_raw(&values).await?)
    }

    pub(super) async fn finish(mut self) -> Result<(), Failure> {
        self.writer.as_mut().finish().await?;
        Ok(())
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Int4(value) => value.to_sql(to, out),
            Self::Int8(value) => value.to_sql(to, out),
            Self::Text(value) => value.to_sql(to, out),
            Self::Bytes(value) => value.to_sql(to, out),
            Self::Flag(value) => value.to_sql(to, out),
            Self::Id(value) => value.to_sql(to, out),
        }
    }

    /// Whether it is the right one, [`Table`] says.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn sql_type(kind: Kind) -> Type {
    match kind {
        Kind::Int4 => Type::INT4,
        Kind::Int8 => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Flag => Type::BOOL,
        Kind::Id => Type::UUID,
    }
}

/// Takes the columns of a row from left to right.
pub(super) struct Cursor<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Cursor<'r> {
    pub(super) fn over(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    fn take<T: FromSql<'r>>(&mut self) -> Result<T, Failure> {
        self.next += 1;
        Ok(self.row.try_get(self.next - 1)?)
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
        self.take()
    }
}
