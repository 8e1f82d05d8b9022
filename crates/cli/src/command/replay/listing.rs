//! What differs, for people.

use scoresync_replay::{Change, Difference, Row, RowKind};

use crate::output::table;

/// The rows that differ, then what it all comes to.
pub(super) fn lines(difference: &Difference) -> Vec<String> {
    let mut lines = Vec::new();
    if !difference.told.is_empty() {
        let heading = ["result", "employee", "course", "exam", "what", "field", "before", "after"].map(str::to_owned);
        let rows = difference.told.iter().flat_map(row);
        lines = table(&std::iter::once(heading.to_vec()).chain(rows).collect::<Vec<_>>());
        lines.push(String::new());
    }
    let untold = difference.rows.count() - difference.told.len() as u64;
    if untold > 0 {
        lines.push(format!("… and {untold} rows more"));
    }
    lines.push(reports(difference));
    if difference.is_none() {
        lines.push("nothing differs".to_owned());
        return lines;
    }
    lines.push(rows(difference));
    for (reason, count) in &difference.reasons {
        lines.push(format!("{count} reports can be filed no longer: {reason}"));
    }
    if difference.rows.refused > 0 {
        let advice = "`scoresync dlq resolve --result RESULT_ID` decides whose a result is that names another employee now";
        lines.push(advice.to_owned());
    }
    lines.push(match difference.least_mapping_version {
        Some(least) => raise(difference, least),
        None => "nothing was changed; the same command with --apply corrects it".to_owned(),
    });
    lines
}

/// What is left after what differed was sent.
pub(super) fn outcome(sent: u64, remaining: &Difference) -> Vec<String> {
    let mut lines = vec![format!("{sent} records were sent, and the sink has filed them")];
    if remaining.is_none() {
        lines.push("nothing differs any more".to_owned());
    } else {
        lines.push(format!(
            "{} records would still say something else: {}",
            remaining.outputs,
            rows(remaining)
        ));
    }
    lines
}

/// Why what differs would not count, and what helps.
pub(super) fn raise(difference: &Difference, least: i32) -> String {
    format!(
        "sources.{source}.mapping_version is {version}, under which such a report said something else already: raise it to {least} and \
         restart the mappers, so that what is mapped anew replaces what was said",
        source = difference.source,
        version = difference.mapping_version,
    )
}

fn reports(difference: &Difference) -> String {
    let reports = difference.reports;
    let mut text = format!(
        "{} reports of {}: {} say what they said, {} differ, {} are dead letters as before",
        reports.read, difference.source, reports.same, reports.differ, reports.still_rejected
    );
    let others = [
        (reports.discarded, "have discarded letters and stay as they are"),
        (reports.erased, "are of employees who were erased and stay as they are"),
        (reports.in_flight, "are not mapped yet"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {what}"));
    }
    text
}

fn rows(difference: &Difference) -> String {
    let rows = difference.rows;
    let kinds = [
        (rows.changed, "changed"),
        (rows.newly_filed, "newly filed"),
        (rows.moved, "moved to another file"),
        (rows.no_longer_filed, "no longer filed"),
        (rows.refused, "refused, as they name another employee"),
    ];
    let named = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"));
    let named: Vec<String> = named.collect();
    match rows.count() {
        0 => format!("{} results are affected, and all stand as they stood", difference.results),
        count => format!(
            "{} results are affected, {count} rows differ: {}",
            difference.results,
            named.join(", ")
        ),
    }
}

/// A line for each field that differs; which result it is stands in the first.
fn row(row: &Row) -> Vec<Vec<String>> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let what = match row.kind {
        RowKind::Changed => "changed",
        RowKind::NewlyFiled => "newly filed",
        RowKind::Moved => "moved to another file",
        RowKind::NoLongerFiled => "no longer filed",
        RowKind::Refused => "refused, as another employee is named",
    };
    let mut first = vec![
        row.result_id.clone(),
        text(&row.employee_no),
        text(&row.course),
        text(&row.exam),
        what.to_owned(),
    ];
    let because = row
        .because
        .as_ref()
        .map(|because| ["because".to_owned(), String::new(), because.clone()]);
    let change = |change: &Change| [change.field.to_owned(), text(&change.before), text(&change.after)];
    let mut cells: Vec<[String; 3]> = row.changes.iter().map(change).chain(because).collect();
    if cells.is_empty() {
        cells.push([const { String::new() }; 3]);
    }
    let next = |cells: [String; 3]| {
        let nothing = vec![String::new(); first.len()];
        std::mem::replace(&mut first, nothing).into_iter().chain(cells).collect()
    };
    cells.into_iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use scoresync_replay::{Reports, Rows};

    use super::*;

    fn difference() -> Difference {
        let change = |field, before: &str, after: &str| Change {
            field,
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
        };
        let row = |kind, changes, because: Option<&str>| Row {
            result_id: "r".to_owned(),
            kind,
            employee_no: Some("E1".to_owned()),
            course: Some("C-1".to_owned()),
            exam: None,
            changes,
            because: because.map(str::to_owned),
        };
        let swapped = vec![change("exam_score", "100", "85"), change("max_score", "85", "100")];
        Difference {
            source: "academy".to_owned(),
            mapping_version: 1,
            least_mapping_version: Some(2),
            reports: Reports {
                read: 5,
                same: 2,
                differ: 3,
                ..Reports::default()
            },
            outputs: 3,
            results: 3,
            rows: Rows {
                changed: 1,
                no_longer_filed: 2,
                ..Rows::default()
            },
            told: vec![
                row(RowKind::Changed, swapped, None),
                row(
                    RowKind::NoLongerFiled,
                    vec![change("state", "final", "withdrawn")],
                    Some("invalid_field: x"),
                ),
            ],
            ..Difference::default()
        }
    }

    #[test]
    fn every_field_has_a_line_and_the_rest_is_counted() {
        let lines = lines(&difference());
        let expected = [
            "result  employee  course  exam  what             field       before  after",
            "r       E1        C-1     -     changed          exam_score  100     85",
            "                                                 max_score   85      100",
            "r       E1        C-1     -     no longer filed  state       final   withdrawn",
            "                                                 because             invalid_field: x",
            "",
            "… and 1 rows more",
            "5 reports of academy: 2 say what they said, 3 differ, 0 are dead letters as before",
            "3 results are affected, 3 rows differ: 1 changed, 2 no longer filed",
        ];
        assert_eq!(lines[..9], expected);
        assert!(lines[9].contains("raise it to 2"), "{lines:?}");
    }

    #[test]
    fn what_does_not_differ_is_said_in_a_line() {
        let nothing = lines(&Difference::default());
        assert_eq!(nothing.last().map(String::as_str), Some("nothing differs"));
        assert!(outcome(3, &Difference::default()).join("\n").contains("nothing differs any more"));
    }
}
