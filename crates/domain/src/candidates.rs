//! Who a report might be about that matches nobody: suggestions for a person who decides. Never applied by itself.

use std::fmt;

use pinyin::ToPinyin;

use crate::{Employee, IdentityKind, PresentedIdentities, Region, normalise_identity, normalise_name};

/// Why an employee might be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resemblance {
    /// An identity of this kind is the same, at whatever time it was valid.
    SameIdentity(IdentityKind),
    /// The name is the same.
    SameName,
    /// An identity of this kind has one character more, less or another one, or two in the other order.
    OneOff(IdentityKind),
    /// The part of the e-mail address before the `@` is the same.
    SameMailbox,
    /// The part of the e-mail address before the `@` is the employee's name in pinyin.
    NameIsMailbox,
}

/// An employee who might be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The employee number.
    pub employee_no: String,
    /// Full name.
    pub name: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Why, the best reason first; never empty.
    pub resemblances: Vec<Resemblance>,
}

/// The best of those who are offered.
#[derive(Clone, Debug)]
pub struct Candidates {
    region: Region,
    /// Normalised identities of the report.
    sought: Vec<(IdentityKind, String)>,
    name: String,
    limit: usize,
    best: Vec<Candidate>,
}

impl Resemblance {
    /// How much it says.
    const fn weight(self) -> u32 {
        match self {
            Self::SameIdentity(_) => 60,
            Self::SameName => 50,
            Self::OneOff(_) => 40,
            Self::NameIsMailbox => 35,
            Self::SameMailbox => 30,
        }
    }
}

impl fmt::Display for Resemblance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameIdentity(kind) => write!(formatter, "has or had the same {kind}"),
            Self::SameName => formatter.write_str("has the same name"),
            Self::OneOff(kind) => write!(formatter, "has a {kind} that differs in one character"),
            Self::SameMailbox => formatter.write_str("has the same name before the @ of the e-mail address"),
            Self::NameIsMailbox => formatter.write_str("has a name whose pinyin stands before the @ of the e-mail address"),
        }
    }
}

impl Candidates {
    /// For a report with these identities; the best `limit` are kept.
    #[must_use]
    pub fn new(presented: &PresentedIdentities<'_>, region: Region, limit: usize) -> Self {
        let sought = IdentityKind::ALL.iter().filter_map(|kind| {
            let value = normalise_identity(*kind, presented.get(*kind)?, region).into_owned();
            (!value.is_empty()).then_some((*kind, value))
        });
        Self {
            region,
            sought: sought.collect(),
            name: presented.name.map(normalise_name).unwrap_or_default().into_owned(),
            limit,
            best: Vec::new(),
        }
    }

    /// Looks at an employee.
    pub fn offer(&mut self, employee: &Employee) {
        let mut resemblances = Vec::new();
        let name = employee.name.as_deref().map(normalise_name).unwrap_or_default();
        if !name.is_empty() && name == self.name {
            resemblances.push(Resemblance::SameName);
        }
        for (kind, sought) in &self.sought {
            resemblances.extend(self.compare((*kind, sought), employee));
            if *kind == IdentityKind::Email && is_mailbox_of(mailbox(sought), employee.name.as_deref().unwrap_or_default()) {
                resemblances.push(Resemblance::NameIsMailbox);
            }
        }
        if resemblances.is_empty() {
            return;
        }
        resemblances.sort_by_key(|resemblance| (std::cmp::Reverse(resemblance.weight()), *resemblance));
        resemblances.dedup();
        self.best.push(Candidate {
            employee_no: employee.employee_no.clone(),
            name: employee.name.clone(),
            department: employee.department.clone(),
            resemblances,
        });
        // The order of offering decides nothing.
        self.best
            .sort_by(|one, other| rank(other).cmp(&rank(one)).then_with(|| one.employee_no.cmp(&other.employee_no)));
        self.best.truncate(self.limit);
    }

    /// The best, best first.
    #[must_use]
    pub fn into_best(self) -> Vec<Candidate> {
        self.best
    }

    fn compare(&self, (kind, sought): (IdentityKind, &str), employee: &Employee) -> Option<Resemblance> {
        let number = (kind == IdentityKind::EmployeeNo).then_some(employee.employee_no.as_str());
        let others = employee
            .identities
            .iter()
            .filter(|identity| identity.kind == kind)
            .map(|identity| identity.value.as_str());
        let mut best = None;
        for value in number.into_iter().chain(others) {
            let value = normalise_identity(kind, value, self.region);
            if *value == *sought {
                return Some(Resemblance::SameIdentity(kind));
            }
            if is_one_off(&value, sought) {
                best = Some(Resemblance::OneOff(kind));
            } else if kind == IdentityKind::Email && !mailbox(sought).is_empty() && mailbox(&value) == mailbox(sought) {
                best = best.or(Some(Resemblance::SameMailbox));
            }
        }
        best
    }
}

fn rank(candidate: &Candidate) -> u32 {
    candidate.resemblances.iter().map(|resemblance| resemblance.weight()).sum()
}

fn mailbox(address: &str) -> &str {
    address.split_once('@').map_or("", |(mailbox, _)| mailbox)
}

