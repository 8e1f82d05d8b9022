//! The stories of `skills`: XML, employees by phone, a result id of its own, no revisions. See `examples/scoresync.toml`.

use chrono::NaiveDateTime;
use scoresync_domain::Reason;

use super::{
    academy::{Kind, widened},
    calendar,
    people::Person,
    row::Row,
    story::Story,
    teller::Teller,
};

/// What fills the company between the dirty cases.
pub(super) const COMMON: &[Kind] = &[
    ("an ordinary result", ordinary),
    ("an ordinary result", ordinary),
    ("an ordinary result", ordinary),
    ("redelivered", redelivered),
    ("corrected", corrected),
    ("a phone in many spellings", phone_spellings),
];

/// What occurs at least as often as the company promises.
pub(super) const DIRTY: &[Kind] = &[
    ("redelivered", redelivered),
    ("corrected", corrected),
    ("a phone in many spellings", phone_spellings),
    ("a shared phone", shared_phone),
    ("a recycled phone, before it changed hands", recycled_phone_before),
    ("a recycled phone, after it changed hands", recycled_phone_after),
    ("a correction that names another employee", owner_changed),
    ("a leaver's phone, exam before leaving", leaver_before),
    ("a leaver's phone, exam after leaving", leaver_after),
    ("the phone of a renumbered employee", renumbered),
    ("an unknown phone", unknown_phone),
    ("withdrawn afterwards", withdrawn_afterwards),
    ("withdrawn, then reported", withdrawn_then_reported),
    ("provisional, then final", provisional_then_final),
    ("a score of zero", zero),
    ("an empty score", empty_score),
    ("an impossible time", impossible_time),
    ("a score that is no number", no_number),
    ("an element that occurs twice", duplicate_element),
    ("a missing field", missing_field),
    ("a reference to nothing", undefined_entity),
];

/// A report about a new result of the one who had the phone at that time.
fn report(teller: &mut Teller<'_>, person: &Person, phone: &str, time: NaiveDateTime) -> Row {
    let number = teller.next_result();
    let (course, _) = teller.next_attempt(&person.employee_no);
    let exam_score = teller.dice.score();
    Row::new(vec![
        ("result_id", format!("SK-{number:06}").into()),
        ("phone", phone.into()),
        ("employee_name", person.name.as_str().into()),
        ("course_id", course.id.into()),
        ("course_title", course.title.into()),
        ("exam_score", exam_score.into()),
        ("max_score", "100".into()),
        ("finish_timestamp", time.format("%Y-%m-%dT%H:%M:%S+08:00").to_string().into()),
        ("status", "final".into()),
    ])
}

fn quiet_report<'a>(teller: &mut Teller<'a>) -> (&'a Person, Row) {
    let person = teller.anybody();
    let time = calendar::any_time(&mut teller.dice);
    (person, report(teller, person, &person.phone, time))
}

fn scored(row: &Row, exam_score: &str) -> Row {
    row.clone().with("exam_score", exam_score)
}

fn withdrawal(row: &Row) -> Row {
    row.clone().with_only(&["result_id"]).with("status", "withdrawn")
}

/// One good report that somebody must have in their file.
fn filed_for(employee_no: &str, teller: &mut Teller<'_>, row: &Row) -> Story {
    let [exam_score] = teller.dice.scores();
    Story::default().filed(&scored(row, &exam_score)).stands(employee_no, &exam_score)
}

fn ordinary(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    filed_for(&person.employee_no, teller, &row)
}

fn redelivered(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    let [exam_score] = teller.dice.scores();
    let row = scored(&row, &exam_score);
    Story::default()
        .filed(&row)
        .repeated(&row)
        .repeated(&row)
        .stands(&person.employee_no, &exam_score)
}

/// What is said again after a correction is a retry, not a change of mind: the source says `repeat = "redelivery"`.
fn corrected(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    let [first, second] = teller.dice.scores();
    let story = Story::default().filed(&scored(&row, &first)).filed(&scored(&row, &second));
    story.repeated(&scored(&row, &first)).stands(&person.employee_no, &second)
}

fn phone_spellings(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    let [exam_score] = teller.dice.scores();
    let row = scored(&row, &exam_score);
    let phone = &person.phone;
    let grouped = format!("+86 {} {} {}", &phone[..3], &phone[3..7], &phone[7..]);
    let spellings = [
        grouped,
        format!("0086{phone}"),
        format!("+86-{phone}"),
        widened(phone),
        format!(" {phone} "),
    ];
    let spelt = |spelling: &String| row.clone().with("phone", spelling.as_str());
    let mut story = Story::default().filed(&row);
    for spelling in &spellings {
        story = story.repeated(&spelt(spelling));
    }
    story.stands(&person.employee_no, &exam_score)
}

fn shared_phone(teller: &mut Teller<'_>) -> Story {
    let [person, _] = teller.one_of(&teller.people.sharing);
    let time = calendar::any_time(&mut teller.dice);
    let row = report(teller, person, &person.phone, time);
    Story::default().set_aside(&row, Reason::AmbiguousEmployee)
}

