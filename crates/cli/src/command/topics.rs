//! `scoresync topics create|check`.

use std::time::{Duration, Instant};

use scoresync_kafka::{Creation, Error, Topic, create_topics, verify_topics};
use scoresync_service::Exit;
use serde_json::json;

use super::Context;
use crate::{arguments::Topics, failure::Failure};

/// A broker shows a topic that it has made only after a moment, other brokers later still.
const APPEARANCE_LIMIT: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

pub(super) async fn run(arguments: &Topics, context: &Context) -> Result<Exit, Failure> {
    let (kafka, topics) = (&context.configuration.kafka, &context.configuration.topics);
    let mut patience = Duration::ZERO;
    if matches!(arguments, Topics::Create) {
        let creations = create_topics(kafka, topics).await?;
        let documents: Vec<_> = creations.iter().map(describe).collect();
        context.output.print(&documents, |_| creations.iter().map(sentence).collect())?;
        if creations.iter().any(|creation| matches!(creation, Creation::Created(_))) {
            patience = APPEARANCE_LIMIT;
        }
    }
    let problems = lasting_problems(context, patience).await?;
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

/// What is wrong with the topics, after everything that passes has passed or the time is over.
async fn lasting_problems(context: &Context, patience: Duration) -> Result<Vec<String>, Error> {
    let deadline = Instant::now() + patience;
    loop {
        let problems = verify_topics(&Topic::ALL, &context.configuration.kafka, &context.configuration.topics).await?;
        if problems.is_empty() || Instant::now() >= deadline {
            return Ok(problems);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
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
