//! A small dirty company, and the truth about it: what must become of every report, and what must stand in every file.
//!
//! The truth comes from how a report was made (its author knows the person, that this is a retry, or an older revision sent late); nothing
//! here asks scoresync. All reports of one result come from one source, in the order of the deliveries. Everybody is invented.
//!
//! What is dirty, each at least [`AT_LEAST`] times (the full list is that of the tables `DIRTY`):
//! - *people*: unknown numbers and phones; two who share a phone; a phone that went to somebody else; leavers; renumbered employees;
//!   number and phone, or number and name, of different people; a correction that names another employee;
//! - *spelling*: full-width digits; phones with `+86`, `0086`, spaces and hyphens; names with dots, spaces, commas and quotes; a score with its
//!   unit; more than six decimal places;
//! - *order*: retries of rows and of whole bodies; corrections in and out of order; provisional and final; withdrawals before, after, without a
//!   revision, taken back, and of results that nobody reports; a value that is returned to;
//! - *values*: zero; empty, cleared and late scores; impossible times; `abc` and `85,5`; missing fields; unknown words; names that occur twice;
//! - *bytes*: rows that are no JSON object, control characters, references to nothing, rows too long and too short, bytes that are no GB18030,
//!   text behind a closing quote.

mod academy;
mod calendar;
mod centre;
mod deliveries;
mod dice;
mod hr;
mod names;
mod people;
mod row;
mod skills;
mod story;
mod teller;
mod truth;
mod write;

#[cfg(test)]
mod tests;

use academy::Kind;
use deliveries::{REDELIVERED, Told};
use dice::Dice;
use people::People;
use teller::Teller;

pub use deliveries::{Delivery, Sender};
pub use hr::Roster;
pub use truth::{Destination, Report, TrueRecord, TrueResult, Truth};

/// How often each dirty case occurs at least.
pub const AT_LEAST: usize = 5;

/// How large a company is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// At least 150.
    pub employees: usize,
    /// At least 1,200; with fewer there is no room for the dirty cases.
    pub reports: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            employees: 200,
            reports: 3_000,
        }
    }
}

/// A company, all that its training systems send, and the truth.
#[derive(Clone, Debug)]
pub struct Company {
    /// To be imported first.
    pub roster: Roster,
    /// To be imported next, before any delivery.
    pub later_roster: Roster,
    /// The numbers of all files at the end, leavers' included.
    pub employee_nos: Vec<String>,
    /// In the order in which they are sent.
    pub deliveries: Vec<Delivery>,
    /// What must be known of each result at the end, reports that come [`Company::later`] not counted.
    pub results: Vec<TrueResult>,
    people: People,
}

impl Company {
    /// The same company for the same seed and size.
    #[must_use]
    pub fn generate(seed: u64, size: Size) -> Self {
        let mut dice = Dice::new(seed);
        let people = People::generate(&mut dice, size.employees.max(people::FEWEST));
        let mut author = Author {
            people: &people,
            dice,
            results: Vec::new(),
        };
        let deliveries = author.write(size.reports);
        let results = author.results;
        Self {
            roster: hr::first_roster(&people),
            later_roster: hr::later_roster(&people),
            employee_nos: people.all().map(|person| person.last_employee_no().to_owned()).collect(),
            deliveries,
            results,
            people,
        }
    }

    /// How many reports all deliveries hold.
    #[must_use]
    pub fn report_count(&self) -> usize {
        self.deliveries.iter().map(|delivery| delivery.reports.len()).sum()
    }

    /// Further reports, each alone in a delivery of `academy`, about new results of quiet employees: all of them must be filed.
    #[must_use]
    pub fn later(&self, seed: u64, count: usize) -> Vec<LaterReport> {
        let mut teller = Teller::new(&self.people, Dice::new(seed));
        let (mut owners, mut told) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (employee_no, row) = academy::ordinary_row(&mut teller);
            let exam_id = format!("LATER-{number}");
            let row = row.with("exam_id", exam_id.as_str());
            owners.push((employee_no.to_owned(), exam_id));
            told.push(Told {
                case: "sent later",
                result: self.results.len() + number,
                story: story::Story::default().filed(&row),
            });
        }
        let deliveries = deliveries::one_by_one(Sender::Academy, told, 900_000);
        let later = owners.into_iter().zip(deliveries);
        later
            .map(|((employee_no, exam_id), delivery)| LaterReport {
                employee_no,
                exam_id,
                delivery,
            })
            .collect()
    }
}

