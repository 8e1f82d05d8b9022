//! Which column of a file is which of an employee's fields, by its name.

use std::{collections::HashMap, fmt};

use scoresync_domain::normalise_name;

use super::settings::RosterFieldSettings;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Column {
    EmployeeNo,
    Name,
    Department,
    Position,
    Phone,
    Email,
    /// An account in this system.
    Account(String),
    LeftAt,
    ReplacedBy,
    ValidFrom,
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EmployeeNo => "employee_no",
            Self::Name => "name",
            Self::Department => "department",
            Self::Position => "position",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Account(_) => "account",
            Self::LeftAt => "left_at",
            Self::ReplacedBy => "replaced_by",
            Self::ValidFrom => "valid_from",
        })
    }
}

/// The prefix of columns of accounts.
const ACCOUNT: &str = "account.";

/// The columns by their normalised names.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns(HashMap<String, Column>);

impl Columns {
    /// The error lists all that is wrong.
    pub(super) fn new(settings: &RosterFieldSettings) -> Result<Self, String> {
        let single = [
            (&settings.employee_no, Column::EmployeeNo),
            (&settings.name, Column::Name),
            (&settings.department, Column::Department),
            (&settings.position, Column::Position),
            (&settings.phone, Column::Phone),
            (&settings.email, Column::Email),
            (&settings.left_at, Column::LeftAt),
            (&settings.replaced_by, Column::ReplacedBy),
            (&settings.valid_from, Column::ValidFrom),
        ];
        let named = single
            .into_iter()
            .flat_map(|(names, column)| names.iter().map(move |name| (name, column.clone())));
        let accounts = settings
            .accounts
            .iter()
            .map(|(name, system)| (name, Column::Account(system.clone())));
        let mut problems = Vec::new();
        if settings.employee_no.is_empty() {
            problems.push("roster.fields.employee_no names no column".to_owned());
        }
        let mut columns = HashMap::new();
        for (name, column) in named.chain(accounts) {
            if name.trim().is_empty() || matches!(&column, Column::Account(system) if system.trim().is_empty()) {
                problems.push(format!("a name for {column} in roster.fields is empty"));
            }
            match columns.insert(normalise_name(name).into_owned(), column.clone()) {
                Some(other) if other != column => {
                    problems.push(format!("the column `{name}` is both {other} and {column} in roster.fields"))
                }
                Some(_) | None => {}
            }
        }
        if problems.is_empty() {
            Ok(Self(columns))
        } else {
            Err(problems.join("; "))
        }
    }

    /// What the column of this name holds. A name that occurs again (`工号#2`), a numbered one (`phone_2`, `手机号2`) and an element of a
    /// list (`phone.0`) count like the name itself.
    pub(super) fn find(&self, name: &str) -> Option<Column> {
        let name = without_repetition(name);
        let normal = normalise_name(name);
        if let Some(column) = self.0.get(normal.as_ref()) {
            return Some(column.clone());
        }
        let base = normal.trim_end_matches(|character: char| character.is_ascii_digit());
        let base = if base.len() == normal.len() {
            base
        } else {
            base.trim_end_matches(['_', '.', '-'])
        };
        match self.0.get(base) {
            Some(column @ (Column::Phone | Column::Email | Column::Account(_))) => Some(column.clone()),
            Some(_) => None,
            None => account(name),
        }
    }
}

/// The column of a row in which a name occurs again is called `name#2`.
fn without_repetition(name: &str) -> &str {
    match name.rsplit_once('#') {
        Some((first, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => first,
        _ => name,
    }
}

fn account(name: &str) -> Option<Column> {
    let name = name.trim();
    let prefix = name.get(..ACCOUNT.len()).filter(|prefix| prefix.eq_ignore_ascii_case(ACCOUNT))?;
    let system = name[prefix.len()..].trim();
    (!system.is_empty()).then(|| Column::Account(system.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        let mut settings = RosterFieldSettings::default();
        settings.accounts.insert("企业微信号".to_owned(), "wecom".to_owned());
        Columns::new(&settings).unwrap()
    }

    fn check(name: &str, expected: Option<Column>) {
        assert_eq!(columns().find(name), expected, "{name}");
    }

    #[test]
    fn a_column_is_known_by_its_name_however_it_is_spaced() {
        for (name, expected) in [
            ("工号", Column::EmployeeNo),
            (" 工 号 ", Column::EmployeeNo),
            ("Employee_No", Column::EmployeeNo),
            ("姓名", Column::Name),
            ("岗位", Column::Position),
            ("离职日期", Column::LeftAt),
            ("新工号", Column::ReplacedBy),
            ("生效日期", Column::ValidFrom),
            ("企业微信号", Column::Account("wecom".to_owned())),
            ("account.LMS", Column::Account("LMS".to_owned())),
            ("Account.lms", Column::Account("lms".to_owned())),
        ] {
            check(name, Some(expected));
        }
    }

    #[test]
    fn several_columns_of_phones_are_numbered_repeated_or_a_list() {
        for name in ["phone", "phone_2", "phone2", "手机号_3", "手机号 2", "手机号#2", "phone.0"] {
            check(name, Some(Column::Phone));
        }
        check("工号#2", Some(Column::EmployeeNo));
    }

    #[test]
    fn other_columns_mean_nothing() {
        for name in ["入职日期", "工号2", "account.", "account", "性别", ""] {
            check(name, None);
        }
    }
}
