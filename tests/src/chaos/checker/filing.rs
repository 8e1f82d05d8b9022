//! Whether files, history, refusals and counts are what the rule makes of what the log of enriched scores has, said as its authors meant it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use scoresync_archive::TrainingRecord;
use scoresync_domain::{
    ContentHash, Fate, Origin, Repeat,
    rule::{Judgement, Statement, VersionKey, judge},
};

use super::{
    Anomaly, Case, Class, Evidence,
    content::Content,
    origins::{Origins, What},
};
use crate::{
    chaos::stream::{Said, Source, Truth},
    topics::Record,
};

/// What was said of one result, in the order of the log, and in which partition.
#[derive(Default)]
struct Heard {
    statements: Vec<Statement>,
    /// What each says.
    contents: Vec<Content>,
    result_ids: BTreeSet<String>,
    partitions: BTreeSet<i32>,
}

pub(super) fn check(case: &Case<'_>, evidence: &Evidence, origins: &Origins<'_>, anomalies: &mut Vec<Anomaly>) {
    let heard = listen(case, evidence, origins);
    let mut in_files: HashMap<String, Vec<(&str, &TrainingRecord)>> = HashMap::new();
    for (employee_no, file) in &evidence.files {
        for record in file {
            in_files
                .entry(record.result_id.to_string())
                .or_default()
                .push((employee_no, record));
        }
    }
    let mut fates: BTreeMap<(i32, Fate), i64> = BTreeMap::new();
    let mut refused = BTreeSet::new();
    for (result, heard) in &heard {
        let judged = judge(&heard.statements);
        let records: Vec<_> = heard
            .result_ids
            .iter()
            .flat_map(|id| in_files.remove(id).unwrap_or_default())
            .collect();
        if let Some((class, text)) = compare(heard, &judged, &records) {
            anomalies.push(Anomaly {
                class,
                text: format!("result {result}: {text}\n{}", history(heard)),
            });
        }
        refused.extend(judged.refused.iter().map(|number| heard.statements[*number].origin));
        for (partition, fate) in fates_of(heard) {
            *fates.entry((partition, fate)).or_default() += 1;
        }
    }
    anomalies.extend(in_files.into_keys().map(|result_id| Anomaly {
        class: Class::Invented,
        text: format!("result {result_id} is in a file, and nobody sent it"),
    }));
    let found: BTreeSet<Origin> = evidence.refused.keys().copied().collect();
    for origin in found.symmetric_difference(&refused) {
        let word = if refused.contains(origin) { "must be" } else { "is" };
        anomalies.push(Anomaly {
            class: Class::History,
            text: format!("{origin} {word} refused"),
        });
    }
    compare_counts(evidence, &fates, anomalies);
}

fn listen(case: &Case<'_>, evidence: &Evidence, origins: &Origins<'_>) -> BTreeMap<usize, Heard> {
    let mut heard: BTreeMap<usize, Heard> = BTreeMap::new();
    for record in &evidence.enriched {
        let Some(score) = &record.value else { continue };
        let Some((What::Row(number), _)) = origins.what.get(&score.origin) else {
            continue;
        };
        let row = &case.stream.rows[*number];
        let Truth::Said(said) = &row.truth else { continue };
        let heard = heard.entry(said.result).or_default();
        heard.statements.push(statement(case, (row.source, said), score.origin));
        heard.contents.push(Content::meant(row.source, said));
        heard.result_ids.insert(score.result_id.to_string());
        heard.partitions.insert(record.partition);
    }
    heard
}

fn statement(case: &Case<'_>, (source, said): (Source, &Said), origin: Origin) -> Statement {
    Statement {
        origin,
        mapping_version: 1,
        decision: 0,
        employee_no: said.whose.map(|whose| case.staff.members[whose].employee_no.clone()),
        status: said.status,
        revision_scheme: 1,
        revision: said.revision,
        content_hash: hash(said),
        repeat: match source {
            Source::Hall | Source::Booth => Repeat::Redelivery,
            Source::Export => Repeat::Correction,
        },
    }
}

/// Not scoresync's hash: what must agree is which contents are the same.
fn hash(said: &Said) -> ContentHash {
    let mut hasher = DefaultHasher::new();
    (said.status.as_str(), &said.exam_score, said.day).hash(&mut hasher);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    ContentHash(bytes)
}

fn compare(heard: &Heard, judged: &Judgement, records: &[(&str, &TrainingRecord)]) -> Option<(Class, String)> {
    if heard.result_ids.len() != 1 || heard.partitions.len() != 1 {
        return Some((Class::Garbled, "it has several ids or is in several partitions".to_owned()));
    }
    match (&judged.owner, records) {
        (None, []) => None,
        (None, _) => Some((Class::Record, "it must be in no file, and is".to_owned())),
        (Some(owner), [(employee_no, record)]) => {
            if owner != employee_no {
                return Some((
                    Class::Record,
                    format!("it must be in the file of {owner}, and is in that of {employee_no}"),
                ));
            }
            compare_record(heard, judged, record)
        }
        (Some(owner), _) => Some((
            if records.is_empty() { Class::Lost } else { Class::Record },
            format!("it must be in the file of {owner} alone, and is in {} files", records.len()),
        )),
    }
}

