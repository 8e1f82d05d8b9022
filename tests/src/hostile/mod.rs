//! What hostile bytes must never do, target by target: one place for the fuzz targets of `fuzz` and for the test that replays their corpus.
//!
//! A check panics where a rule is broken, and says whether the input was one that can be read. `fuzz/README.md` lists the rules.

mod avro;
mod body;
mod configuration;
mod frame;
mod headers;
mod prefixes;
mod scores;
mod spellings;

pub use avro::{EMPLOYEE, ENRICHED_SCORE, IDENTITY_ALIAS, RAW_SCORE};
pub use body::{CSV, JSON, NDJSON, XML};
pub use configuration::CONFIGURATION;
pub use frame::WIRE_FRAME;
pub use headers::HEADERS;
pub use scores::SCORE;
pub use spellings::{EMAIL, EMPLOYEE_NO, NAME, PHONE};

/// One kind of input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// That of the fuzz target and of its corpus.
    pub name: &'static str,
    /// Panics where a rule is broken; whether the input can be read.
    pub check: fn(&[u8]) -> bool,
    /// What reading such an input may cost.
    pub costs: &'static [Cost],
}

/// What the product does with an input, and what it may hold for it at one moment beyond what it held before.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The product's work, and nothing else.
    pub read: fn(&[u8]),
    /// Bytes for each byte of the input.
    pub multiple: usize,
    /// Bytes beside that.
    pub constant_bytes: usize,
}

impl Cost {
    /// The most that may be held for an input of so many bytes.
    #[must_use]
    pub const fn allowed_bytes(&self, input_bytes: usize) -> usize {
        input_bytes * self.multiple + self.constant_bytes
    }
}

/// Every target.
pub const TARGETS: [Target; 16] = [
    WIRE_FRAME,
    RAW_SCORE,
    ENRICHED_SCORE,
    EMPLOYEE,
    IDENTITY_ALIAS,
    JSON,
    NDJSON,
    XML,
    CSV,
    HEADERS,
    CONFIGURATION,
    PHONE,
    EMPLOYEE_NO,
    EMAIL,
    NAME,
    SCORE,
];
