//! Who works there, and what the HR system says of them: at first, after phones changed hands, and of those who come late.

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// When phones changed hands.
pub(super) const CHANGE: &str = "2025-07-01T00:00:00+08:00";
const BEGINNING: &str = "2025-01-01T00:00:00+08:00";
const LATE: &str = "2025-07-02T00:00:00+08:00";

const SURNAMES: [&str; 8] = ["欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙"];
const GIVEN_NAMES: [&str; 8] = ["试一", "试二", "试三", "试四", "试五", "试六", "试七", "试八"];

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) employee_no: String,
    name: String,
    pub(super) phone: String,
    /// From the change on.
    pub(super) later_phone: String,
}

/// Everybody, by the parts that they play.
#[derive(Clone, Debug)]
pub struct Staff {
    pub(super) members: Vec<Member>,
    /// Numbers of members.
    pub(super) quiet: Vec<usize>,
    /// Two at a time have one phone.
    pub(super) sharing: Vec<[usize; 2]>,
    /// The second has the first one's phone from the change on.
    pub(super) handing_over: Vec<[usize; 2]>,
    /// The HR system tells of them when reports about them are on their way already.
    pub(super) late: Vec<usize>,
}

/// A file of the HR system.
pub(super) struct Roster {
    pub(super) name: &'static str,
    pub(super) csv: String,
    pub(super) as_of: &'static str,
    /// Whether it lists everybody.
    pub(super) is_full: bool,
}

impl Staff {
    /// The same for the same seed.
    #[must_use]
    pub fn generate(seed: u64) -> Self {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut members: Vec<Member> = (0..70).map(|number| member(&mut dice, number)).collect();
        let pairs = |from: usize, count: usize| (0..count).map(move |pair| [from + 2 * pair, from + 2 * pair + 1]);
        let (sharing, handing_over): (Vec<_>, Vec<_>) = (pairs(40, 5).collect(), pairs(50, 5).collect());
        for [one, other] in &sharing {
            members[*other].phone = members[*one].phone.clone();
            members[*other].later_phone = members[*one].phone.clone();
        }
        for [giver, heir] in &handing_over {
            members[*heir].later_phone = members[*giver].phone.clone();
            members[*giver].later_phone = phone(*giver + 500);
        }
        Self {
            members,
            quiet: (0..40).collect(),
            sharing,
            handing_over,
            late: (60..70).collect(),
        }
    }

    /// What is known before the first report.
    pub(super) fn rosters(&self) -> [Roster; 2] {
        let known = || (0..self.members.len()).filter(|number| !self.late.contains(number));
        let roster = |name, as_of, phone: fn(&Member) -> &str| Roster {
            name,
            csv: self.csv(known(), phone),
            as_of,
            is_full: true,
        };
        [
            roster("roster-1.csv", BEGINNING, |member| &member.phone),
            roster("roster-2.csv", CHANGE, |member| &member.later_phone),
        ]
    }

    /// Those who come late.
    pub(super) fn late_roster(&self) -> Roster {
        Roster {
            name: "roster-3.csv",
            csv: self.csv(self.late.iter().copied(), |member| &member.later_phone),
            as_of: LATE,
            is_full: false,
        }
    }

    fn csv(&self, numbers: impl Iterator<Item = usize>, phone: fn(&Member) -> &str) -> String {
        let line = |member: &Member| format!("{},{},{}\n", member.employee_no, member.name, phone(member));
        let lines: String = numbers.map(|number| line(&self.members[number])).collect();
        format!("工号,姓名,手机号\n{lines}")
    }

    /// All numbers of employees.
    pub fn employee_nos(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.employee_no.as_str())
    }

    /// What must be in no log, metric or header.
    pub(super) fn secrets(&self) -> BTreeSet<&str> {
        let values = self.members.iter().flat_map(|member| {
            [
                member.employee_no.as_str(),
                member.name.as_str(),
                member.phone.as_str(),
                member.later_phone.as_str(),
            ]
        });
        values.collect()
    }
}

fn member(dice: &mut Xoshiro256PlusPlus, number: usize) -> Member {
    let mut one_of = |texts: &[&'static str]| texts[dice.random_range(0..texts.len() as u64) as usize];
    Member {
        employee_no: format!("CHAOS{number:03}"),
        name: format!("{}{}", one_of(&SURNAMES), one_of(&GIVEN_NAMES)),
        phone: phone(number),
        later_phone: phone(number),
    }
}

/// Of a range that is obviously made up.
fn phone(number: usize) -> String {
    format!("1995550{number:04}")
}
