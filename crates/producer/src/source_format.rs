//! From what a source's configuration says about its format to what its bodies are read with.

use scoresync_domain::{Problem, Source};

use crate::format::{Encoding, FormatSettings};

/// What the bodies of `source` are read with.
///
/// # Errors
/// A setting that no body could be read with: an unknown encoding, or a delimiter that cannot be told from text in it.
pub fn format_settings_of(source: &Source) -> Result<FormatSettings, Problem> {
    let format = &source.format;
    let problem = |setting: &str, explanation: String| Problem {
        setting: format!("sources.{}.format{setting}", source.name),
        explanation,
    };
    let encoding = format.csv_encoding.as_deref().map(Encoding::from_label).transpose();
    let settings = FormatSettings {
        xml_element: format.xml_element.clone(),
        csv_delimiter: format.csv_delimiter.unwrap_or(FormatSettings::default().csv_delimiter),
        csv_encoding: encoding.map_err(|error| problem(".csv_encoding", error.to_string()))?,
        csv_columns: format.csv_columns.clone(),
        json_rows: format.json_rows.as_ref().map(|path| path.join(".")),
    };
    settings.check().map_err(|error| problem("", error.to_string()))?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scoresync_domain::Format;

    /// The settings of campus with another format.
    fn read(format: Format) -> Result<FormatSettings, Problem> {
        let mut source = crate::fixtures::sources().get("campus").unwrap().clone();
        source.format = format;
        format_settings_of(&source)
    }

    #[test]
    fn a_source_without_settings_is_read_by_the_defaults() {
        assert_eq!(read(Format::default()), Ok(FormatSettings::default()));
    }

    #[test]
    fn every_setting_of_a_source_arrives_at_the_reader() {
        let format = Format {
            xml_element: Some("record".to_owned()),
            csv_delimiter: Some(b';'),
            csv_encoding: Some("GBK".to_owned()),
            csv_columns: Some(vec!["工号".to_owned()]),
            json_rows: Some(vec!["data".to_owned(), "items".to_owned()]),
        };
        let expected = FormatSettings {
            xml_element: Some("record".to_owned()),
            csv_delimiter: b';',
            csv_encoding: Some(Encoding::Gb18030),
            csv_columns: Some(vec!["工号".to_owned()]),
            json_rows: Some("data.items".to_owned()),
        };
        assert_eq!(read(format), Ok(expected));
    }

    #[test]
    fn a_format_that_no_body_could_be_read_with_is_refused_by_its_setting() {
        let check = |encoding: &str, delimiter: u8, setting: &str| {
            let format = Format {
                csv_encoding: Some(encoding.to_owned()),
                csv_delimiter: Some(delimiter),
                ..Format::default()
            };
            assert_eq!(read(format).unwrap_err().setting, setting);
        };
        check("shift_jis", b',', "sources.campus.format.csv_encoding");
        check("gbk", b'|', "sources.campus.format");
    }
}
