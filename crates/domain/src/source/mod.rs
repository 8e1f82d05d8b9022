//! Sources: their configuration as people write it, checked as a whole and compiled into what maps their reports.
//!
//! Settings are deserialised ([`SourcesSettings`]), then judged ([`Sources::compile`]), which lists everything that is wrong at once.

mod compile;
mod compile_fields;
mod compile_times;
mod field_settings;
mod format;
mod key;
mod mapped_names;
mod one_or_many;
mod problem;
mod rules;
mod rung;
mod settings;
mod sources;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use format::Format;
pub use problem::Problem;
pub use rung::Rung;
pub use settings::{FormatSettings, SourceSettings, SourcesSettings};
pub use sources::Sources;

use field_settings::{
    FieldSettings, FlagSettings, NameSettings, RevisionSettings, ScoreSettings, StatusSettings, TextSettings, TimeSettings,
};

use crate::{
    Fields, Region, Repeat, ResultId,
    field_mapping::{FieldMapping, KeyProblem, Record},
};

/// A source: everything that there is to know to map its reports. Made by [`Sources::compile`] alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// The training system behind it.
    pub system: String,
    /// Version of the field mapping.
    pub mapping_version: i32,
    /// The numbering that its revisions belong to.
    pub revision_scheme: i32,
    /// What it means when it says something again.
    pub repeat: Repeat,
    /// Where its phone numbers without a country code belong; of no meaning where it maps no phone.
    pub region: Region,
    /// Whether the name in a report must be the matched employee's.
    pub name_must_agree: bool,
    /// By which kinds of identity employees are found, in this order; never empty.
    pub employees_match: Vec<Rung>,
    /// How its files and messages are written.
    pub format: Format,
    pub(crate) empty_score_clears: bool,
    pub(crate) score_above_maximum: ScoreAboveMaximum,
    pub(crate) key: key::Key,
    pub(crate) mapping: FieldMapping,
}

/// What becomes of a score above the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScoreAboveMaximum {
    /// It is filed: bonus points exist.
    Allow,
    /// It is invalid.
    Refuse,
}

impl Source {
    /// The id of the result that a record speaks of: the system's own key, each part normalised.
    ///
    /// Reads the fields that make the key and no other, so that the producer may call it before anybody maps; it is what mapping gives too.
    ///
    /// # Errors
    /// A part of the key is missing, invalid or ambiguous.
    pub fn result_key(&self, fields: &Fields<'_>) -> Result<ResultId, KeyProblem> {
        self.key.result_id(&self.system, &Record::new(fields)).map_err(KeyProblem)
    }
}
