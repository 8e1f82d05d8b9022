//! Reading positions, records and counts.

use std::collections::BTreeMap;

use scoresync_domain::Refusal;

use super::{
    SqliteArchive,
    rows::{Cursor, read_all},
};
use crate::{
    EnrichedPosition, FateCount, Position, RefusedScore, TrainingRecord,
    error::Failure,
    read,
    read::{read_employee_no, read_fate_count, read_position, read_refused_count},
    table::{present, read_history, read_record, read_refused},
};

impl SqliteArchive {
    pub(crate) fn positions(&self, topic: &str, generation: i32) -> Result<Vec<Position>, Failure> {
        let sql = "SELECT partition, topic_id, next_offset, partition_count, schemas FROM consumer_position
            WHERE topic = ? AND generation = ? ORDER BY partition";
        let read = |row: &mut Cursor<'_>| read_position(row, topic, generation);
        self.run(|connection| read_all(connection, (sql, (topic, generation)), read))
    }

    pub(crate) fn claim_position(&self, position: &Position) -> Result<Position, Failure> {
        let partition = &position.partition;
        let sql = "INSERT INTO consumer_position (topic, generation, partition, topic_id, next_offset, partition_count, schemas)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (topic, generation, partition) DO NOTHING";
        let place = (&partition.topic, partition.generation, partition.partition);
        let topic = (&position.topic_id, position.partition_count, &position.schemas);
        let values = (place.0, place.1, place.2, topic.0, position.next_offset, topic.1, topic.2);
        self.run(|connection| Ok(connection.execute(sql, values)?))?;
        let positions = self.positions(&partition.topic, partition.generation)?;
        let claimed = positions.into_iter().find(|claimed| claimed.partition == *partition);
        present(claimed, "position")
    }

    pub(crate) fn records_of(&self, employee_no: &str) -> Result<Vec<TrainingRecord>, Failure> {
        self.run(|connection| {
            let snapshot = connection.transaction()?;
            let records = read_all(&snapshot, (&read::records_of("?"), [employee_no]), |row| read_record(row))?;
            let history = read_all(&snapshot, (&read::history_of("?"), [employee_no]), |row| read_history(row))?;
            read::assemble(records, history)
        })
    }

    pub(crate) fn employee_numbers(&self) -> Result<Vec<String>, Failure> {
        self.run(|connection| read_all(connection, (read::EMPLOYEE_NUMBERS, ()), |row| read_employee_no(row)))
    }

    pub(crate) fn fate_counts(&self) -> Result<Vec<FateCount>, Failure> {
        self.run(|connection| read_all(connection, (read::FATE_COUNTS, ()), |row| read_fate_count(row)))
    }

    pub(crate) fn refused_counts(&self) -> Result<BTreeMap<Refusal, u64>, Failure> {
        let counts = self.run(|connection| read_all(connection, (read::REFUSED_COUNTS, ()), |row| read_refused_count(row)))?;
        Ok(counts.into_iter().collect())
    }

    pub(crate) fn refused_scores(&self, after: Option<EnrichedPosition>, limit: u32) -> Result<Vec<RefusedScore>, Failure> {
        let sql = read::refused_after(["?1", "?2", "?3", "?4"]);
        let (generation, partition, offset) = read::start(after);
        let parameters = (generation, partition, offset, limit);
        self.run(|connection| read_all(connection, (&sql, parameters), |row| read_refused(row)))
    }

    pub(crate) fn ping(&self) -> Result<(), Failure> {
        self.run(|connection| Ok(connection.query_row("SELECT 1 FROM schema_version", (), |_| Ok(()))?))
    }
}