/// Whether the letters before the `@` are the name in pinyin, the family name first or last.
fn is_mailbox_of(mailbox: &str, name: &str) -> bool {
    let letters: String = mailbox.chars().filter(char::is_ascii_alphabetic).collect();
    let syllables: Option<Vec<&str>> = name.to_pinyin().map(|syllable| syllable.map(|syllable| syllable.plain())).collect();
    match syllables.as_deref() {
        Some([family, given @ ..]) if !given.is_empty() => {
            let given = given.concat();
            letters == [family, given.as_str()].concat() || letters == [given.as_str(), family].concat()
        }
        Some(_) | None => false,
    }
}

/// Whether one text becomes the other by one character put in, left out or changed, or by two neighbours that change places. Short texts
/// resemble each other by chance.
fn is_one_off(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    if short.len() < 4 || long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(one, other)| one == other).count();
    let (short, long) = (&short[same..], &long[same..]);
    if short.len() < long.len() {
        return *short == long[1..];
    }
    match (short, long) {
        ([], []) => false,
        ([_, rest @ ..], [_, other_rest @ ..]) if rest == other_rest => true,
        ([a, b, rest @ ..], [c, d, other_rest @ ..]) => a == d && b == c && rest == other_rest,
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{employee, identity, phone};

    fn named(number: &str, name: &str, phone_number: &str) -> Employee {
        Employee {
            name: Some(name.to_owned()),
            ..employee(number, vec![phone(phone_number)])
        }
    }

    fn suggest(presented: PresentedIdentities<'_>, employees: &[Employee]) -> Vec<(String, Vec<Resemblance>)> {
        let mut candidates = Candidates::new(&presented, Region::CN, 3);
        employees.iter().for_each(|employee| candidates.offer(employee));
        let best = candidates.into_best().into_iter();
        best.map(|candidate| (candidate.employee_no, candidate.resemblances)).collect()
    }

    #[test]
    fn one_character_more_less_other_or_two_exchanged_is_one_off_and_no_more_is() {
        for (one, other) in [
            ("E1001", "E1002"),
            ("E1001", "E101"),
            ("E1001", "E10011"),
            ("E1012", "E1021"),
            ("13800000001", "13800000010"),
        ] {
            assert!(is_one_off(one, other) && is_one_off(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("E1001", "E1001"),
            ("E1001", "E1013"),
            ("E1", "E2"),
            ("E1001", "1001E"),
            ("abcd", "badc"),
        ] {
            assert!(!is_one_off(one, other), "{one} {other}");
        }
    }

    #[test]
    fn those_who_resemble_in_more_come_first_whatever_their_order() {
        let mut staff = vec![
            named("E1001", "王小明", "13800000001"),
            named("E1002", "王小明", "13800000099"),
            named("E1003", "李雷", "13800000001"),
            named("E2000", "韩梅梅", "13900000000"),
        ];
        let presented = PresentedIdentities {
            phone: Some("138 0000 0002"),
            name: Some("王 小明"),
            ..PresentedIdentities::default()
        };
        let expected = [
            (
                "E1001".to_owned(),
                vec![Resemblance::SameName, Resemblance::OneOff(IdentityKind::Phone)],
            ),
            ("E1002".to_owned(), vec![Resemblance::SameName]),
            ("E1003".to_owned(), vec![Resemblance::OneOff(IdentityKind::Phone)]),
        ];
        assert_eq!(suggest(presented, &staff), expected);
        staff.reverse();
        assert_eq!(suggest(presented, &staff), expected);
    }

    #[test]
    fn a_mailbox_can_be_a_name_in_pinyin() {
        let staff = [
            named("E1001", "王小明", "1"),
            named("E1002", "李雷", "2"),
            named("E1003", "Smith", "3"),
        ];
        for address in ["wang.xiaoming@a.example", "xiaoming.wang@a.example", "wangxiaoming7@a.example"] {
            let presented = PresentedIdentities {
                email: Some(address),
                ..PresentedIdentities::default()
            };
            assert_eq!(
                suggest(presented, &staff),
                [("E1001".to_owned(), vec![Resemblance::NameIsMailbox])],
                "{address}"
            );
        }
    }

    #[test]
    fn an_identity_of_another_time_and_another_domain_are_told() {
        let old = Employee {
            identities: vec![
                identity(IdentityKind::Email, "li.lei@old.example").to(5),
                phone("13800000001").to(5),
            ],
            ..employee("E1001", Vec::new())
        };
        let presented = PresentedIdentities {
            email: Some("li.lei@new.example"),
            phone: Some("13800000001"),
            ..PresentedIdentities::default()
        };
        let expected = vec![Resemblance::SameIdentity(IdentityKind::Phone), Resemblance::SameMailbox];
        assert_eq!(suggest(presented, &[old]), [("E1001".to_owned(), expected)]);
    }

    #[test]
    fn whoever_resembles_in_nothing_is_no_candidate() {
        let nobody = PresentedIdentities::default();
        assert!(suggest(nobody, &[named("E1001", "王小明", "1"), employee("E1002", Vec::new())]).is_empty());
    }
}
