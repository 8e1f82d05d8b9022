//! Whether a made-up name, number, phone or token is in a log, a metric or a header.

use super::{Anomaly, Case, Class, Evidence};

pub(super) fn check(case: &Case<'_>, evidence: &Evidence, anomalies: &mut Vec<Anomaly>) {
    let mut secrets = case.staff.secrets();
    secrets.extend(case.tokens);
    let headers = |record: &[(String, String)]| record.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
    let letters = evidence.letters.iter().map(|record| headers(&record.headers));
    let enriched = evidence.enriched.iter().map(|record| headers(&record.headers));
    let all_headers: String = letters.chain(enriched).collect();
    let headers = ("a header".to_owned(), all_headers);
    for (name, text) in evidence.texts.iter().chain([&headers]) {
        if let Some(line) = text.lines().find(|line| secrets.iter().any(|secret| line.contains(secret))) {
            anomalies.push(Anomaly {
                class: Class::Leak,
                text: format!("{name} says: {line}"),
            });
        }
    }
}
