//! Score files as commands take them: the source by its name, the format by the file's, the rows one by one.

use std::{
    borrow::Cow,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, anyhow};
use scoresync_domain::{Fields, ScoreReport, Source, Sources, Timestamp};
use scoresync_producer::{Format, Limits, Row, RowReader, format_settings_of, read_rows};
use scoresync_service::now_millis;

/// The source of a name, or the names that there are.
pub(crate) fn find_source<'a>(sources: &'a Sources, name: &str) -> anyhow::Result<&'a Source> {
    sources.get(name).ok_or_else(|| {
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        anyhow!("no source {name} is configured; there are: {}", known.join(", "))
    })
}

/// What was said, or what the file's name says.
pub(crate) fn format_of(file: &Path, said: Option<&str>) -> anyhow::Result<Format> {
    if let Some(said) = said {
        return format_named(said);
    }
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Format::from_file_name(name).with_context(|| format!("the name of {} does not say its format; add --format", file.display()))
}

/// The format of a name.
pub(crate) fn format_named(name: &str) -> anyhow::Result<Format> {
    let known = Format::ALL.iter().copied().find(|format| format.as_str() == name);
    known.with_context(|| format!("no format {name} is known; there are json, ndjson, xml and csv"))
}

/// Opens a file's rows; `-` is standard input.
pub(crate) fn open_rows(source: &Source, format: Format, file: &Path) -> anyhow::Result<RowReader<Box<dyn BufRead>>> {
    let settings = format_settings_of(source).map_err(|problem| anyhow!("{problem}"))?;
    let input: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(
            File::open(file).with_context(|| format!("open {}", file.display()))?,
        ))
    };
    Ok(read_rows(format, &settings, Limits::default(), input)?)
}

/// The report that the producer would make of a row now.
pub(crate) fn report_of<'a>(source: &'a Source, row: Row, format: Format) -> ScoreReport<'a> {
    let (fields, unparsed) = match row.content {
        Ok(fields) => (fields, None),
        Err(unreadable) => (Fields::default(), Some(Cow::Owned(unreadable.bytes))),
    };
    ScoreReport {
        source: Cow::Borrowed(&source.name),
        received_at: Timestamp::from_millis(now_millis()),
        content_type: Cow::Borrowed(format.content_type()),
        fields,
        unparsed,
    }
}
