//! What a mapper that makes an error on purpose leaves out is lost, and nothing else is.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use scoresync_fault_points::Bug;
use scoresync_kafka::Topic;
use scoresync_tests::{chaos::BUG, letter_limit::limit_letters};

use super::{Accounts, MAPPER};
use crate::support::{Bytes, Foreign, SETTLE, START, academy::write, audit, end, until};

impl Accounts {
    /// Puts a mapper that makes an error in the place of the one that makes none.
    pub(super) async fn map_with(&mut self, bug: Bug) -> anyhow::Result<()> {
        self.stop(MAPPER)?;
        let arming = [(BUG.to_owned(), bug.as_str().to_owned())];
        let mut mapper = self.scene.installation.start_armed("armed", &["run", "mapper"], &arming)?;
        mapper.ready(START).await?;
        self.processes.insert(MAPPER, mapper);
        Ok(())
    }

    /// Waits until the mapper has recorded that it is done with all reports.
    pub(super) async fn until_mapped(&self) -> anyhow::Result<()> {
        let topics = &self.scene.topics;
        let group = format!("{}.mapper", self.scene.installation.kafka.group_prefix);
        until("the mapper is done with all reports", SETTLE, async || {
            let mapped = topics.committed(&group, Topic::Raw).await?;
            let ends = topics.ends(Topic::Raw).await?;
            Ok(ends.iter().all(|(partition, end)| *end == 0 || mapped.get(partition) == Some(end)))
        })
        .await
    }

    /// What the audit names, all of which is lost reports.
    pub(super) fn lost(&self) -> anyhow::Result<BTreeSet<String>> {
        let books = audit(&self.scene)?;
        let findings = books["books"]["findings"].as_array().context("no findings")?;
        ensure!(findings.iter().all(|finding| finding["kind"] == "lost"), "{books:#}");
        let items = findings.iter().filter_map(|finding| finding["item"].as_str());
        let items: BTreeSet<String> = items.map(str::to_owned).collect();
        ensure!(
            books["total"]["lost"] == items.len() && books["balance"] == items.is_empty(),
            "{books:#}"
        );
        Ok(items)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_reports_that_a_mapper_passes_over_are_lost() -> anyhow::Result<()> {
    let mut accounts = Accounts::open().await?;
    accounts.map_with(Bug::ReportPassedOver).await?;
    let mut passed_over = BTreeSet::new();
    for number in 20..32 {
        // Some of them can be filed, and some would be dead letters.
        let nobody = [("工号", "NOBODY")];
        let others = if number % 2 == 0 { &nobody[..] } else { &[] };
        let report = write(&accounts.scene, &format!("X-{number}"), others).await?;
        if report.offset % 5 == 4 {
            passed_over.insert(format!("report {report}"));
        }
    }
    accounts.until_mapped().await?;
    let lost = accounts.lost()?;
    ensure!(
        passed_over.len() > 1 && lost == passed_over,
        "{lost:?} are lost, not {passed_over:?}"
    );
    end(accounts.processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_never_came_to_its_topic_is_lost() -> anyhow::Result<()> {
    let mut accounts = Accounts::open().await?;
    accounts.map_with(Bug::LetterErrorSwallowed).await?;
    limit_letters(&accounts.scene.installation, Some(100)).await?;
    let foreign = Foreign::of(&accounts.scene)?;
    until("the broker takes no letters", SETTLE, async || {
        let refused = foreign.try_write((Topic::DeadLetters, 0), &Bytes::new("k", [b'?'; 200])).await?;
        Ok(refused.is_none())
    })
    .await?;
    let swallowed = write(&accounts.scene, "X-20", &[("工号", "NOBODY")]).await?;
    accounts.until_mapped().await?;
    limit_letters(&accounts.scene.installation, None).await?;
    let lost = accounts.lost()?;
    ensure!(
        lost == BTreeSet::from([format!("report {swallowed}")]),
        "{lost:?} are lost, not {swallowed}"
    );
    end(accounts.processes)
}
