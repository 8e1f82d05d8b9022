//! What became of each report, by where it first appeared: a byte for each position of `scores.raw`.

use std::collections::BTreeMap;

use scoresync_domain::{Fate, Origin};

use crate::books::{Books, FindingKind, Item, PartitionBooks};

/// What is known of a position; of several things the greatest counts, so a later filing closes a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Mark {
    /// No record: a mark of a transaction.
    Nothing,
    /// A copy of a report that first appeared elsewhere.
    Copy,
    /// A report that nothing is known of.
    Report,
    DeadLettered,
    /// There is an enriched score, and the archive has not come to it.
    Mapped,
    Refused,
    Superseded,
    Duplicate,
    /// What it said was taken back, as the present mapping refuses it.
    Retracted,
    Filed,
}

impl Mark {
    const ALL: [Self; 10] = [
        Self::Nothing,
        Self::Copy,
        Self::Report,
        Self::DeadLettered,
        Self::Mapped,
        Self::Refused,
        Self::Superseded,
        Self::Duplicate,
        Self::Retracted,
        Self::Filed,
    ];

    pub(crate) const fn of(fate: Fate) -> Self {
        match fate {
            Fate::Filed => Self::Filed,
            Fate::Duplicate => Self::Duplicate,
            Fate::Superseded => Self::Superseded,
            Fate::Refused => Self::Refused,
            Fate::DeadLettered => Self::DeadLettered,
        }
    }
}

/// The mark is in the lower half of the byte.
const MARK: u8 = 0x0f;
/// The desk has read a letter about it.
const LETTER_READ: u8 = 0x10;
/// The desk knows what became of its letter.
const LETTER_KNOWN: u8 = 0x20;
/// By the desk, its report is filed.
const LETTER_FILED: u8 = 0x40;

/// A partition's log.
#[derive(Debug, Default)]
struct Column {
    first: i64,
    /// The mapper's group has recorded that it is done with what stands before.
    mapped: i64,
    positions: Vec<u8>,
    /// The first report that a letter names which the log still holds.
    first_letter: Option<i64>,
    /// The first report that an enriched score names which the log still holds.
    first_score: Option<i64>,
}

/// All reports.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    columns: BTreeMap<(i32, i32), Column>,
    /// Of origins behind what was read, the last in each partition: reports that came meanwhile, or never.
    beyond: BTreeMap<(i32, i32), i64>,
    /// Letters fell out of their log: of reports before those that the others name, nobody can tell whether there was one.
    are_letters_gone: bool,
    /// The same of enriched scores.
    are_scores_gone: bool,
}

impl Ledger {
    /// Takes down a record of `scores.raw`; those of a partition come in their order, and its log begins with the first.
    pub(crate) fn record(&mut self, origin: Origin, mark: Mark) {
        let begin = || Column {
            first: origin.offset,
            ..Column::default()
        };
        let column = self.columns.entry((origin.generation, origin.partition)).or_insert_with(begin);
        let Ok(index) = usize::try_from(origin.offset - column.first) else {
            return;
        };
        if column.positions.len() <= index {
            column.positions.resize(index + 1, Mark::Nothing as u8);
        }
        column.positions[index] = mark as u8;
    }

    /// The mapper is done with what stands before `mapped` in a partition, whose log begins at `first`.
    pub(crate) fn is_mapped(&mut self, place: (i32, i32), (first, mapped): (i64, i64)) {
        let begin = || Column {
            first,
            ..Column::default()
        };
        self.columns.entry(place).or_insert_with(begin).mapped = mapped;
    }

    /// Some letters fell out of their log.
    pub(crate) fn letters_are_gone(&mut self) {
        self.are_letters_gone = true;
    }

    /// Some enriched scores fell out of their log.
    pub(crate) fn scores_are_gone(&mut self) {
        self.are_scores_gone = true;
    }

    fn position(&mut self, origin: Origin) -> Option<&mut u8> {
        let column = self.columns.get_mut(&(origin.generation, origin.partition))?;
        let index = usize::try_from(origin.offset - column.first).ok()?;
        column.positions.get_mut(index)
    }

    fn is_past(&self, origin: Origin) -> bool {
        let column = self.columns.get(&(origin.generation, origin.partition));
        column.is_some_and(|column| origin.offset < column.first)
    }

    /// An output names this report, and came to this. What fell out of the log is not looked for. Says whether the report is one.
    pub(crate) fn mark(&mut self, origin: Origin, mark: Mark) -> bool {
        if self.is_past(origin) {
            return true;
        }
        if let Some(position) = self.position(origin) {
            let is_report = *position & MARK >= Mark::Report as u8;
            if is_report && *position & MARK < mark as u8 {
                *position = *position & !MARK | mark as u8;
            }
            return is_report;
        }
        let last = self.beyond.entry((origin.generation, origin.partition)).or_insert(origin.offset);
        *last = origin.offset.max(*last);
        true
    }

