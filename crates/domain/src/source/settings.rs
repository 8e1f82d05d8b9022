//! The configuration of a source as people write it (`[sources.NAME]`). Nothing is judged here: see [`super::Sources::compile`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::FieldSettings;

/// All sources by name: the table `[sources]`.
pub type SourcesSettings = BTreeMap<String, SourceSettings>;

/// One source: the table `[sources.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSettings {
    /// The training system behind the source; sources of one system speak of the same results. Default: the source's name. Part of every
    /// result's id: not to be changed after go-live.
    pub system: Option<String>,
    /// A whole number from 1, to be raised whenever the mapping changes: what a greater version says replaces what a smaller one said of
    /// the same report. Required.
    pub mapping_version: Option<i64>,
    /// A whole number from 1, to be raised when the source's revisions change their meaning, for instance when it begins to send them.
    /// The same for all sources of a system. Default: 1.
    pub revision_scheme: Option<i64>,
    /// What it means when the source says again what it said before: `"redelivery"` (nothing: it retries until it is answered) or
    /// `"correction"` (this is what counts now: full exports). Required.
    pub repeat: Option<String>,
    /// IANA name of the zone of times that name none, such as `"Asia/Shanghai"`. Default: none, such times are then invalid.
    pub time_zone: Option<String>,
    /// ISO 3166-1 code of the region of phone numbers without a country code, such as `"CN"`. Required where `phone` is mapped. Not to be
    /// changed after go-live where a phone is the learner in `key`.
    pub region: Option<String>,
    /// Whether the name in the report must be the matched employee's. Default: false.
    pub name_must_agree: bool,
    /// Kinds of identity in the order in which they decide whose a report is: `"employee_no"`, `"phone"`, `"email"`, `"account"`. The first
    /// kind that a report has decides; one with a question mark (`"employee_no?"`) gives way to the next where nobody has its value. Required.
    /// The first kind is the key's learner unless `learner` is mapped, and then is not to be changed after go-live.
    pub employees_match: Vec<String>,
    /// Whether a report whose score, grade and `passed` are there but empty clears what was filed, rather than being an error. A record
    /// that does not even have the fields clears nothing. Default: false.
    pub empty_score_clears: bool,
    /// What becomes of a score above the maximum: `"allow"` (it is filed) or `"refuse"` (it is invalid). Default: `"allow"`.
    pub score_above_maximum: Option<String>,
    /// What makes up the system's own key of a result: `["result"]` where it has an id of its own, otherwise `"learner"`, `"course_id"`
    /// and, where they exist, `"exam_id"` and `"attempt"`. Their order matters, and is the same for all sources of a system. Required; not
    /// to be changed after go-live, and neither are the fields that it names: every result would become another one.
    pub key: Vec<String>,
    /// Where a learner's attempts at one exam are told apart: `"field"` (the field `attempt`, which is part of `key`) or `"none"` (this
    /// system has one attempt per exam). Required unless `key` is `["result"]`.
    pub attempt: Option<String>,
    /// How the source's files and messages are written; the producer reads it.
    pub format: FormatSettings,
    /// Which of the source's fields are which of ours: the table `[sources.NAME.fields]`.
    pub(super) fields: FieldSettings,
}

/// How a source's files and messages are written. Everything has a default in the producer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormatSettings {
    /// Name of the XML element that is one record.
    pub xml_element: Option<String>,
    /// The one character between two cells of a CSV file, such as `";"`.
    pub csv_delimiter: Option<String>,
    /// Encoding of CSV files, by its name on the web, such as `"gb18030"`.
    pub csv_encoding: Option<String>,
    /// Names of the columns of CSV files that have no header line.
    pub csv_columns: Option<Vec<String>>,
    /// Where in a JSON document the records are, such as `"data.items"`.
    pub json_rows: Option<String>,
}
