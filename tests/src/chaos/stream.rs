//! What is sent: stories about results, each row with its truth, out of order within a window, in bodies and files; and bytes that are no reports.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use scoresync_domain::{Reason, Status};

use super::staff::Staff;

/// How far a row can be moved from its place.
const WINDOW: u64 = 1_000;
/// Rows of one body.
const LARGEST_BODY: u64 = 30;
/// Bytes of the remark that makes a row large.
const LARGE: usize = 180_000;

/// Which source says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Hall,
    Booth,
    Export,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hall => "hall",
            Self::Booth => "booth",
            Self::Export => "export",
        }
    }
}

/// What a row says of a result, as its author means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) result: usize,
    /// Nobody in a withdrawal.
    pub(super) whose: Option<usize>,
    pub(super) status: Status,
    pub(super) exam_score: Option<String>,
    pub(super) revision: Option<i64>,
    pub(super) day: u32,
    /// Whether the employee may not be known yet when it is mapped.
    pub(super) may_be_early: bool,
}

/// What must become of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Said(Said),
    SetAside(Reason),
}

/// A row, which its serial tells from all others; one that is repeated has the same serial again.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) serial: String,
    pub(super) source: Source,
    pub(super) truth: Truth,
    pub(super) bytes: Vec<u8>,
}

/// A body or a file.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) source: Source,
    pub(super) body: Vec<u8>,
    /// Numbers of rows.
    pub(super) rows: Vec<usize>,
}

/// A record that a foreign client writes.
#[derive(Clone, Debug)]
pub(super) struct Poison {
    pub(super) key: String,
    pub(super) value: Option<Vec<u8>>,
    pub(super) reason: Reason,
}

/// Everything that is sent in a round.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(super) rows: Vec<Row>,
    pub(super) parcels: Vec<Parcel>,
    pub(super) poison: Vec<Poison>,
}

impl Stream {
    /// About so many rows; the same for the same seed. `valid` is a framed report of no source that is known.
    #[must_use]
    pub fn generate(seed: u64, staff: &Staff, size: usize, valid: &[u8]) -> Self {
        let mut author = Author {
            staff,
            dice: Xoshiro256PlusPlus::seed_from_u64(seed),
            rows: Vec::new(),
            order: Vec::new(),
            results: 0,
        };
        while author.order.len() < size {
            author.tell();
        }
        author.shuffle();
        let parcels = author.pack();
        let poison = (0..size / 50).map(|number| author.poison(number, valid)).collect();
        Self {
            rows: author.rows,
            parcels,
            poison,
        }
    }
}

struct Author<'a> {
    staff: &'a Staff,
    dice: Xoshiro256PlusPlus,
    rows: Vec<Row>,
    /// Numbers of rows in the order in which they are sent.
    order: Vec<usize>,
    results: usize,
}

