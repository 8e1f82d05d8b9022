//! The stories of `academy`: JSON, employees by number, revisions, retries. See `examples/scoresync.toml` for how it is read.

use chrono::NaiveDateTime;
use scoresync_domain::Reason;

use super::{
    calendar,
    people::Person,
    row::{Cell, Row},
    story::Story,
    teller::{Course, Teller},
};

/// A kind of story, and who tells it.
pub(super) type Kind = (&'static str, fn(&mut Teller<'_>) -> Story);

/// What fills the company between the dirty cases.
pub(super) const COMMON: &[Kind] = &[
    ("an ordinary result", ordinary),
    ("an ordinary result", ordinary),
    ("an ordinary result", ordinary),
    ("redelivered", redelivered),
    ("corrections in order", corrections_in_order),
    ("corrections out of order", corrections_out_of_order),
];

/// What occurs at least as often as the company promises.
pub(super) const DIRTY: &[Kind] = &[
    ("redelivered", redelivered),
    ("corrections in order", corrections_in_order),
    ("corrections out of order", corrections_out_of_order),
    ("provisional, then final", provisional_then_final),
    ("withdrawn afterwards", withdrawn_afterwards),
    ("withdrawn before the score arrives", withdrawn_before),
    ("withdrawn without a revision", withdrawn_without_revision),
    ("withdrawn, then valid again", withdrawal_taken_back),
    ("withdrawn and never reported", withdrawn_and_never_reported),
    ("a score of zero", zero),
    ("corrected to zero", corrected_to_zero),
    ("an empty score", empty_score),
    ("an unknown employee number", unknown_number),
    ("number and phone of different people", conflicting_phone),
    ("a shared phone beside the number", shared_phone_beside_number),
    ("full-width digits", full_width),
    ("the old number of a renumbered employee", old_number),
    ("a leaver, by number", leaver),
    ("an impossible time", impossible_time),
    ("a score that is no number", no_number),
    ("a key that occurs twice", duplicate_key),
    ("two names with different values", two_names),
    ("a missing field", missing_field),
    ("an unknown status", unknown_status),
    ("more than six decimal places", rounded),
    ("damaged, then sent properly", mended),
    ("a row that is no object", no_object),
    ("a control character in a text", control_character),
];

/// A result that nothing is wrong with, at some time after the change.
pub(super) fn ordinary_row<'a>(teller: &mut Teller<'a>) -> (&'a str, Row) {
    let (person, row) = report(teller);
    (person.last_employee_no(), row)
}

/// A good report about a new result of somebody quiet.
fn report<'a>(teller: &mut Teller<'a>) -> (&'a Person, Row) {
    let person = teller.anybody();
    let time = calendar::any_time(&mut teller.dice);
    (person, row_of(teller, person, &person.employee_no, time))
}

fn row_of(teller: &mut Teller<'_>, person: &Person, employee_no: &str, time: NaiveDateTime) -> Row {
    let (Course { id, title }, attempt) = teller.next_attempt(employee_no);
    let time_pattern = if teller.dice.heads() {
        "%Y-%m-%d %H:%M:%S"
    } else {
        "%Y/%m/%d %H:%M:%S"
    };
    let mut row = Row::new(vec![
        ("employee_no", employee_no.into()),
        ("employee_name", person.name.as_str().into()),
        ("course_id", id.into()),
        ("course_title", title.into()),
        ("exam_id", id.replacen('C', "X", 1).into()),
        ("attempt", Cell::Number(attempt.to_string())),
        ("exam_score", score(&teller.dice.score())),
        ("max_score", score("100")),
        ("finish_timestamp", time.format(time_pattern).to_string().into()),
        ("revision", revision(1)),
    ]);
    row.in_chinese = teller.dice.heads();
    if teller.dice.heads() {
        let status = if row.in_chinese { "有效" } else { "final" };
        row = row.with("status", status);
    }
    row
}

fn score(text: &str) -> Cell {
    Cell::Number(text.to_owned())
}

fn revision(number: u32) -> Cell {
    Cell::Number(number.to_string())
}

/// The row as its `number`th revision with this score.
fn revised(row: &Row, number: u32, exam_score: &str) -> Row {
    row.clone().with("revision", revision(number)).with("exam_score", score(exam_score))
}

/// What a withdrawal knows: the result and nothing else.
fn withdrawal(row: &Row) -> Row {
    let withdrawal = row
        .clone()
        .with_only(&["employee_no", "course_id", "exam_id", "attempt", "revision"]);
    withdrawal.with("status", if row.in_chinese { "作废" } else { "withdrawn" })
}

fn ordinary(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let exam_score = teller.dice.score();
    let row = row.with("exam_score", score(&exam_score));
    Story::default().filed(&row).stands(&person.employee_no, &exam_score)
}

