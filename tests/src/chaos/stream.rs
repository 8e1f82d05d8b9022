//! What is sent: stories about results, each row with its truth, out of order within a window, in bodies and files; and bytes that are no reports.

mod author;
mod rows;

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scoresync_domain::{Reason, Status};

use super::staff::Staff;
use author::Author;
use rows::EXPORT_HEADER;

/// How far a row can be moved from its place.
const WINDOW: u64 = 1_000;
/// Rows of one body.
const LARGEST_BODY: u64 = 30;

/// Which source says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Hall,
    Booth,
    Export,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hall => "hall",
            Self::Booth => "booth",
            Self::Export => "export",
        }
    }

    /// The only course that it knows.
    pub(super) const fn course_id(self) -> &'static str {
        match self {
            Self::Hall => "C-1",
            Self::Booth => "C-2",
            Self::Export => "C-3",
        }
    }
}

/// What a row says of a result, as its author means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) result: usize,
    /// Nobody in a withdrawal.
    pub(super) whose: Option<usize>,
    pub(super) status: Status,
    pub(super) exam_score: Option<String>,
    pub(super) revision: Option<i64>,
    pub(super) day: u32,
    /// Whether the employee may not be known yet when it is mapped.
    pub(super) may_be_early: bool,
}

impl Said {
    /// In UTC; the sources write the time of Shanghai, eight hours ahead. Days below 100 are before phones changed hands, the others after it.
    pub(super) fn finished_at(&self) -> String {
        format!("{}T01:30:00.000Z", self.date())
    }

    fn date(&self) -> String {
        let month = if self.day < 100 { 2 } else { 8 };
        format!("2025-{:02}-{:02}", month + (self.day % 100) / 28, 1 + self.day % 28)
    }
}

/// What must become of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Said(Said),
    SetAside(Reason),
}

/// A row, which its serial tells from all others; one that is repeated has the same serial again.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) serial: String,
    pub(super) source: Source,
    pub(super) truth: Truth,
    pub(super) bytes: Vec<u8>,
}

/// A body or a file.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) source: Source,
    pub(super) body: Vec<u8>,
    /// Numbers of rows.
    pub(super) rows: Vec<usize>,
}

/// Whether some results are said of two employees, so that one of them is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// One story in twenty.
    Disputed,
    /// None.
    Undisputed,
}

/// A record that a foreign client writes.
#[derive(Clone, Debug)]
pub(super) struct Poison {
    pub(super) key: String,
    pub(super) value: Option<Vec<u8>>,
    pub(super) reason: Reason,
}

/// Everything that is sent in a round.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(super) rows: Vec<Row>,
    pub(super) parcels: Vec<Parcel>,
    pub(super) poison: Vec<Poison>,
}

impl Stream {
    /// About so many rows; the same for the same seed. `valid` is a framed report of no source that is known.
    #[must_use]
    pub fn generate(seed: u64, staff: &Staff, (size, owners): (usize, Owners), valid: &[u8]) -> Self {
        let mut author = Author {
            staff,
            owners,
            dice: Xoshiro256PlusPlus::seed_from_u64(seed),
            rows: Vec::new(),
            order: Vec::new(),
            results: 0,
        };
        while author.order.len() < size {
            author.tell();
        }
        author.shuffle();
        let parcels = author.pack();
        let poison = (0..size / 50).map(|number| author.poison(number, valid)).collect();
        Self {
            rows: author.rows,
            parcels,
            poison,
        }
    }
}

/// Of an id that no other has, so that each asks the registry anew.
fn of_unknown_schema(number: usize, valid: &[u8]) -> Vec<u8> {
    let id = 0x7f00_0000 + number as u32;
    [&[0], id.to_be_bytes().as_slice(), &valid[5..]].concat()
}

impl Author<'_> {
    fn shuffle(&mut self) {
        let mut places: Vec<(u64, usize)> = Vec::with_capacity(self.order.len());
        for (place, number) in std::mem::take(&mut self.order).into_iter().enumerate() {
            places.push((place as u64 + self.number(WINDOW), number));
        }
        places.sort_by_key(|(place, _)| *place);
        self.order = places.into_iter().map(|(_, number)| number).collect();
    }

    fn pack(&mut self) -> Vec<Parcel> {
        let mut open: [Vec<usize>; 3] = Default::default();
        let mut parcels = Vec::new();
        for number in self.order.clone() {
            let source = self.rows[number].source;
            let size = if source == Source::Export {
                60
            } else {
                1 + self.number(LARGEST_BODY)
            };
            let rows = &mut open[source as usize];
            rows.push(number);
            if rows.len() as u64 >= size {
                let rows = std::mem::take(rows);
                parcels.push(self.parcel(source, rows));
            }
        }
        for source in [Source::Hall, Source::Booth, Source::Export] {
            let rows = std::mem::take(&mut open[source as usize]);
            if !rows.is_empty() {
                parcels.push(self.parcel(source, rows));
            }
        }
        parcels
    }

    fn parcel(&self, source: Source, rows: Vec<usize>) -> Parcel {
        let bytes = rows.iter().map(|number| self.rows[*number].bytes.as_slice());
        let body = match source {
            Source::Hall => [b"[", bytes.collect::<Vec<_>>().join(&b",\n"[..]).as_slice(), b"]"].concat(),
            Source::Booth => [b"<records>", bytes.collect::<Vec<_>>().concat().as_slice(), b"</records>"].concat(),
            Source::Export => [EXPORT_HEADER, bytes.collect::<Vec<_>>().concat().as_slice()].concat(),
        };
        Parcel { source, body, rows }
    }

    fn poison(&mut self, number: usize, valid: &[u8]) -> Poison {
        let cut = 6 + self.number(valid.len() as u64 - 6) as usize;
        let (value, reason) = match self.number(6) {
            0 => (Some(valid[..cut].to_vec()), Reason::Undecodable),
            1 => (Some([valid, b"x"].concat()), Reason::Undecodable),
            2 => (Some([&[7], &valid[1..]].concat()), Reason::Undecodable),
            3 => (Some(of_unknown_schema(number, valid)), Reason::UnknownSchema),
            4 => (Some(Vec::new()), Reason::Undecodable),
            _ => (None, Reason::Undecodable),
        };
        Poison {
            key: format!("poison-{number}"),
            value,
            reason,
        }
    }
}