    /// A letter names it. Says whether the report is one.
    pub(crate) fn letter(&mut self, origin: Origin) -> bool {
        if let Some(column) = self.columns.get_mut(&(origin.generation, origin.partition)) {
            column.first_letter = Some(column.first_letter.map_or(origin.offset, |first| first.min(origin.offset)));
        }
        self.mark(origin, Mark::DeadLettered)
    }

    /// An enriched score names it, made at the first try or at a later one. Says whether the report is one.
    pub(crate) fn score(&mut self, origin: Origin, is_first_try: bool) -> bool {
        let column = self.columns.get_mut(&(origin.generation, origin.partition));
        if let Some(column) = column.filter(|_| is_first_try) {
            column.first_score = Some(column.first_score.map_or(origin.offset, |first| first.min(origin.offset)));
        }
        self.mark(origin, Mark::Mapped)
    }

    /// The desk has read a letter about it.
    pub(crate) fn letter_read(&mut self, origin: Origin) {
        self.flag(origin, LETTER_READ);
    }

    /// The desk knows what became of its letter.
    pub(crate) fn letter_known(&mut self, origin: Origin, is_filed: bool) {
        self.flag(origin, if is_filed { LETTER_KNOWN | LETTER_FILED } else { LETTER_KNOWN });
    }

    fn flag(&mut self, origin: Origin, flag: u8) {
        if let Some(position) = self.position(origin) {
            *position |= flag;
        }
    }

    /// Closes the books. `ends` says where the logs end by now.
    pub(crate) fn close(&self, ends: &BTreeMap<(i32, i32), i64>, books: &mut Books) {
        for ((generation, partition), last) in &self.beyond {
            // Of a generation whose topic is gone nothing is known.
            if self.columns.keys().any(|(known, _)| known == generation)
                && ends.get(&(*generation, *partition)).is_none_or(|end| last >= end)
            {
                let text = "an output names it as its report, and scores.raw never had it";
                let origin = Origin {
                    generation: *generation,
                    partition: *partition,
                    offset: *last,
                };
                books.find(FindingKind::Invented, Item::Report(origin), text);
            }
        }
        let mut untold = 0_u64;
        for ((generation, partition), column) in &self.columns {
            let mut counts = PartitionBooks {
                generation: *generation,
                partition: *partition,
                ..PartitionBooks::default()
            };
            for (offset, position) in (column.first..).zip(&column.positions) {
                let origin = Origin {
                    generation: *generation,
                    partition: *partition,
                    offset,
                };
                let is_since = |first: Option<i64>| first.is_some_and(|first| offset >= first);
                let is_told =
                    (!self.are_letters_gone || is_since(column.first_letter)) && (!self.are_scores_gone || is_since(column.first_score));
                // What the desk knows of needs no letter.
                let is_unknown = *position & (MARK | LETTER_KNOWN) == Mark::Report as u8;
                if offset < column.mapped && !is_told && is_unknown {
                    untold += 1;
                } else {
                    count(&mut counts, (origin, *position), offset < column.mapped, books);
                }
            }
            books.partitions.push(counts);
        }
        if untold > 0 {
            let note = "reports are older than the outputs that scores.enriched and scores.dlq still hold: what they came to, if anything, \
                        cannot be told, and they are not counted";
            books.notes.push(format!("{untold} {note}"));
        }
    }
}

