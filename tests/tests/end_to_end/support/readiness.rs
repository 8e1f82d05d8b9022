//! What a process says of itself on its admin port.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Context, ensure};
use reqwest::StatusCode;

/// Why stages are not ready, by their names; empty where all are.
pub(crate) type NotReady = BTreeMap<String, String>;

/// Asks `/readyz`, and that the process lives. Whoever is not ready has to say why.
pub(crate) async fn readiness(admin: SocketAddr) -> anyhow::Result<NotReady> {
    let lives = reqwest::get(format!("http://{admin}/livez"))
        .await
        .context("the process does not answer")?;
    ensure!(lives.status() == StatusCode::OK, "the process does not live: {}", lives.status());
    let answer = reqwest::get(format!("http://{admin}/readyz")).await?;
    let (status, text) = (answer.status(), answer.text().await?);
    let stages: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("read {text}"))?;
    let stages = stages["stages"].as_array().with_context(|| format!("{text} lists no stages"))?;
    let mut reasons = NotReady::new();
    for stage in stages.iter().filter(|stage| stage["ready"] != true) {
        let (Some(name), Some(reason)) = (stage["stage"].as_str(), stage["reason"].as_str()) else {
            anyhow::bail!("a stage is not ready and does not say why: {text}")
        };
        reasons.insert(name.to_owned(), reason.to_owned());
    }
    let expected = if reasons.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    ensure!(status == expected, "/readyz is {status} with {text}");
    Ok(reasons)
}