fn redelivered(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let exam_score = teller.dice.score();
    let row = revised(&row, 1, &exam_score);
    let as_text = row.clone().with("exam_score", format!("{exam_score}.0").replace(".5.0", ".50"));
    let story = Story::default().filed(&row).repeated(&row).repeated(&as_text);
    story.stands(&person.employee_no, &exam_score)
}

fn corrections_in_order(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second, third] = teller.dice.scores();
    let story = Story::default().filed(&revised(&row, 1, &first)).filed(&revised(&row, 2, &second));
    let story = story.repeated(&revised(&row, 1, &first)).filed(&revised(&row, 5, &third));
    story.stands(&person.employee_no, &third)
}

fn corrections_out_of_order(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second, third] = teller.dice.scores();
    let story = Story::default().filed(&revised(&row, 2, &second)).filed(&revised(&row, 3, &third));
    let story = story.superseded(&revised(&row, 1, &first)).repeated(&revised(&row, 2, &second));
    story.stands(&person.employee_no, &third)
}

fn provisional_then_final(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second, third] = teller.dice.scores();
    let status = if row.in_chinese { "暂定" } else { "provisional" };
    let provisional = |number, exam_score: &str| revised(&row, number, exam_score).with("status", status);
    let story = Story::default().filed(&provisional(1, &first)).filed(&revised(&row, 2, &second));
    let story = story.superseded(&provisional(3, &third));
    story.stands(&person.employee_no, &second)
}

fn withdrawn_afterwards(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [exam_score] = teller.dice.scores();
    let withdrawn = withdrawal(&row).with("revision", revision(2));
    let story = Story::default()
        .filed(&revised(&row, 1, &exam_score))
        .filed(&withdrawn)
        .repeated(&withdrawn);
    story.stands_withdrawn(&person.employee_no, &exam_score)
}

/// The score still comes to be shown, and says whose the record is: it changes the record.
fn withdrawn_before(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [older, exam_score] = teller.dice.scores();
    let withdrawn = withdrawal(&row).with("revision", revision(9));
    let story = Story::default().filed(&withdrawn).filed(&revised(&row, 2, &exam_score));
    let story = story.superseded(&revised(&row, 1, &older));
    story.stands_withdrawn(&person.employee_no, &exam_score)
}

/// It outranks every revision; a newer one changes what the withdrawn record shows.
fn withdrawn_without_revision(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second] = teller.dice.scores();
    let withdrawn = withdrawal(&row).without("revision");
    let story = Story::default().filed(&revised(&row, 1, &first)).filed(&withdrawn);
    let story = story.filed(&revised(&row, 2, &second)).repeated(&withdrawn);
    story.stands_withdrawn(&person.employee_no, &second)
}

fn withdrawal_taken_back(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second] = teller.dice.scores();
    let withdrawn = withdrawal(&row).with("revision", revision(2));
    let story = Story::default().filed(&revised(&row, 1, &first)).filed(&withdrawn);
    story.filed(&revised(&row, 3, &second)).stands(&person.employee_no, &second)
}

fn withdrawn_and_never_reported(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let withdrawn = withdrawal(&row);
    Story::default().filed(&withdrawn).repeated(&withdrawn)
}

fn zero(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let written = teller.dice.one_of(&["0", "0.0", "0.00"]);
    Story::default().filed(&revised(&row, 1, written)).stands(&person.employee_no, "0")
}

fn corrected_to_zero(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [exam_score] = teller.dice.scores();
    let story = Story::default().filed(&revised(&row, 1, &exam_score)).filed(&revised(&row, 2, "0"));
    story.stands(&person.employee_no, "0")
}

fn empty_score(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let empty = match teller.dice.index(4) {
        0 => row.with("exam_score", ""),
        1 => row.with("exam_score", "-"),
        2 => row.with("exam_score", Cell::Null),
        _ => row.without("exam_score"),
    };
    Story::default().set_aside(&empty, Reason::MissingField)
}

fn unknown_number(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let nobody = teller.nobody();
    let row = row.with("employee_no", nobody);
    Story::default()
        .set_aside(&row, Reason::UnmatchedEmployee)
        .set_aside(&row, Reason::UnmatchedEmployee)
}

fn conflicting_phone(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let mut other = teller.anybody();
    while other.employee_no == person.employee_no {
        other = teller.anybody();
    }
    let row = row.with("phone", other.phone.as_str());
    Story::default().set_aside(&row, Reason::ConflictingIdentity)
}

