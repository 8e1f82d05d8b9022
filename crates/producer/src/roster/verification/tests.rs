//! Writers that race each other, in every interleaving.

use proptest::prelude::*;
use scoresync_domain::RosterEntry;

use super::*;
use crate::roster::{
    fixtures::{REGION, employee, entry, millis, phone},
    statement::{About, Repetition, Silence},
};

/// The statement that the employee has this phone and is called by its number.
fn statement(number: u32, as_of: i64) -> Statement {
    let entry = RosterEntry {
        name: Some(format!("员工{number}")),
        ..entry("E1", vec![phone(number)])
    };
    Statement {
        as_of: millis(as_of),
        said: About::Entry(entry, Silence::None),
        repetition: Repetition::Recorded,
    }
}

fn on(statement: &Statement, present: Option<&Employee>) -> Employee {
    match statement.on_top_of(present, REGION).unwrap() {
        Next::Record(record, _) => record,
        Next::Unchanged | Next::Stale => present.unwrap().clone(),
    }
}

fn base() -> Employee {
    employee("E1", vec![phone(0)], 0)
}

#[test]
fn a_record_that_nobody_else_touched_stands() {
    let ours = statement(1, 10);
    let written = on(&ours, Some(&base()));
    assert_eq!(verify(&ours, &written, (&[Some(written.clone())], REGION)), Ok(Verdict::Stands));
}

#[test]
fn what_came_before_ours_is_merged() {
    let (ours, theirs) = (statement(1, 10), statement(2, 5));
    let (written, other) = (on(&ours, Some(&base())), on(&theirs, Some(&base())));
    let verdict = verify(&ours, &written, (&[Some(other.clone()), Some(written.clone())], REGION));
    assert_eq!(verdict, Ok(Verdict::Rewrite(on(&ours, Some(&other)))));
}

#[test]
fn a_newer_statement_that_ours_overwrote_is_restored() {
    let (ours, theirs) = (statement(1, 5), statement(2, 10));
    let (written, other) = (on(&ours, Some(&base())), on(&theirs, Some(&base())));
    let verdict = verify(&ours, &written, (&[Some(other.clone()), Some(written.clone())], REGION));
    assert_eq!(verdict, Ok(Verdict::Restore(other)));
}

#[test]
fn an_older_statement_on_top_of_ours_is_outdone() {
    let (ours, theirs) = (statement(1, 10), statement(2, 5));
    let (written, other) = (on(&ours, Some(&base())), on(&theirs, Some(&base())));
    let verdict = verify(&ours, &written, (&[Some(written.clone()), Some(other.clone())], REGION));
    assert_eq!(verdict, Ok(Verdict::Rewrite(on(&ours, Some(&other)))));
}

#[test]
fn an_erasure_after_ours_stands_and_one_before_ours_takes_the_old_identities_along() {
    let ours = statement(1, 10);
    let written = on(&ours, Some(&base()));
    assert_eq!(
        verify(&ours, &written, (&[Some(written.clone()), None], REGION)),
        Ok(Verdict::Stands)
    );
    let verdict = verify(&ours, &written, (&[None, Some(written.clone())], REGION));
    assert_eq!(verdict, Ok(Verdict::Rewrite(on(&ours, None))));
}

#[test]
fn the_leaving_of_somebody_who_was_erased_meanwhile_is_told() {
    let leaving = Statement {
        said: About::Absence("E1".to_owned()),
        ..statement(1, 10)
    };
    let written = on(&leaving, Some(&base()));
    assert_eq!(
        verify(&leaving, &written, (&[None, Some(written.clone())], REGION)),
        Ok(Verdict::Erased)
    );
}

/// Several writers on one log; each step of one of them is a read, a write, or a look afterwards.
struct Writer {
    statement: Statement,
    read_to: usize,
    present: Option<Employee>,
    phase: Phase,
}

enum Phase {
    Start,
    Read,
    Written(Employee),
    Done,
}

impl Writer {
    fn step(&mut self, log: &mut Vec<Option<Employee>>) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Start => {
                self.present = log.last().cloned().flatten();
                self.read_to = log.len();
                Phase::Read
            }
            Phase::Read => match self.statement.on_top_of(self.present.as_ref(), REGION).unwrap() {
                Next::Record(record, _) => {
                    log.push(Some(record.clone()));
                    Phase::Written(record)
                }
                Next::Unchanged | Next::Stale => Phase::Done,
            },
            Phase::Written(written) => {
                let seen = &log[self.read_to..];
                let verdict = verify(&self.statement, &written, (seen, REGION)).unwrap();
                self.read_to = log.len();
                match verdict {
                    Verdict::Stands | Verdict::Erased => Phase::Done,
                    Verdict::Rewrite(record) | Verdict::Restore(record) => {
                        log.push(Some(record.clone()));
                        Phase::Written(record)
                    }
                }
            }
            Phase::Done => Phase::Done,
        };
    }

    fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn writers_in_any_order_converge_on_a_newest_statement(
        moments in proptest::collection::vec(1..6_i64, 2..=4),
        steps in proptest::collection::vec(0..4_usize, 0..60),
    ) {
        let mut log = vec![Some(base())];
        let mut writers: Vec<_> = (1..).zip(&moments).map(|(number, as_of)| Writer {
            statement: statement(number, *as_of),
            read_to: 0,
            present: None,
            phase: Phase::Start,
        }).collect();
        for step in steps {
            let place = step % moments.len();
            writers[place].step(&mut log);
        }
        for _ in 0..100 {
            writers.iter_mut().for_each(|writer| writer.step(&mut log));
        }
        prop_assert!(writers.iter().all(Writer::is_done), "no end after {} records", log.len());
        let newest = moments.iter().max().unwrap();
        let names: Vec<_> = (1..).zip(&moments).filter(|(_, as_of)| *as_of == newest).map(|(number, _)| format!("员工{number}")).collect();
        let last = log.last().unwrap().as_ref().unwrap();
        prop_assert_eq!(last.as_of, millis(*newest));
        prop_assert!(names.contains(last.name.as_ref().unwrap()), "{last:?} of {names:?}");
    }
}
