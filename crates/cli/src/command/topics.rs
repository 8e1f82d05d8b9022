//! `scoresync topics create|check`.

use scoresync_kafka::{Creation, Topic, create_topics, verify_topics};
use scoresync_service::Exit;
use serde_json::json;

use super::Context;
use crate::{arguments::Topics, failure::Failure};

pub(super) async fn run(arguments: &Topics, context: &Context) -> Result<Exit, Failure> {
    let (kafka, topics) = (&context.configuration.kafka, &context.configuration.topics);
    if matches!(arguments, Topics::Create) {
        let creations = create_topics(kafka, topics).await?;
        let documents: Vec<_> = creations.iter().map(describe).collect();
        context.output.print(&documents, |_| creations.iter().map(sentence).collect())?;
    }
    let problems = verify_topics(&Topic::ALL, kafka, topics).await?;
    let is_good = problems.is_empty();
    if !is_good || matches!(arguments, Topics::Check) {
        context.output.print(&json!({ "problems": problems }), |_| {
            if is_good {
                vec!["all topics are as they must be".to_owned()]
            } else {
                problems.clone()
            }
        })?;
    }
    Ok(if is_good { Exit::Ok } else { Exit::Failed })
}

fn describe(creation: &Creation) -> serde_json::Value {
    match creation {
        Creation::Created(topic) => json!({ "topic": topic, "created": true }),
        Creation::Present(topic) => json!({ "topic": topic, "created": false }),
    }
}

fn sentence(creation: &Creation) -> String {
    match creation {
        Creation::Created(topic) => format!("{topic}: created"),
        Creation::Present(topic) => format!("{topic}: was there already"),
    }
}
