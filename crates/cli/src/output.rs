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

/// A text that a terminal shows and does not obey: control characters, and those that turn the direction of all that follows, are written as
/// in Rust (`\u{1b}`).
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for character in text.chars() {
        if is_obeyed(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Unicode Standard Annex 9 section 2: an embedding, override or isolate that a title leaves open would turn the score behind it as well.
/// What is written from right to left needs none of them.
fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    fn what_a_terminal_would_obey_is_shown_and_what_is_written_from_right_to_left_stays() {
        for (text, expected) in [
            ("\u{1b}[2J\n", "\\u{1b}[2J\\n"),
            ("\u{202e}58\u{202c}", "\\u{202e}58\\u{202c}"),
            ("\u{2066}x", "\\u{2066}x"),
            ("زيد\u{200f} 85", "زيد\u{200f} 85"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
    }

    #[test]
    fn wide_characters_keep_the_columns_straight() {
        let rows = [["课程", "score"], ["C-7", "85"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["课程  score", "C-7   85"]);
    }
}
