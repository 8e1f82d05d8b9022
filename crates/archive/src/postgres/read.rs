//! Reading positions, records and counts.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use scoresync_domain::Refusal;
use tokio_postgres::{IsolationLevel, Row, types::ToSql};

use super::{PostgresArchive, rows::Cursor};
use crate::{
    EnrichedPosition, FateCount, Position, RefusedScore, TrainingRecord,
    error::Failure,
    read::{self, read_employee_no, read_fate_count, read_position, read_refused_count},
    table::{present, read_history, read_record, read_refused},
};

impl PostgresArchive {
    async fn ask(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        ask(&self.client().await?, sql, parameters).await
    }

    pub(crate) async fn positions(&self, topic: &str, generation: i32) -> Result<Vec<Position>, Failure> {
        let sql = "SELECT partition, topic_id, next_offset, partition_count, schemas FROM consumer_position
            WHERE topic = $1 AND generation = $2 ORDER BY partition";
        let rows = self.ask(sql, &[&topic, &generation]).await?;
        rows.iter()
            .map(|row| read_position(&mut Cursor::over(row), topic, generation))
            .collect()
    }

    pub(crate) async fn claim_position(&self, position: &Position) -> Result<Position, Failure> {
        let partition = &position.partition;
        let sql = "INSERT INTO consumer_position (topic, generation, partition, topic_id, next_offset, partition_count, schemas)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (topic, generation, partition) DO NOTHING";
        let place: [&(dyn ToSql + Sync); 3] = [&partition.topic, &partition.generation, &partition.partition];
        let values: [&(dyn ToSql + Sync); 4] = [
            &position.topic_id,
            &position.next_offset,
            &position.partition_count,
            &position.schemas,
        ];
        self.ask(sql, &[&place[..], &values].concat()).await?;
        let positions = self.positions(&partition.topic, partition.generation).await?;
        let claimed = positions.into_iter().find(|claimed| claimed.partition == *partition);
        present(claimed, "position")
    }

    pub(crate) async fn records_of(&self, employee_no: &str) -> Result<Vec<TrainingRecord>, Failure> {
        let mut client = self.client().await?;
        let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let snapshot = snapshot.read_only(true).start().await?;
        let records = ask(&snapshot, &read::records_of("$1::text"), &[&employee_no]).await?;
        let history = ask(&snapshot, &read::history_of("$1::text"), &[&employee_no]).await?;
        snapshot.commit().await?;
        let records = records
            .iter()
            .map(|row| read_record(&mut Cursor::over(row)))
            .collect::<Result<_, _>>()?;
        let history = history
            .iter()
            .map(|row| read_history(&mut Cursor::over(row)))
            .collect::<Result<_, _>>()?;
        read::assemble(records, history)
    }

    pub(crate) async fn employee_numbers(&self) -> Result<Vec<String>, Failure> {
        let rows = self.ask(read::EMPLOYEE_NUMBERS, &[]).await?;
        rows.iter().map(|row| read_employee_no(&mut Cursor::over(row))).collect()
    }

    pub(crate) async fn fate_counts(&self) -> Result<Vec<FateCount>, Failure> {
        let rows = self.ask(read::FATE_COUNTS, &[]).await?;
        rows.iter().map(|row| read_fate_count(&mut Cursor::over(row))).collect()
    }

    pub(crate) async fn refused_counts(&self) -> Result<BTreeMap<Refusal, u64>, Failure> {
        let rows = self.ask(read::REFUSED_COUNTS, &[]).await?;
        rows.iter().map(|row| read_refused_count(&mut Cursor::over(row))).collect()
    }

    pub(crate) async fn refused_scores(&self, after: Option<EnrichedPosition>, limit: u32) -> Result<Vec<RefusedScore>, Failure> {
        let (generation, partition, offset) = read::start(after);
        let sql = read::refused_after(["$1", "$2", "$3", "$4"]);
        let rows = self.ask(&sql, &[&generation, &partition, &offset, &i64::from(limit)]).await?;
        rows.iter().map(|row| read_refused(&mut Cursor::over(row))).collect()
    }

    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        self.ask("SELECT FROM schema_version LIMIT 1", &[]).await.map(drop)
    }
}

async fn ask(client: &impl GenericClient, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, parameters).await?)
}
