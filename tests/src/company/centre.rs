//! The stories of `centre`: a CSV file in GB18030, employees by number and name, what is said last counts. See `examples/scoresync.toml`.

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
    ("exported again", exported_again),
];

/// What occurs at least as often as the company promises.
pub(super) const DIRTY: &[Kind] = &[
    ("exported again", exported_again),
    ("corrected", corrected),
    ("a correction that returns to an earlier value", returned),
    ("a score that is cleared", cleared),
    ("a score that comes after an empty one", filled_in),
    ("a score of zero", zero),
    ("another person's name", another_name),
    ("a name in another spelling", spelt_otherwise),
    ("an unknown employee number", unknown_number),
    ("full-width digits", full_width),
    ("a score with its unit", with_unit),
    ("an impossible date", impossible_date),
    ("a score that is no number", no_number),
    ("a missing field", missing_field),
    ("a row that is too long", too_long),
    ("a row that is too short", too_short),
    ("bytes that are no GB18030", no_gb18030),
    ("text behind a closing quote", text_after_quote),
];

fn report<'a>(teller: &mut Teller<'a>) -> (&'a Person, Row) {
    let (person, course) = teller.untold();
    let date = calendar::any_time(&mut teller.dice).format("%Y/%m/%d").to_string();
    let row = Row::new(vec![
        ("employee_no", person.employee_no.as_str().into()),
        ("employee_name", person.name.as_str().into()),
        ("department", person.department.into()),
        ("course_id", course.id.into()),
        ("course_title", course.title.into()),
        ("exam_score", "".into()),
        ("passed", "".into()),
        ("finish_timestamp", date.into()),
    ]);
    (person, row)
}

/// The row with a score, and whether that is enough.
fn scored(row: &Row, exam_score: &str) -> Row {
    let passed = exam_score.trim_end_matches('分').parse::<f64>().is_ok_and(|points| points >= 60.0);
    row.clone()
        .with("exam_score", exam_score)
        .with("passed", if passed { "合格" } else { "不合格" })
}

fn ordinary(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let exam_score = teller.dice.score();
    Story::default()
        .filed(&scored(&row, &exam_score))
        .stands(&person.employee_no, &exam_score)
}

fn exported_again(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let story = Story::default().filed(&scored(&row, "85.50")).repeated(&scored(&row, "85.5"));
    story.repeated(&scored(&row, "85.50")).stands(&person.employee_no, "85.5")
}

fn corrected(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second] = teller.dice.scores();
    Story::default()
        .filed(&scored(&row, &first))
        .filed(&scored(&row, &second))
        .stands(&person.employee_no, &second)
}

fn returned(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [first, second] = teller.dice.scores();
    let story = Story::default().filed(&scored(&row, &first)).filed(&scored(&row, &second));
    story.returned(&scored(&row, &first)).stands(&person.employee_no, &first)
}

fn cleared(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [exam_score] = teller.dice.scores();
    Story::default()
        .filed(&scored(&row, &exam_score))
        .filed(&row)
        .stands_without_score(&person.employee_no)
}

fn filled_in(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let [exam_score] = teller.dice.scores();
    let empty = row.clone().with("exam_score", "-");
    Story::default()
        .filed(&empty)
        .repeated(&row)
        .filed(&scored(&row, &exam_score))
        .stands(&person.employee_no, &exam_score)
}

fn zero(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    Story::default().filed(&scored(&row, "0")).stands(&person.employee_no, "0")
}

fn another_name(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let row = scored(&row, "77").with("employee_name", "无名氏");
    Story::default().set_aside(&row, Reason::ConflictingIdentity)
}

/// Spaces, middle dots and case do not make another name.
fn spelt_otherwise(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let spelling = person.name.replace('·', "・").replace(' ', "").to_uppercase() + " ";
    let row = scored(&row, "77").with("employee_name", spelling);
    Story::default().filed(&row).stands(&person.employee_no, "77")
}

fn unknown_number(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let nobody = teller.nobody();
    Story::default().set_aside(&scored(&row, "77").with("employee_no", nobody), Reason::UnmatchedEmployee)
}

fn full_width(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    let row = scored(&row, "66.5");
    let wide = row
        .clone()
        .with("employee_no", widened(&person.employee_no))
        .with("exam_score", widened("66.5"));
    Story::default().filed(&wide).repeated(&row).stands(&person.employee_no, "66.5")
}

fn with_unit(teller: &mut Teller<'_>) -> Story {
    let (person, row) = report(teller);
    Story::default()
        .filed(&scored(&row, "91分"))
        .repeated(&scored(&row, "91"))
        .stands(&person.employee_no, "91")
}

fn impossible_date(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let date = teller
        .dice
        .one_of(&["2025/02/29", "31/12/2025", "2025", "2999/01/01", "1949/10/01"]);
    Story::default().set_aside(&scored(&row, "77").with("finish_timestamp", date), Reason::InvalidField)
}

fn no_number(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    Story::default().set_aside(
        &scored(&row, teller.dice.one_of(&["abc", "85,5", "缺考", "85.5.", "+-1"])),
        Reason::InvalidField,
    )
}

fn missing_field(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let row = scored(&row, "77").with(teller.dice.one_of(&["employee_no", "course_id", "finish_timestamp"]), " ");
    Story::default().set_aside(&row, Reason::MissingField)
}

fn too_long(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let longer: fn(Vec<u8>) -> Vec<u8> = |bytes| [bytes.as_slice(), b",1"].concat();
    Story::default().set_aside(&scored(&row, "77").damaged(longer), Reason::Unparsed)
}

fn too_short(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let shorter: fn(Vec<u8>) -> Vec<u8> = |mut bytes| {
        let end = bytes.iter().rposition(|byte| *byte == b',').unwrap_or(bytes.len());
        bytes.truncate(end);
        bytes
    };
    Story::default().set_aside(&scored(&row, "77").damaged(shorter), Reason::Unparsed)
}

fn no_gb18030(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let spoilt: fn(Vec<u8>) -> Vec<u8> = |bytes| [bytes.as_slice(), &[0xFF, 0xFF]].concat();
    Story::default().set_aside(&scored(&row, "77").damaged(spoilt), Reason::Unparsed)
}

fn text_after_quote(teller: &mut Teller<'_>) -> Story {
    let (_, row) = report(teller);
    let quoted: fn(Vec<u8>) -> Vec<u8> = |mut bytes| {
        let end = bytes.iter().rposition(|byte| *byte == b',').unwrap_or(bytes.len());
        bytes.truncate(end);
        [bytes.as_slice(), b",\"2025\"/07/01"].concat()
    };
    Story::default().set_aside(&scored(&row, "77").damaged(quoted), Reason::Unparsed)
}
