//! What the desk knows of letters.

use anyhow::Context;
use scoresync_domain::Origin;
use serde_json::Value;

use super::Scene;

/// The state of a report's letter, which the desk has.
pub(crate) fn state_of_letter(scene: &Scene, origin: Origin) -> anyhow::Result<String> {
    let shown: Value = serde_json::from_str(&scene.installation.run(&["dlq", "show", &origin.to_string(), "--json"])?)?;
    Ok(shown["state"].as_str().context("a letter has no state")?.to_owned())
}
