//! Records on their way from the polling thread to the applying one, their bytes in one piece of memory.

use std::{collections::BTreeMap, ops::Range};

use scoresync_kafka::{BorrowedMessage, Message, TopicPartition};

/// What was read of some partitions since the last batch.
#[derive(Default)]
pub(crate) struct Collected {
    partitions: BTreeMap<TopicPartition, Records>,
    records: usize,
    bytes: usize,
}

/// What was read of one partition, in its order.
pub(crate) struct Records {
    /// Where the archive is before.
    pub(crate) expected_offset: i64,
    /// Where it is afterwards.
    pub(crate) next_offset: i64,
    memory: Vec<u8>,
    records: Vec<Record>,
}

struct Record {
    offset: i64,
    key: Range<usize>,
    value: Option<Range<usize>>,
}

/// One record, borrowed.
pub(crate) struct RecordView<'a> {
    pub(crate) offset: i64,
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
}

impl Collected {
    /// Appends a record of a partition that the archive has up to `expected_offset`. Around a rebalance, the client can deliver a record
    /// twice; it counts once.
    pub(crate) fn push(&mut self, place: &TopicPartition, expected_offset: i64, message: &BorrowedMessage<'_>) {
        let records = match self.partitions.get_mut(place) {
            Some(records) => records,
            None if message.offset() < expected_offset => return,
            None => self
                .partitions
                .entry(place.clone())
                .or_insert_with(|| Records::new(expected_offset)),
        };
        if message.offset() < records.next_offset {
            return;
        }
        self.records += 1;
        self.bytes += records.push(message);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    pub(crate) fn records(&self) -> usize {
        self.records
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops what was read of a partition: it will be read again, by us or by others.
    pub(crate) fn forget(&mut self, place: &TopicPartition) {
        if let Some(records) = self.partitions.remove(place) {
            self.records -= records.records.len();
            self.bytes -= records.memory.len();
        }
    }

    /// The partitions and what was read of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Records)> {
        self.partitions.iter()
    }
}

impl Records {
    fn new(expected_offset: i64) -> Self {
        Self {
            expected_offset,
            next_offset: expected_offset,
            memory: Vec::new(),
            records: Vec::new(),
        }
    }

    fn push(&mut self, message: &BorrowedMessage<'_>) -> usize {
        let before = self.memory.len();
        let mut store = |bytes: &[u8]| {
            let start = self.memory.len();
            self.memory.extend_from_slice(bytes);
            start..self.memory.len()
        };
        let key = store(message.key().unwrap_or_default());
        let value = message.payload().map(&mut store);
        self.records.push(Record {
            offset: message.offset(),
            key,
            value,
        });
        self.next_offset = message.offset() + 1;
        self.memory.len() - before
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.records.iter().map(|record| RecordView {
            offset: record.offset,
            key: &self.memory[record.key.clone()],
            value: record.value.clone().map(|range| &self.memory[range]),
        })
    }
}
