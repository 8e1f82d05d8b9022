//! What a source's configuration says about its format, and how much of one row is read.

use super::{Encoding, encoding::is_safe_delimiter};

/// What has to be known to read a source's bodies; the configuration of a source has the same keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatSettings {
    /// Local name of the XML element that is a row. Without it every child of the root is one, and all must have the same name.
    pub xml_element: Option<String>,
    /// What separates the cells of a CSV row. A first line `sep=;` outranks it.
    pub csv_delimiter: u8,
    /// Encoding of CSV; UTF-8 without it. A byte order mark outranks it.
    pub csv_encoding: Option<Encoding>,
    /// Names of the columns of a CSV without a header row.
    pub csv_columns: Option<Vec<String>>,
    /// Dotted path to the array of rows in a JSON body (`data.items`). Without it the body itself is the array, or one row.
    pub json_rows: Option<String>,
}

impl Default for FormatSettings {
    fn default() -> Self {
        Self {
            xml_element: None,
            csv_delimiter: b',',
            csv_encoding: None,
            csv_columns: None,
            json_rows: None,
        }
    }
}

/// How much one row may hold. A larger one is unreadable, or, beyond `max_row_bytes`, ends the reading of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one row.
    pub max_row_bytes: usize,
    /// Fields of one row.
    pub max_fields: usize,
    /// Levels of nesting, the row itself being the first.
    pub max_depth: usize,
}

/// What a report takes beside its names and values, or the bytes of its row: its source, its media type, its moment.
const REPORT_BYTES: usize = 1024;
/// What Avro takes for one field beside its name and value: two lengths, and which branch of the union the value is.
const FIELD_BYTES: usize = 16;

impl Limits {
    /// Bytes of all names and values of one row. GB 18030 grows by half in UTF-8; the name of what holds nested values is repeated in each
    /// of theirs, and the names of columns in each row, so that without this limit a small row could make a huge report.
    pub(super) const fn max_field_bytes(self) -> usize {
        self.max_row_bytes.saturating_mul(2)
    }

    /// Bytes of the greatest report that a row can become, readable or not.
    pub(crate) const fn max_report_bytes(self) -> usize {
        let fields = self.max_field_bytes().saturating_add(self.max_fields.saturating_mul(FIELD_BYTES));
        fields.saturating_add(REPORT_BYTES)
    }

    /// Whether names and values may be so large together; if not, a sentence without values.
    pub(super) fn check_field_bytes(self, bytes: usize) -> Result<(), String> {
        let limit = self.max_field_bytes();
        if bytes <= limit {
            return Ok(());
        }
        Err(format!(
            "the names and values of the row are larger than {limit} bytes together; each value counts with the whole name of its field"
        ))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_row_bytes: 256 * 1024,
            max_fields: 1_000,
            max_depth: 32,
        }
    }
}

/// Settings that no body could be read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The delimiter is a byte that other characters contain, or that means something else.
    #[error(
        "csv_delimiter cannot be told from text in this encoding: use a comma, a semicolon, a tab or a colon (a vertical bar only in UTF-8 and UTF-16)"
    )]
    Delimiter,
    /// The list of columns is there and empty.
    #[error("csv_columns names no column: list the columns in their order, or leave it out where the file has a header row")]
    NoColumns,
    /// The name of the repeating element is empty or has a prefix.
    #[error("xml_element is no local name: give the element's name without brackets and without a prefix")]
    Element,
    /// The path has an empty part.
    #[error("json_rows has an empty part: write the names of the objects on the way to the array, separated by dots")]
    Path,
}

impl FormatSettings {
    /// Whether these settings can be used at all; reading begins with this check.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !is_safe_delimiter(self.csv_delimiter, self.csv_encoding.unwrap_or(Encoding::Utf8)) {
            return Err(SettingsError::Delimiter);
        }
        if self.csv_columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(SettingsError::NoColumns);
        }
        let is_no_name = |name: &String| name.is_empty() || name.contains([':', '<', '>', '/', ' ']);
        if self.xml_element.as_ref().is_some_and(is_no_name) {
            return Err(SettingsError::Element);
        }
        if self.json_rows.as_ref().is_some_and(|path| path.split('.').any(str::is_empty)) {
            return Err(SettingsError::Path);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &FormatSettings, expected: Result<(), SettingsError>) {
        assert_eq!(settings.check(), expected, "{settings:?}");
    }

    fn with(change: impl FnOnce(&mut FormatSettings)) -> FormatSettings {
        let mut settings = FormatSettings::default();
        change(&mut settings);
        settings
    }

    #[test]
    fn the_defaults_can_be_used() {
        check(&FormatSettings::default(), Ok(()));
    }

    #[test]
    fn a_delimiter_that_is_part_of_other_characters_is_refused() {
        for (delimiter, encoding, expected) in [
            (b';', Some(Encoding::Gb18030), Ok(())),
            (b'\t', Some(Encoding::Gb18030), Ok(())),
            (b'|', None, Ok(())),
            (b'|', Some(Encoding::Utf16Le), Ok(())),
            (b'|', Some(Encoding::Gb18030), Err(SettingsError::Delimiter)),
            (b'5', Some(Encoding::Gb18030), Err(SettingsError::Delimiter)),
            (b'"', None, Err(SettingsError::Delimiter)),
            (b'\n', None, Err(SettingsError::Delimiter)),
            (0xA7, None, Err(SettingsError::Delimiter)),
        ] {
            let settings = with(|settings| {
                settings.csv_delimiter = delimiter;
                settings.csv_encoding = encoding;
            });
            check(&settings, expected);
        }
    }

    #[test]
    fn names_that_cannot_occur_are_refused() {
        check(
            &with(|settings| settings.csv_columns = Some(Vec::new())),
            Err(SettingsError::NoColumns),
        );
        check(
            &with(|settings| settings.xml_element = Some("x:row".to_owned())),
            Err(SettingsError::Element),
        );
        check(
            &with(|settings| settings.json_rows = Some("data..items".to_owned())),
            Err(SettingsError::Path),
        );
    }
}
