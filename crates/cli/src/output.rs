//! What commands print: text for people, JSON for machines.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Write, stdout},
};

use serde::Serialize;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text.
    Human,
    /// One JSON document.
    Json,
}

impl Output {
    pub(crate) const fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Human }
    }

    /// Prints a document: as JSON, or as the lines that `human` makes of it.
    pub(crate) fn print<T: Serialize>(self, document: &T, human: impl FnOnce(&T) -> Vec<String>) -> anyhow::Result<()> {
        let lines = match self {
            Self::Human => human(document),
            Self::Json => vec![serde_json::to_string_pretty(document)?],
        };
        Ok(write_lines(&lines, stdout().lock())?)
    }
}

/// A reader that has seen enough (`| head`) is no failure.
fn write_lines(lines: &[String], mut to: impl Write) -> io::Result<()> {
    let written = lines.iter().try_for_each(|line| writeln!(to, "{line}")).and_then(|()| to.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A text that a terminal shows and does not obey: control characters are written as in Rust (`\u{1b}`).
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Columns of equal width, the first row being the heading. Wide (CJK) characters count twice, control characters are made visible.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<Cow<'_, str>>> = rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| display_width(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let pad = |(cell, width): (&Cow<'_, str>, &usize)| format!("{cell}{}", " ".repeat(width - display_width(cell)));
    rows.iter()
        .map(|row| {
            row.iter()
                .zip(&widths)
                .map(pad)
                .collect::<Vec<_>>()
                .join("  ")
                .trim_end()
                .to_owned()
        })
        .collect()
}

fn display_width(text: &str) -> usize {
    text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum()
}

/// The blocks that terminals draw two cells wide (Unicode Standard Annex 11, the common part).
const fn is_wide(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure_and_a_full_disk_is_one() {
        let lines = vec!["a line".to_owned(); 10];
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        write_lines(&lines, writer).unwrap();
        assert_eq!(write_lines(&lines, [0; 3].as_mut_slice()).unwrap_err().kind(), ErrorKind::WriteZero);
    }

    #[test]
    fn wide_characters_keep_the_columns_straight() {
        let rows = [["课程", "score"], ["C-7", "85"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["课程  score", "C-7   85"]);
    }
}