impl Author<'_> {
    fn number(&mut self, below: u64) -> u64 {
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
    fn tell(&mut self) {
        match self.number(20) {
            0..=7 => self.hall(),
            8..=12 => self.booth(),
            13..=15 => self.export(),
            16 => self.other_owner(),
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
            let exam_score = Some(self.score());
            let said = Said {
                result,
                whose: Some(whose),
                status: Status::Final,
                exam_score,
                revision: Some(revision),
                day,
                may_be_early: false,
            };
            self.say(Source::Hall, said, 0);
        }
    }

    fn late(&mut self) {
        let whose = self.one_of(&self.staff.late.clone());
        let (result, day) = (self.new_result(), 200 + self.number(20) as u32);
        for revision in 1..=2 {
            let exam_score = Some(self.score());
            let said = Said {
                result,
                whose: Some(whose),
                status: Status::Final,
                exam_score,
                revision: Some(revision),
                day,
                may_be_early: true,
            };
            self.say(Source::Hall, said, 0);
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

    fn shuffle(&mut self) {
        let mut places: Vec<(u64, usize)> = Vec::with_capacity(self.order.len());
        for (place, number) in std::mem::take(&mut self.order).into_iter().enumerate() {
            places.push((place as u64 + self.number(WINDOW), number));
        }
        places.sort_by_key(|(place, _)| *place);
        self.order = places.into_iter().map(|(_, number)| number).collect();
    }

    fn pack(&mut self) -> Vec<Parcel> {
        let mut open: [Vec<usize>; 3] = Default::default();
        let mut parcels = Vec::new();
        for number in self.order.clone() {
            let source = self.rows[number].source;
            let size = if source == Source::Export {
                60
            } else {
                1 + self.number(LARGEST_BODY)
            };
            let rows = &mut open[source as usize];
            rows.push(number);
            if rows.len() as u64 >= size {
                let rows = std::mem::take(rows);
                parcels.push(self.parcel(source, rows));
            }
        }
        for source in [Source::Hall, Source::Booth, Source::Export] {
            let rows = std::mem::take(&mut open[source as usize]);
            if !rows.is_empty() {
                parcels.push(self.parcel(source, rows));
            }
        }
        parcels
    }

    fn parcel(&self, source: Source, rows: Vec<usize>) -> Parcel {
        let bytes = rows.iter().map(|number| self.rows[*number].bytes.as_slice());
        let body = match source {
            Source::Hall => [b"[", bytes.collect::<Vec<_>>().join(&b",\n"[..]).as_slice(), b"]"].concat(),
            Source::Booth => [b"<records>", bytes.collect::<Vec<_>>().concat().as_slice(), b"</records>"].concat(),
            Source::Export => [EXPORT_HEADER, bytes.collect::<Vec<_>>().concat().as_slice()].concat(),
        };
        Parcel { source, body, rows }
    }

    fn poison(&mut self, number: usize, valid: &[u8]) -> Poison {
        let cut = 6 + self.number(valid.len() as u64 - 6) as usize;
        let (value, reason) = match self.number(6) {
            0 => (Some(valid[..cut].to_vec()), Reason::Undecodable),
            1 => (Some([valid, b"x"].concat()), Reason::Undecodable),
            2 => (Some([&[7], &valid[1..]].concat()), Reason::Undecodable),
            3 => (Some([&[0, 0x7f, 0x7f, 0x7f, 0x7f], &valid[5..]].concat()), Reason::UnknownSchema),
            4 => (Some(Vec::new()), Reason::Undecodable),
            _ => (None, Reason::Undecodable),
        };
        Poison {
            key: format!("poison-{number}"),
            value,
            reason,
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

const EXPORT_HEADER: &[u8] = b"serial,result_id,employee_no,course_id,exam_score,finish_timestamp\n";

/// Days below 100 are before phones changed hands, the others after it.
fn time(day: u32) -> String {
    let month = if day < 100 { 2 } else { 8 };
    format!("2025-{:02}-{:02} 09:30:00", month + (day % 100) / 28, 1 + day % 28)
}

fn hall_row(serial: &str, said: &Said, (employee_no, phone): (Option<&str>, Option<&str>), remark: usize) -> Vec<u8> {
    let mut row = serde_json::Map::new();
    let mut set = |name: &str, value: serde_json::Value| drop(row.insert(name.to_owned(), value));
    set("流水号", serial.into());
    set("结果号", format!("H{}", said.result).into());
    if let Some(employee_no) = employee_no {
        set("工号", employee_no.into());
    }
    if let Some(phone) = phone {
        set("手机号", phone.into());
    }
    if said.status != Status::Withdrawn {
        set("课程编号", "C-1".into());
        set("分数", said.exam_score.clone().into());
        set("完成时间", time(said.day).into());
    }
    set("版本", said.revision.into());
    let status = match said.status {
        Status::Final => "有效",
        Status::Provisional => "暂定",
        Status::Withdrawn => "作废",
    };
    set("状态", status.into());
    if remark > 0 {
        set("备注", "长".repeat(remark / 3).into());
    }
    serde_json::Value::Object(row).to_string().into_bytes()
}

fn booth_row(serial: &str, said: &Said, phone: &str) -> Vec<u8> {
    let score = said.exam_score.as_deref().unwrap_or_default();
    let rest = match said.status {
        Status::Withdrawn => "<status>withdrawn</status>".to_owned(),
        Status::Final | Status::Provisional => format!(
            "<phone>{phone}</phone><course_id>C-2</course_id><exam_score>{score}</exam_score><finish_timestamp>{}</finish_timestamp>",
            time(said.day)
        ),
    };
    format!(
        "<record><serial>{serial}</serial><result_id>B{}</result_id>{rest}</record>\n",
        said.result
    )
    .into_bytes()
}

fn export_row(serial: &str, said: &Said, employee_no: Option<&str>) -> Vec<u8> {
    let (employee_no, score) = (employee_no.unwrap_or_default(), said.exam_score.as_deref().unwrap_or_default());
    format!("{serial},E{},{employee_no},C-3,{score},{}\n", said.result, time(said.day)).into_bytes()
}