fn recycled_phone_before(teller: &mut Teller<'_>) -> Story {
    let [leaver, _] = teller.one_of(&teller.people.handing_over);
    let time = calendar::before_the_change(&mut teller.dice);
    let row = report(teller, leaver, &leaver.phone, time);
    filed_for(&leaver.employee_no, teller, &row)
}

fn recycled_phone_after(teller: &mut Teller<'_>) -> Story {
    let [_, heir] = teller.one_of(&teller.people.handing_over);
    let time = calendar::after_the_change(&mut teller.dice);
    let row = report(teller, heir, &heir.later_phone, time);
    filed_for(&heir.employee_no, teller, &row)
}

/// The correction moves the exam to a day when the phone was somebody else's.
fn owner_changed(teller: &mut Teller<'_>) -> Story {
    let [leaver, _] = teller.one_of(&teller.people.handing_over);
    let time = calendar::before_the_change(&mut teller.dice);
    let later = calendar::after_the_change(&mut teller.dice);
    let [first, second] = teller.dice.scores();
    let row = scored(&report(teller, leaver, &leaver.phone, time), &first);
    let moved = scored(&row, &second).with("finish_timestamp", later.format("%Y-%m-%dT%H:%M:%S+08:00").to_string());
    Story::default().filed(&row).refused(&moved).stands(&leaver.employee_no, &first)
}

fn leaver_before(teller: &mut Teller<'_>) -> Story {
    let person = teller.one_of(&teller.people.leavers);
    let time = calendar::before_the_change(&mut teller.dice);
    let row = report(teller, person, &person.phone, time);
    filed_for(&person.employee_no, teller, &row)
}

fn leaver_after(teller: &mut Teller<'_>) -> Story {
    let person = teller.one_of(&teller.people.leavers);
    let time = calendar::after_the_change(&mut teller.dice);
    let row = report(teller, person, &person.phone, time);
    Story::default().set_aside(&row, Reason::UnmatchedEmployee)
}

fn renumbered(teller: &mut Teller<'_>) -> Story {
    let person = teller.one_of(&teller.people.renumbered);
    let time = calendar::any_time(&mut teller.dice);
    let row = report(teller, person, &person.phone, time);
    filed_for(person.last_employee_no(), teller, &row)
}

fn unknown_phone(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let nobodys = format!("1990001{:04}", teller.dice.number(0..10_000));
    Story::default().set_aside(&row.with("phone", nobodys), Reason::UnmatchedEmployee)
}

fn withdrawn_afterwards(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    let [exam_score] = teller.dice.scores();
    let row = scored(&row, &exam_score);
    let story = Story::default().filed(&row).filed(&withdrawal(&row)).repeated(&row);
    story.stands_withdrawn(&person.employee_no, &exam_score)
}

/// Without revisions what was said last counts.
fn withdrawn_then_reported(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    let [exam_score] = teller.dice.scores();
    let row = scored(&row, &exam_score);
    let story = Story::default().filed(&withdrawal(&row)).filed(&row).repeated(&withdrawal(&row));
    story.stands(&person.employee_no, &exam_score)
}

fn provisional_then_final(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    let [first, second, third] = teller.dice.scores();
    let provisional = |exam_score: &str| scored(&row, exam_score).with("status", "provisional");
    let story = Story::default().filed(&provisional(&first)).filed(&scored(&row, &second));
    story.superseded(&provisional(&third)).stands(&person.employee_no, &second)
}

fn zero(teller: &mut Teller<'_>) -> Story {
    let (person, row) = quiet_report(teller);
    Story::default().filed(&scored(&row, "0")).stands(&person.employee_no, "0")
}

fn empty_score(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let empty = if teller.dice.heads() {
        scored(&row, "")
    } else {
        row.without("exam_score")
    };
    Story::default().set_aside(&empty, Reason::MissingField)
}

fn impossible_time(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let times = [
        "2025-02-30T10:00:00+08:00",
        "2025-03-01T25:00:00+08:00",
        "2999-01-01T00:00:00Z",
        "soon",
        "1931-05-01T12:00:00Z",
    ];
    let row = row.with("finish_timestamp", teller.dice.one_of(&times));
    Story::default().set_aside(&row, Reason::InvalidField)
}

fn no_number(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let row = scored(&row, teller.dice.one_of(&["abc", "85,5", "INF", "85.5.1", "A+"]));
    Story::default().set_aside(&row, Reason::InvalidField)
}

fn duplicate_element(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let [one, other] = teller.dice.scores();
    let row = scored(&row, &one).with_second("exam_score", other);
    Story::default().set_aside(&row, Reason::AmbiguousField)
}

fn missing_field(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let row = row.without(teller.dice.one_of(&["result_id", "phone", "course_id", "finish_timestamp"]));
    Story::default().set_aside(&row, Reason::MissingField)
}

fn undefined_entity(teller: &mut Teller<'_>) -> Story {
    let (_, row) = quiet_report(teller);
    let with_entity: fn(Vec<u8>) -> Vec<u8> = |bytes| String::from_utf8_lossy(&bytes).replace("<phone>", "<phone>&nbsp;").into_bytes();
    Story::default().set_aside(&row.damaged(with_entity), Reason::Unparsed)
}
