//! `scoresync reconcile history`: what the reconciler's runs came to.

use scoresync_archive::{Access, ReconciliationRun};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::Context;
use crate::{arguments::History, failure::Failure, open_archive::open_archive, output::table};

pub(super) async fn run(arguments: &History, context: &Context) -> Result<Exit, Failure> {
    let runs = runs(arguments, context).await?;
    let document: Vec<Value> = runs.iter().map(document).collect();
    context.output.print(&document, |_| lines(&runs))?;
    Ok(Exit::Ok)
}

async fn runs(arguments: &History, context: &Context) -> anyhow::Result<Vec<ReconciliationRun>> {
    let archive = open_archive(&context.configuration, Access::Reader).await?;
    Ok(archive.reconciliations(arguments.source.as_deref(), arguments.limit).await?)
}

fn document(run: &ReconciliationRun) -> Value {
    let result = run.result.as_ref();
    let classes = result.and_then(|result| serde_json::from_str::<Value>(&result.classes).ok());
    json!({
        "source": run.source,
        "due": run.due.to_string(),
        "begun": run.begun.to_string(),
        "ended": result.map(|result| result.ended.to_string()),
        "outcome": result.map_or("running", |result| &result.outcome),
        "listed": result.map(|result| result.listed),
        "archived": result.map(|result| result.archived),
        "classes": classes,
        "sent": result.map(|result| result.sent),
        "problem": result.and_then(|result| result.problem.as_deref()),
    })
}

fn lines(runs: &[ReconciliationRun]) -> Vec<String> {
    if runs.is_empty() {
        return vec!["no comparison has run by itself yet; [reconcile.SOURCE] of the configuration says when they do".to_owned()];
    }
    let heading = ["source", "due", "outcome", "rows", "sent", "differences"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(runs.iter().map(|run| {
        let Some(result) = &run.result else {
            return vec![run.source.clone(), run.due.to_string(), "running".to_owned()];
        };
        let classes: serde_json::Map<String, Value> = serde_json::from_str(&result.classes).unwrap_or_default();
        let differing = classes.iter().filter(|(_, count)| count.as_u64() != Some(0));
        let told: Vec<String> = differing.map(|(class, count)| format!("{count} {class}")).collect();
        vec![
            run.source.clone(),
            run.due.to_string(),
            result.outcome.clone(),
            result.listed.to_string(),
            result.sent.to_string(),
            result.problem.clone().unwrap_or_else(|| told.join(", ")),
        ]
    }));
    table(&rows)
}
