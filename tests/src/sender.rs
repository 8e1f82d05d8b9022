//! Sends deliveries as their systems would: through the door, or as a file that somebody imports.

use std::{fs, time::Duration};

use anyhow::{Context, ensure};
use reqwest::{StatusCode, header::CONTENT_TYPE};

use crate::{
    company::{Delivery, Sender},
    installation::Installation,
};

/// Sends to one installation.
#[derive(Clone, Debug)]
pub struct Postman<'a> {
    installation: &'a Installation,
    http: reqwest::Client,
}

impl<'a> Postman<'a> {
    /// Sends to a running installation.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(installation: &'a Installation) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { installation, http })
    }

    /// Sends a delivery and waits until all of it is accepted.
    ///
    /// # Errors
    /// It was not accepted, or another number of rows was.
    pub async fn send(&self, delivery: &Delivery) -> anyhow::Result<()> {
        match delivery.origin {
            Sender::Academy | Sender::Skills => self.push(delivery).await,
            Sender::Centre => self.import(delivery).await,
        }
    }

    async fn push(&self, delivery: &Delivery) -> anyhow::Result<()> {
        let source = delivery.origin.source();
        let token = self
            .installation
            .tokens
            .get(source)
            .with_context(|| format!("there is no token for {source}"))?;
        let url = format!("http://{}/v1/sources/{source}/reports", self.installation.door);
        let request = self
            .http
            .post(url)
            .bearer_auth(token)
            .header(CONTENT_TYPE, delivery.origin.content_type());
        let answer = request.body(delivery.body.clone()).send().await.context("push a delivery")?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(
            status == StatusCode::ACCEPTED,
            "a delivery of {source} was answered {status}: {text}"
        );
        let receipt: serde_json::Value = serde_json::from_str(&text)?;
        let expected = delivery.reports.len() as u64;
        ensure!(
            receipt["accepted"].as_u64() == Some(expected),
            "{expected} rows of {source} were sent, and the receipt is {text}"
        );
        Ok(())
    }

    async fn import(&self, delivery: &Delivery) -> anyhow::Result<()> {
        let source = delivery.origin.source();
        let file = self.installation.folder.join(format!("{source}.csv"));
        fs::write(&file, &delivery.body)?;
        let state = self.installation.folder.join("imports").display().to_string();
        let file = file.display().to_string();
        let mut command = self.installation.command(&["import", source, &file, "--state-dir", &state])?;
        let output = tokio::task::spawn_blocking(move || command.output())
            .await?
            .context("start scoresync import")?;
        ensure!(
            output.status.success(),
            "scoresync import failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}
