//! The employees of the company, and the parts that some of them play in its disorder.

use super::{
    dice::Dice,
    names::{DEPARTMENTS, GIVEN_NAMES, OTHER_NAMES, POSITIONS, SURNAMES},
};

/// How many play each part.
const PLAYERS: usize = 6;
/// Of fewer, those who leave would be more than one in ten, which an import of employees refuses as an accident.
pub(super) const FEWEST: usize = 150;

/// An employee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// The employee number at first.
    pub(super) employee_no: String,
    pub(super) name: String,
    pub(super) department: &'static str,
    pub(super) position: &'static str,
    pub(super) email: String,
    /// The phone until the later roster.
    pub(super) phone: String,
    /// The phone from the later roster on.
    pub(super) later_phone: String,
    /// Left at the later roster.
    pub(super) leaves: bool,
    /// The employee number from the later roster on, where it is another one.
    pub(super) later_employee_no: Option<String>,
}

impl Person {
    /// The number by which the file is found at the end.
    pub(super) fn last_employee_no(&self) -> &str {
        self.later_employee_no.as_deref().unwrap_or(&self.employee_no)
    }
}

/// All employees by their parts.
#[derive(Clone, Debug)]
pub(super) struct People {
    /// Nothing special ever happens to them.
    pub(super) quiet: Vec<Person>,
    /// Two at a time have one phone.
    pub(super) sharing: Vec<[Person; 2]>,
    /// The first leaves, and the second gets the first one's phone.
    pub(super) handing_over: Vec<[Person; 2]>,
    pub(super) leavers: Vec<Person>,
    pub(super) renumbered: Vec<Person>,
}

impl People {
    pub(super) fn generate(dice: &mut Dice, count: usize) -> Self {
        let mut people = (0..count).map(|number| person(dice, number));
        let mut pair = || people.by_ref().take(2).collect::<Vec<_>>().try_into().ok();
        let sharing = std::iter::from_fn(&mut pair).take(PLAYERS).map(share_a_phone).collect();
        let handing_over = std::iter::from_fn(&mut pair).take(PLAYERS).map(hand_over).collect();
        let leavers = people.by_ref().take(PLAYERS).map(leave).collect();
        let renumbered = people.by_ref().take(PLAYERS).map(renumber).collect();
        Self {
            quiet: people.collect(),
            sharing,
            handing_over,
            leavers,
            renumbered,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Person> {
        let pairs = self.sharing.iter().chain(&self.handing_over).flatten();
        pairs.chain(&self.leavers).chain(&self.renumbered).chain(&self.quiet)
    }
}

/// Phones are of a range that is obviously made up; every sixth name is not Chinese, and some names occur more than once.
fn person(dice: &mut Dice, number: usize) -> Person {
    let name = match number % 6 {
        0 => dice.one_of(&OTHER_NAMES).to_owned(),
        _ => format!("{}{}", dice.one_of(&SURNAMES), dice.one_of(&GIVEN_NAMES)),
    };
    let phone = phone(number);
    Person {
        employee_no: format!("E{}", 10_001 + number),
        name,
        department: dice.one_of(&DEPARTMENTS),
        position: dice.one_of(&POSITIONS),
        email: format!("e{}@company.example", 10_001 + number),
        later_phone: phone.clone(),
        phone,
        leaves: false,
        later_employee_no: None,
    }
}

fn phone(number: usize) -> String {
    format!("1990000{:04}", number + 1)
}

fn share_a_phone([one, other]: [Person; 2]) -> [Person; 2] {
    let other = Person {
        phone: one.phone.clone(),
        later_phone: one.phone.clone(),
        ..other
    };
    [one, other]
}

fn hand_over([leaver, heir]: [Person; 2]) -> [Person; 2] {
    let heir = Person {
        later_phone: leaver.phone.clone(),
        ..heir
    };
    [leave(leaver), heir]
}

fn leave(person: Person) -> Person {
    Person { leaves: true, ..person }
}

fn renumber(person: Person) -> Person {
    let later_employee_no = Some(person.employee_no.replacen('E', "N", 1));
    Person {
        later_employee_no,
        ..person
    }
}
