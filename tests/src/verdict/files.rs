//! What stands in the employees' files, beside what must.

use std::collections::{BTreeMap, HashMap, HashSet};

use scoresync_archive::TrainingRecord;
use scoresync_domain::Status;

use super::{Expected, Found, places::Places};
use crate::company::{Destination, TrueRecord, TrueResult};

/// A record and in whose file it is.
type InFile<'a> = (&'a str, &'a TrainingRecord);

/// Results that are in the wrong file, in none or in several, or that say something else than they must.
pub(super) fn mismatches(expected: Expected<'_>, places: &Places<'_>, found: &Found) -> Vec<String> {
    let mut in_files: HashMap<String, Vec<InFile<'_>>> = HashMap::new();
    for (employee_no, file) in &found.files {
        for record in file {
            in_files
                .entry(record.result_id.to_string())
                .or_default()
                .push((employee_no, record));
        }
    }
    let keys = keys(places);
    let mut mismatches = Vec::new();
    for (number, result) in expected.results.iter().enumerate() {
        let keys = keys.get(&number).cloned().unwrap_or_default();
        if keys.len() > 1 {
            mismatches.push(format!("reports of one result ({}) have {} keys", result.case, keys.len()));
        }
        let records: Vec<InFile<'_>> = keys.iter().flat_map(|key| in_files.remove(*key).unwrap_or_default()).collect();
        let who = keys.iter().copied().collect::<Vec<_>>().join(", ");
        mismatches.extend(compare(result, &records).map(|what| format!("result {who} ({}): {what}", result.case)));
    }
    mismatches.extend(
        in_files
            .keys()
            .map(|result_id| format!("result {result_id} is in a file, and nobody sent it")),
    );
    mismatches
}

/// The keys of each result's reports in `scores.raw`; a dead letter's can be the hash of its bytes.
fn keys<'a>(places: &'a Places<'_>) -> BTreeMap<usize, HashSet<&'a str>> {
    let mut keys: BTreeMap<usize, HashSet<&str>> = BTreeMap::new();
    for (report, place) in &places.reports {
        if let (Destination::Archive | Destination::Refused(_), Some(place)) = (report.truth.destination(), place) {
            keys.entry(report.result).or_default().insert(&place.key);
        }
    }
    keys
}

fn compare(result: &TrueResult, records: &[InFile<'_>]) -> Option<String> {
    match (&result.record, records) {
        (None, []) => None,
        (None, _) => Some("must be in no file, and is".to_owned()),
        (Some(truth), [(employee_no, record)]) => compare_record(result, truth, (employee_no, record)),
        (Some(truth), _) => Some(format!(
            "must be in the file of {} alone, and is in {} files",
            truth.employee_no,
            records.len()
        )),
    }
}

fn compare_record(result: &TrueResult, truth: &TrueRecord, (employee_no, record): InFile<'_>) -> Option<String> {
    let heads = || std::iter::once(&record.head).chain(record.history.iter().map(|statement| &statement.head));
    let versions: HashSet<_> = heads().map(|head| (head.revision, head.content_hash)).collect();
    let shown = record.shown.as_ref().and_then(|shown| shown.content.exam_score);
    let is = (
        employee_no,
        shown.map(|score| score.to_string()),
        record.head.status == Status::Withdrawn,
        heads().count(),
        versions.len(),
    );
    let must_be = (
        truth.employee_no.as_str(),
        truth.exam_score.clone(),
        truth.withdrawn,
        result.statements,
        result.versions,
    );
    let words = "(file, score, withdrawn, statements, versions)";
    (is != must_be).then(|| format!("{words} must be {must_be:?}, and are {is:?}"))
}
