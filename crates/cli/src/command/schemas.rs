//! `scoresync schemas register|check`.

use scoresync_kafka::{Registry, SubjectState, TopicNames, subjects};
use scoresync_service::Exit;
use serde_json::json;

use super::Context;
use crate::{arguments::Schemas, failure::Failure};

pub(super) async fn run(arguments: &Schemas, context: &Context) -> Result<Exit, Failure> {
    let registry = Registry::new(&context.configuration.registry)?;
    let (mut documents, mut sentences, mut is_good) = (Vec::new(), Vec::new(), true);
    for subject in subjects(&TopicNames::new(&context.configuration.topics)) {
        if matches!(arguments, Schemas::Register) {
            subject.register(&registry).await?;
        }
        let name = &subject.subject;
        let (state, schema_id, sentence) = match subject.state(&registry).await? {
            SubjectState::Registered(schema_id) => ("registered", Some(schema_id), format!("{name}: registered under id {schema_id}")),
            SubjectState::Missing => ("missing", None, format!("{name}: missing; `scoresync schemas register` adds it")),
            SubjectState::Incompatible => (
                "incompatible",
                None,
                format!("{name}: the registry has versions that ours is not compatible with"),
            ),
        };
        is_good &= schema_id.is_some();
        documents.push(json!({ "subject": name, "state": state, "schema_id": schema_id }));
        sentences.push(sentence);
    }
    context.output.print(&documents, |_| sentences)?;
    Ok(if is_good { Exit::Ok } else { Exit::Failed })
}
