//! Score files as commands take them: the source by its name, the format by the file's, the rows one by one.

use std::{
    fs::File,
    io::{BufRead, BufReader, stdin},
    path::Path,
};

use anyhow::{Context, anyhow};
use scoresync_domain::{ScoreReport, Source, Sources, Timestamp};
use scoresync_producer::{BodyError, Format, ImportError, Limits, Row, format_settings_of, read_rows};
use scoresync_service::now_millis;

/// The source of a name, or the names that there are.
pub(crate) fn find_source<'a>(sources: &'a Sources, name: &str) -> anyhow::Result<&'a Source> {
    sources.get(name).ok_or_else(|| {
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        anyhow!("no source {name} is configured; there are: {}", known.join(", "))
    })
}

/// The number of a row and its report, or why there are no more.
pub(crate) type ReadReport<'a> = Result<(u64, ScoreReport<'a>), BodyError>;

/// How the files of one source are read.
pub(crate) struct ScoreFiles<'a> {
    pub(crate) source: &'a Source,
    /// Where their names do not tell it.
    pub(crate) format: Option<Format>,
    pub(crate) limits: Limits,
}

impl<'a> ScoreFiles<'a> {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(&self, file: &Path) -> anyhow::Result<impl Iterator<Item = ReadReport<'a>> + use<'a>> {
        let (format, input) = self.input(file)?;
        self.read(format, input)
    }

    /// Opens a file for its rows as they are; `-` is standard input.
    pub(crate) fn rows(&self, file: &Path) -> anyhow::Result<(Format, impl Iterator<Item = Result<Row, BodyError>> + use<>)> {
        let (format, input) = self.input(file)?;
        let settings = format_settings_of(self.source).map_err(|problem| anyhow!("{problem}"))?;
        Ok((format, read_rows(format, &settings, self.limits, input)?))
    }

    fn input(&self, file: &Path) -> anyhow::Result<(Format, Box<dyn BufRead>)> {
        let format = self.format.map_or_else(|| Format::of_file(file), Ok).map_err(ImportError::from)?;
        let input: Box<dyn BufRead> = if file.as_os_str() == "-" {
            Box::new(BufReader::new(stdin()))
        } else {
            Box::new(BufReader::new(File::open(file).context("cannot open it")?))
        };
        Ok((format, input))
    }

    /// The reports that the producer would make of the rows now.
    pub(crate) fn read<R: BufRead>(&self, format: Format, input: R) -> anyhow::Result<impl Iterator<Item = ReadReport<'a>> + use<'a, R>> {
        let source = self.source;
        let settings = format_settings_of(source).map_err(|problem| anyhow!("{problem}"))?;
        let report = move |row: Row| {
            let received_at = Timestamp::from_millis(now_millis());
            (row.number, row.into_report(source, format.content_type(), received_at))
        };
        Ok(read_rows(format, &settings, self.limits, input)?.map(move |row| row.map(report)))
    }
}
