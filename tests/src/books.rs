//! The books of an installation, as its own command tells them.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::installation::Installation;

/// What `scoresync audit` says; its exit code says the same.
///
/// # Errors
/// It says nothing, or its exit code something else.
pub fn audit(installation: &Installation) -> anyhow::Result<Value> {
    let output = installation.output(&["audit", "--json"])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("the audit says no document: {said}"))?;
    let code = if document["balance"] == true { 0 } else { 1 };
    ensure!(output.status.code() == Some(code), "{}: {document:#}", output.status);
    Ok(document)
}

/// What does not balance: what the audit has found, and what it should have.
#[must_use]
pub fn imbalances(document: &Value) -> Vec<String> {
    let findings = document["books"]["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let part = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let told = |finding: &Value| format!("{} of {}: {}", part(finding, "kind"), part(finding, "item"), part(finding, "text"));
    let mut imbalances: Vec<String> = findings.iter().map(told).collect();
    if document["balance"] != imbalances.is_empty() {
        imbalances.push("the books are said to balance where something is found, or not to where nothing is".to_owned());
    }
    let total = &document["total"];
    let number = |name: &str| total[name].as_u64().unwrap_or_default();
    let fates = ["filed", "duplicate", "superseded", "refused", "dead_lettered", "in_flight", "lost"];
    let sum: u64 = fates.into_iter().map(number).sum();
    if number("reports") != sum {
        imbalances.push(format!("the sum of all fates is not the number of reports: {total}"));
    }
    imbalances
}

/// What was not looked at, or is not done: nothing, where everything is kept and has come to rest.
#[must_use]
pub fn open_items(document: &Value) -> Vec<String> {
    let numbers = [
        ("in flight", &document["total"]["in_flight"]),
        ("results that cannot be judged", &document["books"]["unverifiable_results"]),
    ];
    let open = numbers.into_iter().filter(|(_, number)| **number != 0);
    let open = open.map(|(what, number)| format!("{what}: {number}"));
    let notes = document["books"]["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
    open.chain(notes.iter().map(Value::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(change: impl FnOnce(&mut Value), [imbalanced, open]: [usize; 2]) {
        let mut document = json!({
            "balance": true,
            "total": {"reports": 3, "filed": 2, "duplicate": 1, "superseded": 0, "refused": 0, "dead_lettered": 0, "in_flight": 0, "lost": 0},
            "books": {"findings": [], "unverifiable_results": 0, "notes": []},
        });
        change(&mut document);
        assert_eq!(
            [imbalances(&document).len(), open_items(&document).len()],
            [imbalanced, open],
            "{document}"
        );
    }

    #[test]
    fn books_are_looked_at_from_all_sides() {
        check(|_| {}, [0, 0]);
        check(|document| document["balance"] = false.into(), [1, 0]);
        check(|document| document["total"]["filed"] = 1.into(), [1, 0]);
        let finding = json!([{"kind": "lost", "item": "report 1/0/5", "text": "it is gone"}]);
        check(|document| document["books"]["findings"] = finding.clone(), [2, 0]);
        check(
            |document| {
                document["books"]["findings"] = finding;
                document["balance"] = false.into();
            },
            [1, 0],
        );
        check(
            |document| {
                document["total"]["in_flight"] = 1.into();
                document["total"]["filed"] = 1.into();
            },
            [0, 1],
        );
        check(|document| document["books"]["unverifiable_results"] = 1.into(), [0, 1]);
        check(|document| document["books"]["notes"] = json!(["a topic is gone"]), [0, 1]);
    }
}
