//! Rows that are ready in memory into a table like that of the training records: the ceilings of the sink.

use anyhow::{Context, bail};
use tokio_postgres::{
    Client, NoTls, Row, Transaction,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::usage::{self, Speed, Stopwatch};

/// As many as one batch of the sink takes by default.
const BATCH: usize = 5_000;

/// Columns that the history does not have.
const OF_RECORDS_ALONE: [&str; 4] = ["owner_employee_no", "owner_decision", "shown_status", "shown_content_hash"];

/// A database with training records.
pub(crate) struct BareTable {
    client: Client,
    server: u32,
    columns: Vec<(String, Type)>,
    batches: Vec<Vec<Column>>,
    rows: usize,
}

/// A statement that takes some of a batch's columns, by their places.
struct Insertion {
    sql: String,
    columns: Vec<usize>,
}

/// The values of a batch's column.
enum Column {
    Int4(Vec<Option<i32>>),
    Int8(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Flag(Vec<Option<bool>>),
    Id(Vec<Option<Uuid>>),
}

impl BareTable {
    /// Reads all training records, to be written again. `server`: the process of the database.
    pub(crate) async fn read(url: &str, server: u32) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let statement = client.prepare("SELECT * FROM training_record").await?;
        let columns: Vec<_> = statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), column.type_().clone()))
            .collect();
        client
            .batch_execute("BEGIN; DECLARE ready CURSOR FOR SELECT * FROM training_record")
            .await?;
        let (mut batches, mut count) = (Vec::new(), 0);
        loop {
            let rows = client.query(&format!("FETCH {BATCH} FROM ready"), &[]).await?;
            if rows.is_empty() {
                break;
            }
            count += rows.len();
            let read = columns
                .iter()
                .enumerate()
                .map(|(place, (_, kind))| Column::read(&rows, place, kind));
            batches.push(read.collect::<anyhow::Result<_>>()?);
        }
        client.batch_execute("COMMIT").await?;
        Ok(Self {
            client,
            server,
            columns,
            batches,
            rows: count,
        })
    }

    /// One statement for each batch, with a position in the same transaction.
    pub(crate) async fn upsert(&mut self) -> anyhow::Result<Speed> {
        self.make_table().await?;
        self.upsert_again().await
    }

    /// The same where all rows are there.
    pub(crate) async fn upsert_again(&mut self) -> anyhow::Result<Speed> {
        self.write(&[self.upsert_of_records()]).await
    }

    /// The same with a row of history for each, as a correction leaves.
    pub(crate) async fn upsert_with_history(&mut self) -> anyhow::Result<Speed> {
        self.write(&[self.upsert_of_records(), self.insertion_of_history()]).await
    }

    /// Each batch by these statements, in one transaction.
    async fn write(&mut self, insertions: &[Insertion]) -> anyhow::Result<Speed> {
        let mut statements = Vec::new();
        for insertion in insertions {
            statements.push((self.client.prepare(&insertion.sql).await?, &insertion.columns));
        }
        let stopwatch = self.stopwatch()?;
        for batch in &self.batches {
            let transaction = begin(&mut self.client).await?;
            for (statement, columns) in &statements {
                let arrays: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|place| batch[*place].array()).collect();
                transaction.execute(statement, &arrays).await?;
            }
            transaction.commit().await?;
        }
        stopwatch.stop(self.rows)
    }

    /// `COPY`, in batches as large, with a position in the same transaction.
    pub(crate) async fn copy(&mut self) -> anyhow::Result<Speed> {
        self.make_table().await?;
        let types: Vec<Type> = self.columns.iter().map(|(_, kind)| kind.clone()).collect();
        let stopwatch = self.stopwatch()?;
        for batch in &self.batches {
            let transaction = begin(&mut self.client).await?;
            let sink = transaction.copy_in("COPY bare FROM STDIN BINARY").await?;
            let writer = BinaryCopyInWriter::new(sink, &types);
            let mut writer = std::pin::pin!(writer);
            for row in 0..batch.first().map_or(0, Column::len) {
                let values: Vec<&(dyn ToSql + Sync)> = batch.iter().map(|column| column.value(row)).collect();
                writer.as_mut().write(&values).await?;
            }
            writer.finish().await?;
            transaction.commit().await?;
        }
        stopwatch.stop(self.rows)
    }

    async fn make_table(&self) -> anyhow::Result<()> {
        let sql = "DROP TABLE IF EXISTS bare, bare_history, bare_position; CREATE TABLE bare (LIKE training_record INCLUDING ALL); \
                   CREATE TABLE bare_history (LIKE score_history INCLUDING ALL); CREATE TABLE bare_position (next_offset bigint NOT NULL); \
                   INSERT INTO bare_position VALUES (0)";
        self.client.batch_execute(sql).await.context("make a table")
    }

    fn upsert_of_records(&self) -> Insertion {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let (names, arrays) = self.names_and_arrays(&all);
        let updates: Vec<String> = self.columns.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
        let updates = updates.join(", ");
        Insertion {
            sql: format!("INSERT INTO bare ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT (result_id) DO UPDATE SET {updates}"),
            columns: all,
        }
    }

    fn insertion_of_history(&self) -> Insertion {
        let is_shared = |place: &usize| !OF_RECORDS_ALONE.contains(&self.columns[*place].0.as_str());
        let shared: Vec<usize> = (0..self.columns.len()).filter(is_shared).collect();
        let (names, arrays) = self.names_and_arrays(&shared);
        Insertion {
            sql: format!("INSERT INTO bare_history ({names}, speaks) SELECT *, true FROM unnest({arrays})"),
            columns: shared,
        }
    }

    /// Of some columns, and the parameters that stand for them.
    fn names_and_arrays(&self, places: &[usize]) -> (String, String) {
        let columns = places.iter().map(|place| &self.columns[*place]);
        let (names, arrays): (Vec<&str>, Vec<String>) = (1..)
            .zip(columns)
            .map(|(number, (name, kind))| (name.as_str(), format!("${number}::{}[]", kind.name())))
            .unzip();
        (names.join(", "), arrays.join(", "))
    }

    /// The processor's time is the database's.
    fn stopwatch(&self) -> anyhow::Result<Stopwatch> {
        Stopwatch::start(usage::cpu_with_children, self.server)
    }
}