fn count(counts: &mut PartitionBooks, (origin, position): (Origin, u8), is_mapped: bool, books: &mut Books) {
    let mark = Mark::ALL[usize::from(position & MARK).min(Mark::ALL.len() - 1)];
    // A letter that fell out of its log is known to the desk still.
    let mark = if mark == Mark::Report && position & LETTER_KNOWN != 0 {
        Mark::DeadLettered
    } else {
        mark
    };
    let counter = match mark {
        Mark::Nothing | Mark::Copy => return,
        Mark::Report if is_mapped => {
            let text = "the mapper is done with it, and there is neither an enriched score nor a dead letter";
            books.find(FindingKind::Lost, Item::Report(origin), text);
            &mut counts.lost
        }
        Mark::Report | Mark::Mapped => &mut counts.in_flight,
        Mark::DeadLettered | Mark::Retracted => &mut counts.dead_lettered,
        Mark::Refused => &mut counts.refused,
        Mark::Superseded => &mut counts.superseded,
        Mark::Duplicate => &mut counts.duplicate,
        Mark::Filed => &mut counts.filed,
    };
    *counter += 1;
    counts.reports += 1;
    // What is filed by now may have been forgotten as a letter.
    let is_letter = mark <= Mark::DeadLettered || mark == Mark::Retracted;
    if position & LETTER_READ != 0 && position & LETTER_KNOWN == 0 && is_letter {
        let text = "the desk has read its dead letter, and does not know it";
        books.find(FindingKind::MissingLetter, Item::Letter(origin), text);
    }
    if position & LETTER_FILED != 0 && mark < Mark::Mapped {
        let text = "its letter is closed as filed, and there is no enriched score";
        books.find(FindingKind::UnfiledLetter, Item::Letter(origin), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(offset: i64) -> Origin {
        Origin {
            generation: 1,
            partition: 0,
            offset,
        }
    }

    /// Reports at 5 to 9, of which all but the last are mapped.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for offset in 5..10 {
            ledger.record(origin(offset), Mark::Report);
        }
        ledger.is_mapped((1, 0), (5, 9));
        ledger
    }

    fn closed(ledger: &Ledger) -> Books {
        let mut books = Books::default();
        ledger.close(&BTreeMap::from([((1, 0), 12)]), &mut books);
        books
    }

    #[test]
    fn every_report_is_counted_once_by_the_greatest_that_became_of_it() {
        let mut ledger = ledger();
        for mark in [Mark::DeadLettered, Mark::Filed, Mark::Superseded] {
            assert!(ledger.mark(origin(5), mark));
        }
        assert!(ledger.mark(origin(6), Mark::Mapped) && ledger.mark(origin(7), Mark::Refused) && ledger.mark(origin(8), Mark::Duplicate));
        let books = closed(&ledger);
        let expected = PartitionBooks {
            generation: 1,
            reports: 5,
            filed: 1,
            duplicate: 1,
            refused: 1,
            in_flight: 2,
            ..PartitionBooks::default()
        };
        assert_eq!((books.partitions, books.finding_count), (vec![expected], 0));
    }

    fn kinds(ledger: &Ledger) -> Vec<(FindingKind, String)> {
        let findings = closed(ledger).findings.into_iter();
        findings.map(|found| (found.kind, found.item.to_string())).collect()
    }

    #[test]
    fn what_came_to_nothing_and_what_never_was_is_named() {
        let mut ledger = ledger();
        for offset in [5, 6, 8] {
            ledger.mark(origin(offset), Mark::Filed);
        }
        assert!(ledger.mark(origin(3), Mark::Filed), "what fell out of the log is not looked for");
        assert!(ledger.mark(origin(11), Mark::Filed), "it came meanwhile");
        assert_eq!(kinds(&ledger), [(FindingKind::Lost, "report 1/0/7".to_owned())]);
        ledger.mark(origin(12), Mark::Filed);
        assert_eq!(kinds(&ledger)[0], (FindingKind::Invented, "report 1/0/12".to_owned()));
    }

    #[test]
    fn of_a_generation_that_is_gone_nothing_is_invented() {
        let mut ledger = ledger();
        ledger.mark(
            Origin {
                generation: 0,
                ..origin(5)
            },
            Mark::Filed,
        );
        assert!(kinds(&ledger).iter().all(|(kind, _)| *kind == FindingKind::Lost));
    }

    #[test]
    fn what_letters_that_are_gone_would_tell_is_not_lost() {
        let mut ledger = ledger();
        ledger.letters_are_gone();
        ledger.letter(origin(7));
        assert_eq!(kinds(&ledger), [(FindingKind::Lost, "report 1/0/8".to_owned())]);
        ledger.letter_known(origin(5), false);
        let books = closed(&ledger);
        assert_eq!((books.partitions[0].dead_lettered, books.notes.len()), (2, 1));
    }

    #[test]
    fn what_scores_that_are_gone_would_tell_is_not_lost() {
        let mut ledger = ledger();
        ledger.scores_are_gone();
        assert_eq!((kinds(&ledger), closed(&ledger).notes.len()), (vec![], 1));
        // It waited as a dead letter for long.
        ledger.score(origin(5), false);
        ledger.score(origin(7), true);
        assert_eq!(kinds(&ledger), [(FindingKind::Lost, "report 1/0/8".to_owned())]);
    }

    #[test]
    fn nobody_names_a_copy_as_a_report() {
        let mut ledger = ledger();
        ledger.record(origin(10), Mark::Copy);
        assert!(!ledger.mark(origin(10), Mark::Filed));
    }

    #[test]
    fn a_letter_that_was_read_must_be_known_unless_its_report_is_filed() {
        let mut ledger = ledger();
        for offset in 5..9 {
            ledger.mark(origin(offset), Mark::DeadLettered);
            ledger.letter_read(origin(offset));
        }
        ledger.letter_known(origin(5), false);
        ledger.mark(origin(6), Mark::Filed);
        ledger.letter_known(origin(7), true);
        let expected = [
            (FindingKind::UnfiledLetter, "letter 1/0/7".to_owned()),
            (FindingKind::MissingLetter, "letter 1/0/8".to_owned()),
        ];
        assert_eq!(kinds(&ledger), expected);
    }
}
