//! Who replaced whom, and does not any more.

use anyhow::{Context, ensure};
use scoresync_domain::{Employee, Timestamp};
use scoresync_kafka::{Encoder, Topic, TopicNames};

use super::Accounts;
use crate::{
    desk::by_phone,
    support::{Bytes, Foreign, SETTLE, balance, end, until},
};

/// Of E100 and E200.
const PHONES: [&str; 2] = ["19900000100", "19900000200"];

impl Accounts {
    /// A connector says of E100 by whom she is replaced, or, saying nothing, that she is erased. Waits until the archive has heard of it.
    async fn replace(&self, replaced_by: Option<Option<&str>>, as_of: &str) -> anyhow::Result<()> {
        let foreign = Foreign::of(&self.scene)?;
        let Some(replaced_by) = replaced_by else {
            foreign.erase((Topic::Employees, 0), "E100").await?;
            return self.until_employees_are_known().await;
        };
        let employee = Employee {
            employee_no: "E100".to_owned(),
            name: None,
            department: None,
            position: None,
            identities: Vec::new(),
            left_at: None,
            replaced_by: replaced_by.map(str::to_owned),
            as_of: Timestamp::parse_rfc3339(as_of).context("no time")?,
        };
        let mut value = Vec::new();
        Encoder::<Employee>::new(foreign.schema_id(Topic::Employees).await?).encode(&employee, &mut value)?;
        foreign.write((Topic::Employees, 0), &Bytes::new("E100", value)).await?;
        self.until_employees_are_known().await
    }

    async fn until_employees_are_known(&self) -> anyhow::Result<()> {
        let archive = self.scene.archive().await?;
        let name = TopicNames::new(&self.scene.installation.topics).name(Topic::Employees);
        until("the archive knows all employees", SETTLE, async || {
            let ends = self.scene.topics.ends(Topic::Employees).await?;
            let positions = archive.positions(&name).await?;
            Ok(ends
                .iter()
                .all(|(partition, end)| *end == 0 || positions.get(partition) == Some(end)))
        })
        .await
    }

    /// Sends what is said of R-1 by somebody's phone; waits until it is judged, and so many scores are refused.
    async fn report(&self, phone: &str, score: &str, refused: usize) -> anyhow::Result<()> {
        let archive = self.scene.archive().await?;
        let judged = archive.judged().await?;
        let foreign = Foreign::of(&self.scene)?;
        let value = foreign.encode(&by_phone(("R-1", phone), score)).await?;
        foreign.write((Topic::Raw, 0), &Bytes::new("k", value)).await?;
        until("it is judged", SETTLE, async || Ok(archive.judged().await? > judged)).await?;
        let found = archive.refused().await?.len();
        ensure!(found == refused, "{found} are refused after {score}, not {refused}");
        Ok(())
    }
}

/// What counted by a `replaced_by` counts when that is over; what comes then does not.
#[tokio::test(flavor = "multi_thread")]
async fn the_books_balance_when_who_replaced_whom_is_taken_back_or_erased() -> anyhow::Result<()> {
    let accounts = Accounts::open().await?;
    let archive = accounts.scene.archive().await?;
    accounts.report(PHONES[0], "60", 0).await?;
    accounts.report(PHONES[1], "70", 1).await?;
    accounts.replace(Some(Some("E200")), "2027-01-01T00:00:00Z").await?;
    ensure!(archive.refused().await?.is_empty(), "it is refused still");
    balance(&accounts.scene)?;
    accounts.replace(Some(None), "2027-01-02T00:00:00Z").await?;
    balance(&accounts.scene)?;
    accounts.report(PHONES[1], "80", 1).await?;
    balance(&accounts.scene)?;
    // Nobody else could have it.
    let file = archive.file("E100").await?;
    let from_skills = file
        .iter()
        .find(|record| record.shown.as_ref().is_some_and(|shown| shown.content.source == "skills"));
    let result = from_skills.context("nothing was filed")?.result_id;
    let owned_by = |number: &str| format!("UPDATE training_record SET owner_employee_no = '{number}' WHERE result_id = '{result}'");
    let result = format!("result {result}");
    accounts
        .check((&owned_by("E300"), &owned_by("E100")), ("altered_record", &result))
        .await?;
    accounts.replace(Some(Some("E200")), "2027-01-03T00:00:00Z").await?;
    ensure!(archive.refused().await?.is_empty(), "it is refused still");
    accounts.replace(None, "").await?;
    accounts.report(PHONES[1], "90", 1).await?;
    balance(&accounts.scene)?;
    end(accounts.processes)
}