/// A transaction in which the position has moved.
async fn begin(client: &mut Client) -> anyhow::Result<Transaction<'_>> {
    let transaction = client.transaction().await?;
    transaction
        .execute("UPDATE bare_position SET next_offset = next_offset + 1", &[])
        .await?;
    Ok(transaction)
}

impl Column {
    fn read(rows: &[Row], place: usize, kind: &Type) -> anyhow::Result<Self> {
        fn values<'a, T: tokio_postgres::types::FromSql<'a>>(rows: &'a [Row], place: usize) -> anyhow::Result<Vec<Option<T>>> {
            Ok(rows.iter().map(|row| row.try_get(place)).collect::<Result<_, _>>()?)
        }
        Ok(match *kind {
            Type::INT4 => Self::Int4(values(rows, place)?),
            Type::INT8 => Self::Int8(values(rows, place)?),
            Type::TEXT => Self::Text(values(rows, place)?),
            Type::BYTEA => Self::Bytes(values(rows, place)?),
            Type::BOOL => Self::Flag(values(rows, place)?),
            Type::UUID => Self::Id(values(rows, place)?),
            _ => bail!("a column is of the type {kind}"),
        })
    }

    fn array(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int4(values) => values,
            Self::Int8(values) => values,
            Self::Text(values) => values,
            Self::Bytes(values) => values,
            Self::Flag(values) => values,
            Self::Id(values) => values,
        }
    }

    fn value(&self, row: usize) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int4(values) => &values[row],
            Self::Int8(values) => &values[row],
            Self::Text(values) => &values[row],
            Self::Bytes(values) => &values[row],
            Self::Flag(values) => &values[row],
            Self::Id(values) => &values[row],
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Int4(values) => values.len(),
            Self::Int8(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Flag(values) => values.len(),
            Self::Id(values) => values.len(),
        }
    }
}
