//! A stretch of time: a point, or the whole day that a date alone stands for.

use crate::Timestamp;

/// From its first to its last millisecond, both of which belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    first: Timestamp,
    last: Timestamp,
}

impl Period {
    /// From `first` to `last`; a point where `last` is not later.
    #[must_use]
    pub fn new(first: Timestamp, last: Timestamp) -> Self {
        Self {
            first,
            last: last.max(first),
        }
    }

    /// Its first millisecond: what is filed as the time.
    #[must_use]
    pub const fn first(self) -> Timestamp {
        self.first
    }

    /// Its last millisecond.
    #[must_use]
    pub const fn last(self) -> Timestamp {
        self.last
    }
}

impl From<Timestamp> for Period {
    fn from(moment: Timestamp) -> Self {
        Self {
            first: moment,
            last: moment,
        }
    }
}
