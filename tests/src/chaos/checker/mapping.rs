//! Whether each report became what its author meant: an enriched score of the right person that says the same, or a dead letter that is the
//! report, byte by byte.

use std::collections::{BTreeMap, BTreeSet};

use scoresync_domain::{EnrichedScore, Origin, Reason};
use scoresync_kafka::dead_letter;

use super::{
    Anomaly, Case, Class, Evidence,
    content::Content,
    origins::{Origins, What},
};
use crate::{chaos::stream::Truth, topics::Record};

pub(super) fn check(case: &Case<'_>, evidence: &Evidence, origins: &Origins<'_>, anomalies: &mut Vec<Anomaly>) {
    let mut outputs = BTreeSet::new();
    for record in &evidence.enriched {
        match &record.value {
            Some(score) => {
                outputs.insert(score.origin);
                anomalies.extend(enriched(case, origins, (record, score)));
            }
            None => anomalies.push(Anomaly {
                class: Class::Garbled,
                text: format!("{}/{} of scores.enriched cannot be decoded", record.partition, record.offset),
            }),
        }
    }
    let mut reasons = BTreeMap::new();
    for letter in &evidence.letters {
        match check_letter(case, origins, letter) {
            Ok((origin, reason)) => {
                outputs.insert(origin);
                if reasons.insert(origin, reason).is_some_and(|before| before != reason) {
                    anomalies.push(Anomaly {
                        class: Class::Letter,
                        text: format!("the letters of {origin} give two reasons"),
                    });
                }
            }
            Err(text) => anomalies.push(Anomaly {
                class: Class::Letter,
                text,
            }),
        }
    }
    for (origin, (what, _)) in &origins.what {
        if !outputs.contains(origin) {
            anomalies.push(Anomaly {
                class: Class::Lost,
                text: format!("{} at {origin} is neither enriched nor a dead letter", origins.name(case, *what)),
            });
        }
    }
}

fn enriched(
    case: &Case<'_>,
    origins: &Origins<'_>,
    (record, score): (&Record<EnrichedScore<'static>>, &EnrichedScore<'_>),
) -> Option<Anomaly> {
    let anomaly = |class, text: String| Some(Anomaly { class, text });
    let Some((what, _)) = origins.what.get(&score.origin) else {
        return anomaly(
            Class::Invented,
            format!("an enriched score says that it is {}, where nothing is", score.origin),
        );
    };
    let name = || format!("{} at {}", origins.name(case, *what), score.origin);
    let row = match what {
        What::Row(number) => Some(&case.stream.rows[*number]),
        What::Poison(_) => None,
    };
    let Some((row, Truth::Said(said))) = row.map(|row| (row, &row.truth)) else {
        return anomaly(Class::Letter, format!("{} was enriched", name()));
    };
    let whose = said.whose.map(|whose| case.staff.members[whose].employee_no.as_str());
    let is = (
        score.employee_no.as_deref(),
        score.status,
        Content::enriched(score),
        score.revision,
        record.key.as_deref(),
    );
    let result_id = score.result_id.to_string();
    let content = Content::meant(row.source, said);
    let must_be = (whose, said.status, content, said.revision, Some(result_id.as_str()));
    let words = "(whose, status, content, revision, key)";
    (is != must_be).then(|| Anomaly {
        class: Class::Garbled,
        text: format!("{}: {words} must be {must_be:?}, and are {is:?}", name()),
    })
}

/// Of which report it is, and why.
fn check_letter<T>(case: &Case<'_>, origins: &Origins<'_>, letter: &Record<T>) -> Result<(Origin, Reason), String> {
    let place = || format!("{}/{} of scores.dlq", letter.partition, letter.offset);
    let origin = letter.origin_in_header().ok_or_else(|| format!("{} has no origin", place()))?;
    let Some((what, report)) = origins.what.get(&origin) else {
        return Err(format!("{} says that it is {origin}, where nothing is", place()));
    };
    let name = || format!("the letter of {} at {origin}", origins.name(case, *what));
    let reason: Option<Reason> = letter.header(dead_letter::REASON).and_then(|reason| reason.parse().ok());
    let expected = match what {
        What::Poison(number) => Some(case.stream.poison[*number].reason),
        What::Row(number) => match &case.stream.rows[*number].truth {
            Truth::SetAside(reason) => Some(*reason),
            Truth::Said(said) if said.may_be_early && !case.attempts.knows_late_employees(origin) => Some(Reason::UnmatchedEmployee),
            Truth::Said(_) => None,
        },
    };
    match (reason, expected) {
        (Some(reason), Some(expected)) if reason == expected => {}
        (reason, expected) => return Err(format!("{}: the reason must be {expected:?}, and is {reason:?}", name())),
    }
    if (letter.is_null, &letter.bytes, &letter.key) != (report.is_null, &report.bytes, &report.key) {
        return Err(format!("{} is not its report", name()));
    }
    if letter.header("scoresync.attempt") != Some("1") {
        return Err(format!("{} counts attempts that nobody made", name()));
    }
    reason.map(|reason| (origin, reason)).ok_or_else(name)
}
