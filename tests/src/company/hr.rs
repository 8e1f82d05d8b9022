//! The files of the HR system: CSV with Chinese headers, one before and one after the change.

use super::{
    calendar,
    people::{People, Person},
    write::{comma_separated, in_chinese},
};

const COLUMNS: [&str; 7] = [
    "employee_no",
    "employee_name",
    "department",
    "position",
    "phone",
    "email",
    "replaced_by",
];

/// A file of the HR system that lists everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// UTF-8.
    pub csv: String,
    /// The moment that it speaks of, in RFC 3339.
    pub as_of: &'static str,
}

/// Who is there at first.
pub(super) fn first_roster(people: &People) -> Roster {
    let rows = people.all().map(|person| line(person, &person.employee_no, &person.phone, ""));
    roster(rows, calendar::FIRST_ROSTER)
}

/// Leavers are missing, phones have changed hands, and some have a new number; the line of the old one names it.
pub(super) fn later_roster(people: &People) -> Roster {
    let staying = people.all().filter(|person| !person.leaves);
    let rows = staying.flat_map(|person| match &person.later_employee_no {
        None => vec![line(person, &person.employee_no, &spelt(person), "")],
        Some(later) => vec![
            line(person, &person.employee_no, "", later),
            line(person, later, &spelt(person), ""),
        ],
    });
    roster(rows, calendar::LATER_ROSTER)
}

fn roster(rows: impl Iterator<Item = String>, as_of: &'static str) -> Roster {
    let header = comma_separated(&COLUMNS.map(in_chinese));
    let lines: Vec<String> = std::iter::once(header).chain(rows).collect();
    Roster {
        csv: lines.join("\n") + "\n",
        as_of,
    }
}

fn line(person: &Person, employee_no: &str, phone: &str, replaced_by: &str) -> String {
    let email = if phone.is_empty() { "" } else { person.email.as_str() };
    comma_separated(&[
        employee_no,
        &person.name,
        person.department,
        person.position,
        phone,
        email,
        replaced_by,
    ])
}

/// People write the same phone in another way each time.
fn spelt(person: &Person) -> String {
    let phone = &person.later_phone;
    match person.employee_no.as_bytes().last() {
        Some(b'3') => format!("+86 {} {} {}", &phone[..3], &phone[3..7], &phone[7..]),
        Some(b'7') => format!("0086{phone}"),
        _ => phone.clone(),
    }
}
