//! What commands print: text for people, JSON for machines.

#![expect(clippy::print_stdout, reason = "the command line speaks to people")]

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
        match self {
            Self::Human => human(document).iter().for_each(|line| println!("{line}")),
            Self::Json => println!("{}", serde_json::to_string_pretty(document)?),
        }
        Ok(())
    }
}

/// Columns of equal width, the first row being the heading. Wide (CJK) characters count twice.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| display_width(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let pad = |(cell, width): (&String, &usize)| format!("{cell}{}", " ".repeat(width - display_width(cell)));
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
    fn wide_characters_keep_the_columns_straight() {
        let rows = [["课程", "score"], ["C-7", "85"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["课程  score", "C-7   85"]);
    }
}