/// The number decides; a phone that is also somebody else's does not speak against it.
fn shared_phone_beside_number(teller: &mut Teller<'_>) -> Story {
    let [person, _] = teller.one_of(&teller.people.sharing);
    let time = calendar::any_time(&mut teller.dice);
    let [exam_score] = teller.dice.scores();
    let row = row_of(teller, person, &person.employee_no, time).with("phone", person.phone.as_str());
    Story::default()
        .filed(&revised(&row, 1, &exam_score))
        .stands(&person.employee_no, &exam_score)
}

fn full_width(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [exam_score] = teller.dice.scores();
    let row = revised(&row, 1, &exam_score);
    let wide = row
        .clone()
        .with("employee_no", widened(&person.employee_no))
        .with("exam_score", widened(&exam_score));
    Story::default()
        .filed(&wide)
        .repeated(&row)
        .stands(&person.employee_no, &exam_score)
}

/// The same text in full-width forms, which follow ASCII in their block of Unicode.
pub(super) fn widened(text: &str) -> String {
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xFEE0).unwrap_or(letter);
    text.chars()
        .map(|letter| if letter.is_ascii_graphic() { wide(letter) } else { letter })
        .collect()
}

fn old_number(teller: &mut Teller<'_>) -> Story {
    let person = teller.one_of(&teller.people.renumbered);
    let time = calendar::any_time(&mut teller.dice);
    let [first, second] = teller.dice.scores();
    let row = row_of(teller, person, &person.employee_no, time);
    let story = Story::default().filed(&revised(&row, 1, &first)).filed(&revised(&row, 2, &second));
    story.stands(person.last_employee_no(), &second)
}

fn leaver(teller: &mut Teller<'_>) -> Story {
    let person = teller.one_of(&teller.people.leavers);
    let time = calendar::before_the_change(&mut teller.dice);
    let [exam_score] = teller.dice.scores();
    let row = row_of(teller, person, &person.employee_no, time);
    Story::default()
        .filed(&revised(&row, 1, &exam_score))
        .stands(&person.employee_no, &exam_score)
}

fn impossible_time(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let times = [
        "2025-02-30 10:00:00",
        "2025-13-01 10:00:00",
        "昨天",
        "1969-07-20 20:17:40",
        "2999-01-01 00:00:00",
        "20250301",
    ];
    let row = row.with("finish_timestamp", teller.dice.one_of(&times));
    Story::default().set_aside(&row, Reason::InvalidField)
}

fn no_number(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let row = row.with(
        "exam_score",
        teller.dice.one_of(&["abc", "85,5", "NaN", "优", "8 5", "缺考", "1,000"]),
    );
    Story::default().set_aside(&row, Reason::InvalidField)
}

fn duplicate_key(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let [one, other] = teller.dice.scores();
    let row = revised(&row, 1, &one).with_second("exam_score", score(&other));
    Story::default().set_aside(&row, Reason::AmbiguousField)
}

fn two_names(teller: &mut Teller<'_>) -> Story {
    let (_, mut row) = report(teller);
    row.in_chinese = true;
    let [one, other] = teller.dice.scores();
    let row = revised(&row, 1, &one).with_second("raw:exam_score", score(&other));
    Story::default().set_aside(&row, Reason::AmbiguousField)
}

fn missing_field(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let missing = ["employee_no", "course_id", "exam_id", "attempt", "finish_timestamp", "revision"];
    let row = row.without(teller.dice.one_of(&missing));
    Story::default().set_aside(&row, Reason::MissingField)
}

fn unknown_status(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    Story::default().set_aside(&row.with("status", "待定"), Reason::InvalidField)
}

fn rounded(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let (written, half_even) = teller
        .dice
        .one_of(&[("85.1234565", "85.123456"), ("85.1234575", "85.123458"), ("71.00000049", "71")]);
    Story::default()
        .filed(&revised(&row, 1, written))
        .stands(&person.employee_no, half_even)
}

fn mended(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [exam_score] = teller.dice.scores();
    let damaged = row.clone().with("exam_score", "8o");
    let story = Story::default()
        .set_aside(&damaged, Reason::InvalidField)
        .filed(&revised(&row, 1, &exam_score));
    story.stands(&person.employee_no, &exam_score)
}

fn no_object(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let in_a_list: fn(Vec<u8>) -> Vec<u8> = |bytes| [b"[".as_slice(), &bytes, b"]"].concat();
    Story::default().set_aside(&row.damaged(in_a_list), Reason::Unparsed)
}

fn control_character(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let with_bell: fn(Vec<u8>) -> Vec<u8> = |mut bytes| {
        // Every row begins with a bracket and the quotation mark of its first name.
        bytes.insert(2, 7);
        bytes
    };
    Story::default().set_aside(&row.damaged(with_bell), Reason::Unparsed)
}
