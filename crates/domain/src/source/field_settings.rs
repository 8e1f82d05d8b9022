//! The table `[sources.NAME.fields]`: our field = the source's name of it, a list of names, or a table that also says how to read it.

use serde::Deserialize;

use super::one_or_many::{Constant, Names, Setting, shorthand};

/// Which of the source's fields are which of ours.
///
/// Of several names the first that has a value counts; two that have different values are ambiguous. A nested name is dotted (`user.id`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FieldSettings {
    /// The system's own id of the result, for `key = ["result"]`.
    pub(super) result: Option<Setting<NameSettings>>,
    /// Who the system says the learner is, for `key` only. Default: the first kind of `employees_match`. Where it reads the same names as
    /// an identity, it is normalised as that identity is.
    pub(super) learner: Option<Setting<NameSettings>>,
    /// The employee number.
    pub(super) employee_no: Option<Setting<NameSettings>>,
    /// A telephone number.
    pub(super) phone: Option<Setting<NameSettings>>,
    /// An e-mail address.
    pub(super) email: Option<Setting<NameSettings>>,
    /// An account in the training system.
    pub(super) account: Option<Setting<NameSettings>>,
    /// The employee's name.
    pub(super) employee_name: Option<Setting<NameSettings>>,
    /// The course's id. Required.
    pub(super) course_id: Option<Setting<TextSettings>>,
    /// The course's title.
    pub(super) course_title: Option<Setting<TextSettings>>,
    /// The exam's id.
    pub(super) exam_id: Option<Setting<TextSettings>>,
    /// The exam's title.
    pub(super) exam_title: Option<Setting<TextSettings>>,
    /// Which attempt it was: a whole number from 0.
    pub(super) attempt: Option<Setting<NameSettings>>,
    /// The score. One of `exam_score`, `grade` and `passed` is required.
    pub(super) exam_score: Option<Setting<ScoreSettings>>,
    /// The least score that the exam gives.
    pub(super) min_score: Option<Setting<ScoreSettings>>,
    /// The greatest score that the exam gives.
    pub(super) max_score: Option<Setting<ScoreSettings>>,
    /// A grade in the source's words.
    pub(super) grade: Option<Setting<NameSettings>>,
    /// Whether the learner passed.
    pub(super) passed: Option<Setting<FlagSettings>>,
    /// When the learner finished. Required.
    pub(super) finish_timestamp: Option<Setting<TimeSettings>>,
    /// Which version of the result the source speaks of.
    pub(super) revision: Option<Setting<RevisionSettings>>,
    /// Whether the result is final, provisional or withdrawn. Not mapped, or an empty cell: final.
    pub(super) status: Option<Setting<StatusSettings>>,
}

/// A field that only has names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NameSettings {
    /// The source's names.
    pub(super) from: Names,
}

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TextSettings {
    /// The source's names.
    pub(super) from: Option<Names>,
    /// Instead of `from`: the same text for every record.
    pub(super) constant: Option<Constant>,
}

/// A decimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ScoreSettings {
    /// The source's names.
    pub(super) from: Option<Names>,
    /// Instead of `from`: the same number for every record; not for `exam_score`.
    pub(super) constant: Option<Constant>,
    /// Whether `85,5` is eighty-five and a half; `85.5` is then invalid. Default: false.
    pub(super) decimal_comma: bool,
    /// Units that may stand before or behind the number, such as `"分"`: one or a list.
    pub(super) strip: Option<Names>,
}

/// Yes or no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FlagSettings {
    /// The source's names.
    pub(super) from: Names,
    /// Words for yes, in any case and width. Default: true, yes, y, 1, 是.
    pub(super) yes: Option<Vec<String>>,
    /// Words for no. Default: false, no, n, 0, 否.
    pub(super) no: Option<Vec<String>>,
}

/// A point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TimeSettings {
    /// The source's names.
    pub(super) from: Names,
    /// Formats, the first that fits counts: `rfc3339`, `unix_seconds`, `unix_millis`, or a pattern such as `%Y-%m-%d %H:%M:%S`; a date alone
    /// is its first moment. Default: `rfc3339` and, where a zone is known, year, month, day and time with hyphens or slashes.
    pub(super) formats: Option<Vec<String>>,
    /// Zone of times that name none. Default: the source's `time_zone`.
    ///
    /// A local time that occurs twice, when clocks are put back, is the earlier one; one that clocks skip is invalid.
    pub(super) zone: Option<String>,
}

/// The source's statement of the version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RevisionSettings {
    /// The source's names.
    pub(super) from: Names,
    /// `"integer"` (a whole number from 0) or `"time"`. Default: `"integer"`.
    #[serde(rename = "as")]
    pub(super) read_as: Option<String>,
    /// For `as = "time"`: formats, as for `finish_timestamp`.
    pub(super) formats: Option<Vec<String>>,
    /// For `as = "time"`: zone, as for `finish_timestamp`.
    pub(super) zone: Option<String>,
}

/// What the source says of the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StatusSettings {
    /// The source's names.
    pub(super) from: Names,
    /// Words for a result that stands. Default: final.
    #[serde(rename = "final")]
    pub(super) final_words: Option<Vec<String>>,
    /// Words for one that may still change. Default: provisional.
    pub(super) provisional: Option<Vec<String>>,
    /// Words for one that is taken back. Default: withdrawn.
    pub(super) withdrawn: Option<Vec<String>>,
}

shorthand!(NameSettings, FlagSettings, TimeSettings, RevisionSettings, StatusSettings => |names| names);
shorthand!(TextSettings, ScoreSettings => |names| Some(names));