fn compare_record(heard: &Heard, judged: &Judgement, record: &TrainingRecord) -> Option<(Class, String)> {
    let at = |number: Option<usize>| number.map(|number| &heard.statements[number]);
    let must_be = (
        at(judged.record).map(|statement| (statement.origin, statement.status)),
        judged
            .shown
            .map(|number| (heard.statements[number].status, heard.contents[number].clone())),
    );
    let shown = record.shown.as_ref().map(|shown| (shown.status, Content::kept(&shown.content)));
    let is = (Some((record.head.origin, record.head.status)), shown);
    if is != must_be {
        return Some((
            Class::Record,
            format!("(origin, status) and what is shown must be {must_be:?}, and are {is:?}"),
        ));
    }
    let heads = std::iter::once(&record.head).chain(record.history.iter().map(|statement| &statement.head));
    let kept: BTreeSet<Origin> = heads.map(|head| head.origin).collect();
    let counted = (0..heard.statements.len()).filter(|number| !judged.refused.contains(number));
    let said: BTreeSet<Origin> = counted.map(|number| heard.statements[number].origin).collect();
    if kept != said {
        return Some((Class::History, format!("record and history must have {said:?}, and have {kept:?}")));
    }
    let meant: BTreeMap<Origin, &Content> = heard
        .statements
        .iter()
        .map(|statement| statement.origin)
        .zip(&heard.contents)
        .collect();
    record.history.iter().find_map(|historic| {
        let (meant, is) = (meant.get(&historic.head.origin)?, Content::kept(&historic.content));
        (**meant != is).then(|| {
            (
                Class::History,
                format!("{} must say {meant:?}, and says {is:?}", historic.head.origin),
            )
        })
    })
}

/// The smallest history of the key.
fn history(heard: &Heard) -> String {
    let lines = heard.statements.iter().zip(&heard.contents).map(|(statement, content)| {
        format!(
            "    {} {} {:?} score {:?} revision {:?}",
            statement.origin,
            statement.status.as_str(),
            statement.employee_no,
            content.exam_score(),
            statement.revision
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What each statement changed when it came, one at a time.
fn fates_of(heard: &Heard) -> Vec<(i32, Fate)> {
    let partition = heard.partitions.first().copied().unwrap_or(0);
    (0..heard.statements.len())
        .map(|number| (partition, fate(&heard.statements[..=number])))
        .collect()
}

fn fate(statements: &[Statement]) -> Fate {
    let Some((newcomer, before)) = statements.split_last() else {
        return Fate::Duplicate;
    };
    let (judged, earlier) = (judge(statements), judge(before));
    let is_copy = |number: usize| {
        !earlier.refused.contains(&number) && before[number].origin == newcomer.origin && before[number].employee_no == newcomer.employee_no
    };
    if (0..before.len()).any(is_copy) {
        Fate::Duplicate
    } else if judged.refused.contains(&(statements.len() - 1)) {
        Fate::Refused
    } else if view(&judged, statements) != view(&earlier, before) {
        Fate::Filed
    } else if earlier.versions.contains_key(&newcomer.version()) {
        Fate::Duplicate
    } else {
        Fate::Superseded
    }
}

fn view(judged: &Judgement, statements: &[Statement]) -> (Option<String>, Option<VersionKey>, Option<VersionKey>) {
    let version = |number: Option<usize>| number.map(|number| statements[number].version());
    (judged.owner.clone(), version(judged.record), version(judged.shown))
}

fn compare_counts(evidence: &Evidence, fates: &BTreeMap<(i32, Fate), i64>, anomalies: &mut Vec<Anomaly>) {
    let places: BTreeSet<_> = fates.keys().chain(evidence.fates.keys()).copied().collect();
    for place in places {
        let number = |counts: &BTreeMap<(i32, Fate), i64>| counts.get(&place).copied().unwrap_or(0);
        let (must_be, is) = (number(fates), number(&evidence.fates));
        if must_be != is {
            anomalies.push(Anomaly {
                class: Class::Fates,
                text: format!(
                    "in partition {} of scores.enriched {must_be} must be {}, and {is} are",
                    place.0, place.1
                ),
            });
        }
    }
    let [employees, ends] = &evidence.employees;
    if employees != ends {
        anomalies.push(Anomaly {
            class: Class::Position,
            text: format!("the archive stands at {employees:?} of the employees, which end at {ends:?}"),
        });
    }
    anomalies.extend(astray(("the mappers", "scores.raw"), &evidence.mapped, &evidence.raw));
    anomalies.extend(astray(("the archive", "scores.enriched"), &evidence.positions, &evidence.enriched));
}

/// Positions that are not the ends of their partitions.
fn astray<T>((who, topic): (&str, &str), positions: &BTreeMap<i32, i64>, records: &[Record<T>]) -> impl Iterator<Item = Anomaly> {
    positions.iter().filter_map(move |(partition, position)| {
        let of_partition = records.iter().filter(|record| record.partition == *partition);
        let end = of_partition.map(|record| record.offset + 1).max().unwrap_or(0);
        (*position != end).then(|| Anomaly {
            class: Class::Position,
            text: format!("{who} stand at {position} of partition {partition} of {topic}, which ends at {end}"),
        })
    })
}
