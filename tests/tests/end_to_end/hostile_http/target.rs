//! What is attacked, and how it is seen to be well.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use scoresync_tests::{installation::Database, process::Process};
use tokio::task::JoinHandle;

use crate::support::{Http, START, Scene, academy};

/// Within this a report is answered whatever others do, on a busy machine.
const IN_TIME: Duration = Duration::from_secs(5);
/// Reports that are answered during each attack at least.
const AT_LEAST: usize = 3;
/// Reports before the first attack, by which the process has grown to the size that it works at.
const WARM_UP: usize = 200;

/// Everything in one process, with times short enough for a test.
pub(super) struct Target {
    pub(super) scene: Scene,
    pub(super) process: Process,
}

/// Where the door is, and what opens it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) door: SocketAddr,
    pub(super) token: String,
}

impl Target {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let mut scene = Scene::new(Database::Sqlite)?;
        scene.installation.set("SCORESYNC_DOOR__READ_TIMEOUT_SECONDS", "2");
        scene.installation.set("SCORESYNC_DOOR__MAX_BODY_MIB", "2");
        let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
        scene.installation.run(&["employees", "import", &roster])?;
        let mut process = scene.installation.start("up", &["up"])?;
        process.ready(START).await?;
        Ok(Self { scene, process })
    }

    pub(super) fn place(&self) -> Place {
        Place {
            door: self.scene.installation.door,
            token: self.scene.installation.tokens.get("academy").cloned().unwrap_or_default(),
        }
    }

    pub(super) async fn warm_up(&self) -> anyhow::Result<()> {
        for _ in 0..WARM_UP {
            self.is_accepted(academy::json("W-1").to_string()).await?;
        }
        Ok(())
    }

    /// Others send reports for as long as the attack lasts; each is answered in time.
    pub(super) async fn withstands(
        &self,
        name: &str,
        attack: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> anyhow::Result<()> {
        let attack: JoinHandle<anyhow::Result<()>> = tokio::spawn(attack);
        let mut answered = 0;
        while answered < AT_LEAST || !attack.is_finished() {
            let row = academy::json(&format!("A-{answered}")).to_string();
            self.is_accepted(row).await.with_context(|| format!("meanwhile: {name}"))?;
            answered += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        attack.await?.with_context(|| format!("the attack itself: {name}"))
    }

    /// Somebody who means well sends a report over a new connection, and is answered in time.
    pub(super) async fn is_accepted(&self, row: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        let (place, row) = (self.place(), row.into());
        let status = tokio::time::timeout(IN_TIME, place.push(&row)).await;
        let status = status.with_context(|| format!("no answer within {IN_TIME:?}"))??;
        ensure!(status == Some(StatusCode::ACCEPTED.as_u16()), "a report is answered {status:?}");
        Ok(())
    }

    /// A body that is no JSON is refused, and quotes nothing of itself.
    pub(super) async fn is_refused(&self, body: &str) -> anyhow::Result<()> {
        let http = Http::new(&self.scene.installation);
        let answer = http.push(("academy", Some("academy")), "application/json", body).await?;
        ensure!(answer.is_problem(StatusCode::BAD_REQUEST, "malformed-body"), "{answer:?}");
        Ok(())
    }
}
