//! What the archive says at one moment: results on disk, all else here.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use scoresync_archive::{Position, RefusedScore, Surveyed};
use scoresync_domain::{LetterState, Refusal};
use scoresync_spill::Spill;

use crate::{
    books::Books,
    counts::FateCounts,
    ledger::Ledger,
    people::People,
    said::{History as HistoryRow, Item, Place, Record, Refused, place},
};

/// What the archive says beside its results.
#[derive(Default)]
pub(crate) struct Statements {
    /// Where sink and desk go on, by topic, generation and partition.
    pub(crate) sink: BTreeMap<(String, i32, i32), i64>,
    /// What the sink's positions were recorded for.
    pub(crate) origins: Vec<Position>,
    pub(crate) desk: BTreeMap<(String, i32, i32), i64>,
    pub(crate) fates: FateCounts,
    pub(crate) people: People,
    pub(crate) undecodable: BTreeSet<Place>,
}

impl Statements {
    pub(crate) fn take(&mut self, row: Surveyed, (ledger, books, spill): (&mut Ledger, &mut Books, &mut Spill<Item>)) -> io::Result<()> {
        match row {
            Surveyed::SinkPosition(position) => {
                self.sink.insert(key(&position), position.next_offset);
                self.origins.push(position);
            }
            Surveyed::DeskPosition(position) => drop(self.desk.insert(key(&position), position.next_offset)),
            Surveyed::Fates(counted) => {
                let partition = (counted.generation, counted.partition);
                *self.fates.entry((partition, counted.fate)).or_default() += counted.count;
            }
            Surveyed::Replaced { employee_no, successor } => self.people.replaced(employee_no, successor),
            Surveyed::FormerlyReplaced { employee_no, successor } => self.people.formerly_replaced(employee_no, successor),
            Surveyed::Record(record) => spill.put(record.result_id, &Item::Record(Record::of(&record)))?,
            Surveyed::History(row) => spill.put(row.result_id, &Item::History(HistoryRow::of(&row)))?,
            Surveyed::Refused(refused) => self.refuse(&refused, spill)?,
            Surveyed::Letter { id, state, .. } => {
                books.count_letter(state);
                if id.topic.is_empty() {
                    ledger.letter_known(id.origin, state == LetterState::Filed);
                }
            }
            Surveyed::Discarded(id) if id.topic.is_empty() => ledger.letter_known(id.origin, false),
            Surveyed::Discarded(_) => {}
        }
        Ok(())
    }

    fn refuse(&mut self, refused: &RefusedScore, spill: &mut Spill<Item>) -> io::Result<()> {
        let place = place(refused.position);
        let Ok(statement) = &refused.score else {
            self.undecodable.insert(place);
            return Ok(());
        };
        let is_by_owner = refused.reason == Refusal::OwnerChanged;
        spill.put(statement.result_id, &Item::Refused(Refused::of(statement, (place, is_by_owner))))
    }
}

fn key(position: &Position) -> (String, i32, i32) {
    let partition = &position.partition;
    (partition.topic.clone(), partition.generation, partition.partition)
}
