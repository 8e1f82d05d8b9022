//! From the settings of a time to what reads it: formats that can be read, and a zone for those that need one.

use super::{
    RevisionSettings, TimeSettings,
    compile_fields::{FieldCompiler, Zone},
    problem::Problems,
};
use crate::field_mapping::{Field, TimeColumn, TimeFormat};

/// What is tried where no formats are set: unambiguous ones, the year first.
const DEFAULT_FORMATS: &[&str] = &["rfc3339"];
const DEFAULT_LOCAL_FORMATS: &[&str] = &[
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
];

/// What both kinds of field that hold times say about them.
#[derive(Clone, Copy)]
pub(super) struct TimeSettingsOf<'a> {
    formats: Option<&'a [String]>,
    zone: Option<&'a str>,
}

impl<'a> From<&'a TimeSettings> for TimeSettingsOf<'a> {
    fn from(table: &'a TimeSettings) -> Self {
        Self {
            formats: table.formats.as_deref(),
            zone: table.zone.as_deref(),
        }
    }
}

impl<'a> From<&'a RevisionSettings> for TimeSettingsOf<'a> {
    fn from(table: &'a RevisionSettings) -> Self {
        Self {
            formats: table.formats.as_deref(),
            zone: table.zone.as_deref(),
        }
    }
}

impl Zone {
    pub(super) fn compile(setting: impl std::fmt::Display, name: Option<&str>, problems: &mut Problems) -> Self {
        match name.map(str::parse) {
            None => Self::Unset,
            Some(Ok(zone)) => Self::Known(zone),
            Some(Err(_)) => {
                problems.add(setting, "is no zone of the IANA time zone database, such as Asia/Shanghai");
                Self::Unknown
            }
        }
    }
}

impl FieldCompiler<'_> {
    pub(super) fn time(&mut self, field: Field, settings: TimeSettingsOf<'_>) -> Option<TimeColumn> {
        let zone = match settings.zone {
            Some(_) => Zone::compile(format_args!("fields.{field}.zone"), settings.zone, self.problems),
            None => self.zone,
        };
        let formats = match settings.formats {
            Some(formats) => self.formats(field, formats, zone)?,
            None => default_formats(zone)?,
        };
        Some(TimeColumn {
            column: self.column(field)?,
            formats,
            zone: match zone {
                Zone::Known(zone) => Some(zone),
                Zone::Unset | Zone::Unknown => None,
            },
        })
    }

    fn formats(&mut self, field: Field, written: &[String], zone: Zone) -> Option<Box<[TimeFormat]>> {
        let setting = format!("fields.{field}.formats");
        if written.is_empty() {
            self.problems.add(&setting, "names no format; leave it out for the default");
        }
        let mut formats = Vec::new();
        for text in written {
            match TimeFormat::new(text) {
                Err(explanation) => self.problems.add(&setting, explanation),
                Ok(format) => {
                    if format.needs_zone() && matches!(zone, Zone::Unset) {
                        let explanation = format!("`{text}` says no zone: set `zone` here or `time_zone` of the source");
                        self.problems.add(&setting, explanation);
                    }
                    formats.push(format);
                }
            }
        }
        (formats.len() == written.len()).then(|| formats.into_boxed_slice())
    }
}

fn default_formats(zone: Zone) -> Option<Box<[TimeFormat]>> {
    let local = match zone {
        Zone::Known(_) => DEFAULT_LOCAL_FORMATS,
        Zone::Unset | Zone::Unknown => &[],
    };
    DEFAULT_FORMATS.iter().chain(local).map(|text| TimeFormat::new(text).ok()).collect()
}
