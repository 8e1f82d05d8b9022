//! What an audit says of a scene.

use anyhow::{Context, ensure};
use scoresync_tests::books::{self, imbalances, open_items};
use serde_json::Value;

use super::Scene;

/// The document; its exit code says the same.
pub(crate) fn audit(scene: &Scene) -> anyhow::Result<Value> {
    books::audit(&scene.installation)
}

/// The books balance, and nothing is on its way any more, nor out of sight.
pub(crate) fn balance_and_nothing_is_in_flight(scene: &Scene) -> anyhow::Result<()> {
    let open = open_items(&balanced(scene)?);
    ensure!(open.is_empty(), "the books balance, and this is open: {open:?}");
    Ok(())
}

/// The books balance: what is in is what became of it, and nothing is wrong.
pub(crate) fn balance(scene: &Scene) -> anyhow::Result<()> {
    balanced(scene).map(drop)
}

fn balanced(scene: &Scene) -> anyhow::Result<Value> {
    let document = audit(scene)?;
    let imbalances = imbalances(&document);
    ensure!(imbalances.is_empty(), "the books do not balance: {imbalances:#?} {document:#}");
    ensure!(document["total"]["reports"] != 0, "there are no reports: {document:#}");
    Ok(document)
}

/// The books do not balance, and this is why.
pub(crate) fn is_named(audited: &Value, (kind, item): (&str, &str)) -> anyhow::Result<()> {
    let findings = audited["books"]["findings"].as_array().context("no findings")?;
    let is_meant = |finding: &&Value| finding["kind"] == kind && finding["item"] == item;
    ensure!(
        audited["balance"] == false && findings.iter().any(|finding| is_meant(&finding)),
        "{audited:#}"
    );
    Ok(())
}
