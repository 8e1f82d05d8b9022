//! `[roster]`: how files of employees are read, and what keeps a wrong one from doing harm.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use scoresync_domain::Region;
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use crate::format::{Encoding, FormatSettings};

/// `[roster]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RosterSettings {
    /// IANA name of the zone of dates and times that name none, such as `Asia/Shanghai`. Without it, such a date is a problem of its row.
    pub time_zone: Option<String>,
    /// ISO 3166-1 code of the region of phone numbers without a country code.
    pub region: String,
    /// Encoding of CSV files, such as `gb18030`; UTF-8 without it.
    pub csv_encoding: Option<String>,
    /// The one character between two cells of a CSV file.
    pub csv_delimiter: char,
    /// Where in a JSON document the employees are, such as `data.items`.
    pub json_rows: Option<String>,
    /// The greatest share of the present employees that a full import may mark as having left, from 0 to 1.
    pub max_leavers_share: f64,
    /// `[roster.fields]`.
    pub fields: RosterFieldSettings,
}

/// `[roster.fields]`: what the columns are called. Spaces and case in a column's name do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RosterFieldSettings {
    /// The employee number; every row has one.
    pub employee_no: Vec<String>,
    /// Full name.
    pub name: Vec<String>,
    /// Department.
    pub department: Vec<String>,
    /// Position.
    pub position: Vec<String>,
    /// Phone numbers, several separated by `;`; further columns are numbered (`phone_2`, `手机号2`).
    pub phone: Vec<String>,
    /// E-mail addresses, like phone numbers.
    pub email: Vec<String>,
    /// Accounts: from a column's name to the system that it is an account in. `account.<system>` needs no entry.
    pub accounts: BTreeMap<String, String>,
    /// When the employee leaves; a date without a time is the last day.
    pub left_at: Vec<String>,
    /// The employee number that takes this one's place.
    pub replaced_by: Vec<String>,
    /// Since when the row's phones, addresses and accounts are the employee's.
    pub valid_from: Vec<String>,
}

impl Default for RosterSettings {
    fn default() -> Self {
        Self {
            time_zone: None,
            region: "CN".to_owned(),
            csv_encoding: None,
            csv_delimiter: ',',
            json_rows: None,
            max_leavers_share: 0.10,
            fields: RosterFieldSettings::default(),
        }
    }
}

impl Default for RosterFieldSettings {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            employee_no: names(&["employee_no", "工号", "员工编号"]),
            name: names(&["name", "姓名"]),
            department: names(&["department", "部门"]),
            position: names(&["position", "职位", "岗位"]),
            phone: names(&["phone", "手机号", "手机"]),
            email: names(&["email", "邮箱", "电子邮箱"]),
            accounts: BTreeMap::new(),
            left_at: names(&["left_at", "离职日期"]),
            replaced_by: names(&["replaced_by", "新工号"]),
            valid_from: names(&["valid_from", "生效日期"]),
        }
    }
}

/// Everything that is wrong with `[roster]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings of the roster cannot be used: {}", .0.join("; "))]
pub struct RosterSettingsError(pub Vec<String>);

/// `[roster]`, checked.
#[derive(Clone, Debug)]
pub struct RosterRules {
    pub(super) zone: Option<Tz>,
    pub(super) region: Region,
    pub(super) format: FormatSettings,
    pub(super) columns: Columns,
    pub(super) max_leavers_share: f64,
}

impl RosterRules {
    /// Checks the settings.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn new(settings: &RosterSettings) -> Result<Self, RosterSettingsError> {
        let mut problems = Vec::new();
        let zone = settings.time_zone.as_ref().and_then(|name| {
            let unknown = || "roster.time_zone is an IANA name, such as \"Asia/Shanghai\"";
            noted(name.parse().map_err(|_| unknown()), &mut problems)
        });
        let region = settings.region.parse().map_err(|error| format!("roster.region: {error}"));
        let region = noted(region, &mut problems).unwrap_or(Region::CN);
        let format = noted(format_settings(settings), &mut problems).unwrap_or_default();
        if !(0.0..=1.0).contains(&settings.max_leavers_share) {
            problems.push("roster.max_leavers_share is a number from 0 to 1".to_owned());
        }
        let columns = noted(Columns::new(&settings.fields), &mut problems).unwrap_or_default();
        let rules = Self {
            zone,
            region,
            format,
            columns,
            max_leavers_share: settings.max_leavers_share,
        };
        if problems.is_empty() {
            Ok(rules)
        } else {
            Err(RosterSettingsError(problems))
        }
    }

    /// Where phone numbers without a country code belong.
    #[must_use]
    pub const fn region(&self) -> Region {
        self.region
    }

    /// The greatest share of the present employees that a full import may mark as having left.
    #[must_use]
    pub const fn max_leavers_share(&self) -> f64 {
        self.max_leavers_share
    }
}

fn noted<T>(value: Result<T, impl ToString>, problems: &mut Vec<String>) -> Option<T> {
    value.map_err(|problem| problems.push(problem.to_string())).ok()
}

fn format_settings(settings: &RosterSettings) -> Result<FormatSettings, String> {
    let encoding = settings.csv_encoding.as_deref().map(Encoding::from_label).transpose();
    let format = FormatSettings {
        csv_delimiter: u8::try_from(settings.csv_delimiter).map_err(|_| "roster.csv_delimiter is one ASCII character")?,
        csv_encoding: encoding.map_err(|error| format!("roster.csv_encoding: {error}"))?,
        json_rows: settings.json_rows.clone(),
        ..FormatSettings::default()
    };
    format.check().map_err(|error| format!("roster: {error}"))?;
    Ok(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used() {
        let rules = RosterRules::new(&RosterSettings::default()).unwrap();
        assert_eq!((rules.region, rules.zone), (Region::CN, None));
    }

    #[test]
    fn all_problems_are_listed_at_once() {
        let settings = RosterSettings {
            time_zone: Some("Shanghai".to_owned()),
            region: "China".to_owned(),
            csv_encoding: Some("latin-1".to_owned()),
            max_leavers_share: f64::NAN,
            fields: RosterFieldSettings {
                employee_no: Vec::new(),
                name: vec!["工 号".to_owned()],
                department: vec!["工号".to_owned()],
                ..RosterFieldSettings::default()
            },
            ..RosterSettings::default()
        };
        let RosterSettingsError(problems) = RosterRules::new(&settings).unwrap_err();
        let expected = [
            "roster.time_zone is an IANA name, such as \"Asia/Shanghai\"",
            "roster.region: a region is written as the two capital letters of ISO 3166-1, such as CN",
            "roster.csv_encoding: the encoding is not supported: use UTF-8, UTF-16, GB18030 or GBK",
            "roster.max_leavers_share is a number from 0 to 1",
            "roster.fields.employee_no names no column; the column `工号` is both name and department in roster.fields",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn a_letter_does_not_separate_cells() {
        let settings = RosterSettings {
            csv_delimiter: '；',
            ..RosterSettings::default()
        };
        assert!(RosterRules::new(&settings).is_err());
    }
}
