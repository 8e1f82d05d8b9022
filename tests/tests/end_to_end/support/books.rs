//! What an audit says of a scene.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::Scene;

/// The document; its exit code says the same.
pub(crate) fn audit(scene: &Scene) -> anyhow::Result<Value> {
    let output = scene.installation.output(&["audit", "--json"])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("the audit says no document: {said}"))?;
    let code = if document["balance"] == true { 0 } else { 1 };
    ensure!(output.status.code() == Some(code), "{}: {document:#}", output.status);
    Ok(document)
}

/// The books balance, and nothing is on its way any more.
pub(crate) fn balance_and_nothing_is_in_flight(scene: &Scene) -> anyhow::Result<()> {
    balance(scene)?;
    let document = audit(scene)?;
    ensure!(document["total"]["in_flight"] == 0, "something is in flight: {document:#}");
    Ok(())
}

/// The books balance: what is in is what became of it, and nothing is wrong.
pub(crate) fn balance(scene: &Scene) -> anyhow::Result<()> {
    let document = audit(scene)?;
    let total = &document["total"];
    let number = |name: &str| total[name].as_u64().unwrap_or_default();
    let fates = ["filed", "duplicate", "superseded", "refused", "dead_lettered", "in_flight"];
    let sum: u64 = fates.into_iter().map(number).sum();
    ensure!(
        document["balance"] == true && number("reports") == sum && sum > 0,
        "the books do not balance: {document:#}"
    );
    Ok(())
}