/// One report that is sent when all others are settled.
#[derive(Clone, Debug)]
pub struct LaterReport {
    /// In whose file it must appear.
    pub employee_no: String,
    /// The id of its exam, which no other result has.
    pub exam_id: String,
    /// The report.
    pub delivery: Delivery,
}

/// Writes everything that the sources of a company send.
struct Author<'a> {
    people: &'a People,
    dice: Dice,
    results: Vec<TrueResult>,
}

impl Author<'_> {
    /// Half of all reports are the academy's, a third those of `skills`, the rest those of `centre`.
    fn write(&mut self, reports: usize) -> Vec<Delivery> {
        let redelivered: usize = REDELIVERED.iter().sum();
        let (skills, centre) = (reports / 3, reports / 6);
        let academy = reports - skills - centre;
        let told = self.tell(academy::DIRTY, academy::COMMON, academy.saturating_sub(redelivered));
        let from_academy = deliveries::pushed(Sender::Academy, told, &mut self.dice);
        let told = self.tell(skills::DIRTY, skills::COMMON, skills.saturating_sub(redelivered));
        let from_skills = deliveries::pushed(Sender::Skills, told, &mut self.dice);
        let told = self.tell(centre::DIRTY, centre::COMMON, centre);
        let export = deliveries::exported(Sender::Centre, told, &mut self.dice);
        let deliveries = self.interleave([from_academy, from_skills, vec![export]]);
        self.count_statements(&deliveries);
        deliveries
    }

    /// Stories of so many steps in all: each dirty kind some times, then the common ones, then whatever still fits.
    fn tell(&mut self, dirty: &[Kind], common: &[Kind], steps: usize) -> Vec<Told> {
        let mut teller = Teller::new(self.people, Dice::new(self.dice.number(0..u64::MAX)));
        let mut told = Vec::new();
        let mut open = steps;
        for kind in dirty {
            for _ in 0..AT_LEAST as u64 + teller.dice.number(0..2) {
                open = open.saturating_sub(self.add(kind, &mut teller, &mut told));
            }
        }
        let longest = 6;
        while open >= longest {
            let kind = teller.dice.one_of(common);
            open -= self.add(&kind, &mut teller, &mut told);
        }
        for _ in 0..open {
            self.add(&common[0], &mut teller, &mut told);
        }
        told
    }

    /// Says how many steps the story has.
    fn add(&mut self, (case, tell): &Kind, teller: &mut Teller<'_>, told: &mut Vec<Told>) -> usize {
        let story = tell(teller);
        let steps = story.steps.len();
        self.results.push(TrueResult {
            case,
            record: story.record.clone(),
            statements: 0,
            versions: story.versions,
        });
        told.push(Told {
            case,
            result: self.results.len() - 1,
            story,
        });
        steps
    }

    /// Mixes what different senders send; each sender's order stays.
    fn interleave(&mut self, senders: [Vec<Delivery>; 3]) -> Vec<Delivery> {
        let mut senders: Vec<_> = senders.into_iter().map(|deliveries| deliveries.into_iter().peekable()).collect();
        let mut all = Vec::new();
        loop {
            let turns: Vec<usize> = (0..senders.len())
                .flat_map(|sender| std::iter::repeat_n(sender, senders[sender].len()))
                .collect();
            if turns.is_empty() {
                return all;
            }
            let sender = self.dice.one_of(&turns);
            all.extend(senders[sender].next());
        }
    }

    fn count_statements(&mut self, deliveries: &[Delivery]) {
        for report in deliveries.iter().flat_map(|delivery| &delivery.reports) {
            if report.truth.destination() == Destination::Archive {
                self.results[report.result].statements += 1;
            }
        }
    }
}
