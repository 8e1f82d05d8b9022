//! The formats, and how a media type, a file's name or a person tells them.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// A format that reports are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 8259: one object, an array of objects, or an array inside of an object.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// XML 1.0 with a repeating element.
    Xml,
    /// RFC 4180 with a header row.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Xml, Self::Csv];

    /// The format of an HTTP `Content-Type`; its parameters do not matter here.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next()?.trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" | "text/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => Some(Self::Ndjson),
            "application/xml" | "text/xml" => Some(Self::Xml),
            "text/csv" | "application/csv" => Some(Self::Csv),
            // RFC 6839: a structured syntax suffix.
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }

    /// The format that the ending of a file's name tells.
    ///
    /// # Errors
    /// It tells none.
    pub fn of_file(path: &Path) -> Result<Self, UntoldFormat> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "json" => Ok(Self::Json),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "xml" => Ok(Self::Xml),
            "csv" => Ok(Self::Csv),
            _ => Err(UntoldFormat(path.to_owned())),
        }
    }

    /// The media type that reports of this format carry.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Xml => "application/xml",
            Self::Csv => "text/csv",
        }
    }

    /// The name in settings and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Xml => "xml",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.into_iter().find(|format| format.as_str() == name);
        known.ok_or(UnknownFormat)
    }
}

/// A file whose name tells no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of {} does not tell its format: it ends neither in .json, .ndjson, .jsonl or .xml nor in .csv", .0.display())]
pub struct UntoldFormat(PathBuf);

/// A name that is no format's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formats are json, ndjson, xml and csv")]
pub struct UnknownFormat;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_tells_the_format_whatever_its_case_and_parameters() {
        for (content_type, expected) in [
            ("application/json; charset=utf-8", Some(Format::Json)),
            ("Application/JSON", Some(Format::Json)),
            ("application/problem+json", Some(Format::Json)),
            ("application/x-ndjson", Some(Format::Ndjson)),
            (" text/xml ; charset=gbk", Some(Format::Xml)),
            ("application/soap+xml", Some(Format::Xml)),
            ("text/csv; header=present", Some(Format::Csv)),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(Format::from_content_type(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn the_ending_of_a_name_tells_the_format() {
        for (name, expected) in [
            ("scores.CSV", Some(Format::Csv)),
            ("成绩.2026.jsonl", Some(Format::Ndjson)),
            ("a.xml", Some(Format::Xml)),
            ("a.json", Some(Format::Json)),
            ("csv", None),
            ("-", None),
            ("a.csv/b", None),
            ("a.csv.gz", None),
        ] {
            assert_eq!(Format::of_file(Path::new(name)).ok(), expected, "{name}");
        }
    }

    #[test]
    fn every_format_reads_back_its_own_media_type_and_name() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
            assert_eq!(Format::from_content_type(format.content_type()), Some(format));
        }
    }
}
