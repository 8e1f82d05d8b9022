//! Stories about results, each of which is one or several rows, and rows that are no statement.

use rand::{RngExt, rngs::Xoshiro256PlusPlus};
use scoresync_domain::{Reason, Status};

use super::{
    Owners, Row, Said, Source, Truth,
    rows::{booth_row, export_row, hall_row},
};
use crate::chaos::staff::Staff;

/// Bytes of the remark that makes a row nearly as large as `door.max_row_kib` lets it be.
const LARGE: usize = 255_000;

/// Tells stories.
pub(super) struct Author<'a> {
    pub(super) staff: &'a Staff,
    pub(super) owners: Owners,
    pub(super) dice: Xoshiro256PlusPlus,
    pub(super) rows: Vec<Row>,
    /// Numbers of rows in the order in which they are sent.
    pub(super) order: Vec<usize>,
    pub(super) results: usize,
}

impl Author<'_> {
    pub(super) fn number(&mut self, below: u64) -> u64 {
        self.dice.random_range(0..below)
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.number(items.len() as u64) as usize]
    }

    fn score(&mut self) -> String {
        let halves = self.number(201);
        let rest = if halves % 2 == 1 { ".5" } else { "" };
        format!("{}{rest}", halves / 2)
    }

    /// One story about a new result, or a row that can be none.
    pub(super) fn tell(&mut self) {
        match self.number(20) {
            0..=7 => self.hall(),
            8..=12 => self.booth(),
            13..=15 => self.export(),
            16 if self.owners == Owners::Disputed => self.other_owner(),
            16 => self.hall(),
            17 => self.late(),
            18 => self.ambiguous(),
            _ => self.unreadable(),
        }
    }

    fn hall(&mut self) {
        let whose = self.one_of(&self.staff.quiet.clone());
        let result = self.new_result();
        let day = self.day();
        let revisions = 1 + self.number(4) as i64;
        for revision in 1..=revisions {
            let (status, exam_score) = match self.number(12) {
                0 => (Status::Withdrawn, None),
                1 => (Status::Provisional, Some(self.score())),
                2 => (Status::Final, Some("0".to_owned())),
                _ => (Status::Final, Some(self.score())),
            };
            let said = Said {
                result,
                whose: (status != Status::Withdrawn).then_some(whose),
                status,
                exam_score,
                revision: Some(revision),
                day,
                may_be_early: false,
            };
            let remark = if self.number(150) == 0 { LARGE } else { 0 };
            self.say(Source::Hall, said, remark);
        }
    }

    fn booth(&mut self) {
        let (whose, phone, day) = match self.number(4) {
            0 => {
                let [giver, heir] = self.one_of(&self.staff.handing_over.clone());
                let phone = self.staff.members[giver].phone.clone();
                let day = self.day();
                (if day < 100 { giver } else { heir }, phone, day)
            }
            _ => {
                let whose = self.one_of(&self.staff.quiet.clone());
                (whose, self.staff.members[whose].phone.clone(), self.day())
            }
        };
        let result = self.new_result();
        for _ in 0..=self.number(3) {
            let exam_score = self.score();
            let said = Said {
                result,
                whose: Some(whose),
                status: Status::Final,
                exam_score: Some(exam_score),
                revision: None,
                day,
                may_be_early: false,
            };
            self.say_by_phone(&phone, said);
        }
        if self.number(6) == 0 {
            let said = Said {
                result,
                whose: None,
                status: Status::Withdrawn,
                exam_score: None,
                revision: None,
                day,
                may_be_early: false,
            };
            self.say_by_phone(&phone, said);
        }
    }

    fn export(&mut self) {
        let whose = self.one_of(&self.staff.quiet.clone());
        let (result, day) = (self.new_result(), self.day());
        let scores = [self.score(), self.score()];
        for number in 0..=self.number(3) {
            let said = Said {
                result,
                whose: Some(whose),
                status: Status::Final,
                exam_score: Some(scores[number as usize % 2].clone()),
                revision: None,
                day,
                may_be_early: false,
            };
            self.say(Source::Export, said, 0);
        }
    }

    /// Two employees are named for one result: who comes first has it.
    fn other_owner(&mut self) {
        let (result, day) = (self.new_result(), self.day());
        let one = self.one_of(&self.staff.quiet.clone());
        let other = (one + 1) % self.staff.quiet.len();
        for (whose, revision) in [(one, 1), (other, 2)] {
            let said = self.final_score((result, day), (whose, revision));
            self.say(Source::Hall, said, 0);
        }
    }

    fn late(&mut self) {
        let whose = self.one_of(&self.staff.late.clone());
        let (result, day) = (self.new_result(), 200 + self.number(20) as u32);
        for revision in 1..=2 {
            let said = Said {
                may_be_early: true,
                ..self.final_score((result, day), (whose, revision))
            };
            self.say(Source::Hall, said, 0);
        }
    }

    fn final_score(&mut self, (result, day): (usize, u32), (whose, revision): (usize, i64)) -> Said {
        Said {
            result,
            whose: Some(whose),
            status: Status::Final,
            exam_score: Some(self.score()),
            revision: Some(revision),
            day,
            may_be_early: false,
        }
    }

    fn ambiguous(&mut self) {
        let [one, other] = self.one_of(&self.staff.sharing.clone());
        let (result, day) = (self.new_result(), self.day());
        let phone = self.staff.members[one].phone.clone();
        match self.number(3) {
            0 => self.set_aside_by_phone(&phone, (result, day), Reason::AmbiguousEmployee),
            1 => {
                let quiet = self.one_of(&self.staff.quiet.clone());
                let phone = self.staff.members[quiet].phone.clone();
                let number = self.staff.members[other].employee_no.clone();
                self.set_aside((&number, Some(&phone)), (result, day), Reason::ConflictingIdentity);
            }
            _ => {
                // A number that nobody has is not made good by a phone that somebody has.
                let quiet = self.one_of(&self.staff.quiet.clone());
                let phone = self.staff.members[quiet].phone.clone();
                self.set_aside(("NOBODY", Some(&phone)), (result, day), Reason::UnmatchedEmployee);
            }
        }
    }

    fn unreadable(&mut self) {
        let serial = self.serial();
        let employee_no = self.staff.members[self.staff.quiet[0]].employee_no.clone();
        let (bytes, reason) = match self.number(3) {
            0 => (format!("[\"{serial}\"]"), Reason::Unparsed),
            1 => (
                format!(
                    "{{\"流水号\":\"{serial}\",\"结果号\":\"{serial}\",\"工号\":\"{employee_no}\",\"课程编号\":\"C-1\",\"分数\":\"abc\",\"完成时间\":\"2025-03-01 09:00:00\",\"版本\":1}}"
                ),
                Reason::InvalidField,
            ),
            _ => (
                format!(
                    "{{\"流水号\":\"{serial}\",\"结果号\":\"{serial}\",\"工号\":\"{employee_no}\",\"课程编号\":\"C-1\",\"分数\":1,\"版本\":1}}"
                ),
                Reason::MissingField,
            ),
        };
        self.add(Row {
            serial,
            source: Source::Hall,
            truth: Truth::SetAside(reason),
            bytes: bytes.into_bytes(),
        });
    }

    fn new_result(&mut self) -> usize {
        self.results += 1;
        self.results - 1
    }

    /// A day before the change (below 100), or after it.
    fn day(&mut self) -> u32 {
        self.one_of(&[10_u32, 20, 60, 110, 150, 200])
    }

    fn serial(&self) -> String {
        format!("R{:06}", self.rows.len())
    }

    fn say(&mut self, source: Source, said: Said, remark: usize) {
        let serial = self.serial();
        let employee_no = said.whose.map(|whose| self.staff.members[whose].employee_no.clone());
        let bytes = match source {
            Source::Hall => hall_row(&serial, &said, (employee_no.as_deref(), None), remark),
            Source::Booth | Source::Export => export_row(&serial, &said, employee_no.as_deref()),
        };
        let truth = Truth::Said(said);
        self.add(Row {
            serial,
            source,
            truth,
            bytes,
        });
    }

    fn say_by_phone(&mut self, phone: &str, said: Said) {
        let serial = self.serial();
        let bytes = booth_row(&serial, &said, phone);
        let truth = Truth::Said(said);
        self.add(Row {
            serial,
            source: Source::Booth,
            truth,
            bytes,
        });
    }

    fn set_aside(&mut self, (employee_no, phone): (&str, Option<&str>), (result, day): (usize, u32), reason: Reason) {
        let serial = self.serial();
        let bytes = hall_row(&serial, &nothing_special(result, day), (Some(employee_no), phone), 0);
        self.add(Row {
            serial,
            source: Source::Hall,
            truth: Truth::SetAside(reason),
            bytes,
        });
    }

    fn set_aside_by_phone(&mut self, phone: &str, (result, day): (usize, u32), reason: Reason) {
        let serial = self.serial();
        let bytes = booth_row(&serial, &nothing_special(result, day), phone);
        self.add(Row {
            serial,
            source: Source::Booth,
            truth: Truth::SetAside(reason),
            bytes,
        });
    }

    /// One row in ten is sent twice.
    fn add(&mut self, row: Row) {
        let number = self.rows.len();
        self.rows.push(row);
        self.order.push(number);
        if self.number(10) == 0 {
            self.order.push(number);
        }
    }
}

fn nothing_special(result: usize, day: u32) -> Said {
    Said {
        result,
        whose: None,
        status: Status::Final,
        exam_score: Some("77".to_owned()),
        revision: Some(1),
        day,
        may_be_early: false,
    }
}
