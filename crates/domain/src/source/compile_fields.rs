//! From the settings of fields to what reads them. Names were checked before: see [`super::mapped_names`].

use chrono_tz::Tz;

use super::{
    FieldSettings, FlagSettings, RevisionSettings, ScoreSettings, StatusSettings,
    compile_times::TimeSettingsOf,
    one_or_many::{Constant, Setting},
    problem::Problems,
};
use crate::{
    Score, Status,
    field_mapping::{Column, Decimal, DecimalColumn, Field, FieldMapping, Revision, Text, Words, fold_width, is_blank},
};

const YES: &[&str] = &["true", "yes", "y", "1", "是"];
const NO: &[&str] = &["false", "no", "n", "0", "否"];

/// What a setting `time_zone` or `zone` says.
#[derive(Clone, Copy)]
pub(super) enum Zone {
    /// It is not set.
    Unset,
    /// It is set to something that is no zone, which was reported.
    Unknown,
    /// A zone.
    Known(Tz),
}

/// Compiles the fields of one source, collecting what is wrong with them.
pub(super) struct FieldCompiler<'a> {
    pub(super) fields: &'a FieldSettings,
    pub(super) zone: Zone,
    pub(super) problems: &'a mut Problems,
}

impl FieldCompiler<'_> {
    /// All fields, each `None` where it is not mapped or something is wrong with it.
    pub(super) fn compile(mut self) -> FieldMapping {
        let fields = self.fields;
        FieldMapping {
            result: self.text(Field::Result),
            employee_no: self.column(Field::EmployeeNo),
            phone: self.column(Field::Phone),
            email: self.column(Field::Email),
            account: self.column(Field::Account),
            employee_name: self.column(Field::EmployeeName),
            course_id: self.text(Field::CourseId),
            course_title: self.text(Field::CourseTitle),
            exam_id: self.text(Field::ExamId),
            exam_title: self.text(Field::ExamTitle),
            attempt: self.column(Field::Attempt),
            exam_score: self.score(Field::ExamScore, fields.exam_score.as_ref()),
            min_score: self.score(Field::MinScore, fields.min_score.as_ref()),
            max_score: self.score(Field::MaxScore, fields.max_score.as_ref()),
            grade: self.column(Field::Grade),
            passed: self.flag(fields.passed.as_ref()),
            finish_timestamp: fields
                .finish_timestamp
                .as_ref()
                .and_then(|Setting(table)| self.time(Field::FinishTimestamp, TimeSettingsOf::from(table))),
            revision: self.revision(fields.revision.as_ref()),
            status: self.status(fields.status.as_ref()),
        }
    }

    pub(super) fn column(&self, field: Field) -> Option<Column> {
        let names = self.fields.names(field);
        (!names.is_empty()).then(|| Column::new(field, names))
    }

    fn text(&self, field: Field) -> Option<Text> {
        let constant = self.fields.mapped(field)?.constant;
        match constant {
            Some(text) => Some(Text::Constant(text.to_owned())),
            None => self.column(field).map(Text::Column),
        }
    }

    fn score(&mut self, field: Field, setting: Option<&Setting<ScoreSettings>>) -> Option<Decimal> {
        let Setting(table) = setting?;
        if let Some(Constant(text)) = &table.constant {
            return self.constant_score(field, text);
        }
        let strip = table.strip.as_ref().map(|units| units.0.as_slice()).unwrap_or_default();
        let strip: Box<[String]> = strip.iter().map(|unit| fold_width(unit.trim()).into_owned()).collect();
        if strip.iter().any(|unit| changes_numbers(unit)) {
            let explanation = "`strip` is a unit such as 分: without digits or signs, and more than a point or a comma";
            self.problems.add(format_args!("fields.{field}"), explanation);
        }
        Some(Decimal::Column(DecimalColumn {
            column: self.column(field)?,
            decimal_comma: table.decimal_comma,
            strip,
        }))
    }

    fn constant_score(&mut self, field: Field, text: &str) -> Option<Decimal> {
        match Score::parse(text) {
            Ok((score, false)) => return Some(Decimal::Constant(score)),
            Ok((_, true)) => self
                .problems
                .add(format_args!("fields.{field}"), "the constant has more than six decimal places"),
            Err(error) => self
                .problems
                .add(format_args!("fields.{field}"), format!("the constant is {error}")),
        }
        None
    }

    fn flag(&mut self, setting: Option<&Setting<FlagSettings>>) -> Option<Words<bool>> {
        let Setting(table) = setting?;
        let list = |setting, written, default| WordList { setting, written, default };
        let lists = [
            (true, list("yes", table.yes.as_deref(), YES)),
            (false, list("no", table.no.as_deref(), NO)),
        ];
        self.words(Field::Passed, &lists)
    }

    fn status(&mut self, setting: Option<&Setting<StatusSettings>>) -> Option<Words<Status>> {
        let Setting(table) = setting?;
        let list = |setting, written, default| WordList { setting, written, default };
        let lists = [
            (Status::Final, list("final", table.final_words.as_deref(), &["final"])),
            (
                Status::Provisional,
                list("provisional", table.provisional.as_deref(), &["provisional"]),
            ),
            (Status::Withdrawn, list("withdrawn", table.withdrawn.as_deref(), &["withdrawn"])),
        ];
        self.words(Field::Status, &lists)
    }

    fn words<T: Copy + PartialEq>(&mut self, field: Field, lists: &[(T, WordList<'_>)]) -> Option<Words<T>> {
        for (_, list) in lists {
            let is_useless = |words: &[String]| words.is_empty() || words.iter().any(|word| is_blank(word.trim()));
            if list.written.is_some_and(is_useless) {
                let explanation = "is empty, or has a word that is empty or a dash, which always means a missing value";
                self.problems.add(format_args!("fields.{field}.{}", list.setting), explanation);
            }
        }
        let meanings = lists.iter().flat_map(|(meaning, list)| list.words().map(|word| (word, *meaning)));
        match Words::new(self.column(field)?, meanings) {
            Ok(words) => Some(words),
            Err(word) => {
                self.problems
                    .add(format_args!("fields.{field}"), format!("the word `{word}` has two meanings"));
                None
            }
        }
    }

    fn revision(&mut self, setting: Option<&Setting<RevisionSettings>>) -> Option<Revision> {
        let Setting(table) = setting?;
        match table.read_as.as_deref() {
            Some("time") => self.time(Field::Revision, TimeSettingsOf::from(table)).map(Revision::Time),
            None | Some("integer") => {
                if table.formats.is_some() || table.zone.is_some() {
                    self.problems.add("fields.revision", "`formats` and `zone` are for `as = \"time\"`");
                }
                self.column(Field::Revision).map(Revision::Integer)
            }
            Some(_) => {
                self.problems.add("fields.revision.as", "is \"integer\" or \"time\"");
                None
            }
        }
    }
}

/// Whether leaving out the unit could make another number of one.
fn changes_numbers(unit: &str) -> bool {
    ["", ".", ","].contains(&unit) || unit.contains(|letter: char| "+-".contains(letter) || letter.is_numeric())
}

struct WordList<'a> {
    setting: &'static str,
    written: Option<&'a [String]>,
    default: &'a [&'a str],
}

impl<'a> WordList<'a> {
    fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let written = self.written.unwrap_or_default().iter().map(String::as_str);
        let default = if self.written.is_none() { self.default } else { &[] };
        written.chain(default.iter().copied())
    }
}
