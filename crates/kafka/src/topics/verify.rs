//! `topics check`, and the look that every process takes at its topics when it starts.

use std::time::{Duration, Instant};

use rdkafka::{
    admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier},
    client::DefaultClientContext,
    error::KafkaError,
};

use super::{Specification, Topic, TopicDescription, TopicNames, describe_topics, layout::partition_replicas};
use crate::{
    client,
    error::Error,
    first_contact::FirstContact,
    settings::{KafkaSettings, TopicSettings},
};

const TIMEOUT: Duration = Duration::from_secs(10);
/// For the broker that is asked, which is any of them, to hear of a topic that was made a moment ago.
const HEARD_WITHIN: Duration = Duration::from_secs(5);
const BEAT: Duration = Duration::from_millis(100);

/// Compares topics with what they must be; each problem is a sentence. None means that all is well.
///
/// Waits for the broker, so it belongs where waiting is allowed.
///
/// # Errors
/// Where the broker does not answer.
pub async fn verify_topics(which: &[Topic], kafka: &KafkaSettings, topics: &TopicSettings) -> Result<Vec<String>, Error> {
    let contact = FirstContact::new(kafka)?;
    let admin: AdminClient<DefaultClientContext> = client::base(kafka)?.create().map_err(Error::client("make an admin client"))?;
    let names = TopicNames::new(topics);
    let mut problems = Vec::new();
    for &topic in which {
        let name = names.name(topic);
        let specification = Specification::of(topic, kafka, topics);
        match layout(&contact, &name)? {
            None => problems.push(format!("{name} does not exist; `scoresync topics create` makes it")),
            Some(layout) => {
                problems.extend(layout_problems(&name, &layout, &specification));
                problems.extend(configuration_problems(&admin, (topic, &name), &specification).await?);
            }
        }
    }
    Ok(problems)
}

/// What one of our topics is, so that a namesake made later can be told from it.
///
/// Waits for the broker, so it belongs where waiting is allowed.
///
/// # Errors
/// Where the broker does not answer, or has no such topic.
pub fn describe_topic(topic: Topic, kafka: &KafkaSettings, topics: &TopicSettings) -> Result<TopicDescription, Error> {
    let admin: AdminClient<DefaultClientContext> = client::base(kafka)?.create().map_err(Error::client("make an admin client"))?;
    let name = TopicNames::new(topics).name(topic);
    describe_topics(admin.inner(), &name, TIMEOUT)?.ok_or(Error::TopicMissing(name))
}

struct Layout {
    partitions: usize,
    least_replicas: usize,
}

fn layout(contact: &FirstContact, name: &str) -> Result<Option<Layout>, Error> {
    let partitions = contact.ask(|client, timeout| partition_replicas(client, name, timeout))?;
    Ok(partitions.map(|partitions| Layout {
        partitions: partitions.len(),
        least_replicas: partitions.into_values().min().unwrap_or(0),
    }))
}

fn layout_problems(name: &str, layout: &Layout, specification: &Specification) -> Vec<String> {
    let mut problems = Vec::new();
    if layout.partitions != usize::try_from(specification.partitions).unwrap_or(0) {
        problems.push(format!(
            "{name} has {} partitions, the configuration says {} (topics.partitions); results keep their partition, so a topic is not \
             grown: make new topics with the next topics.generation",
            layout.partitions, specification.partitions
        ));
    }
    if layout.least_replicas < usize::try_from(specification.replication).unwrap_or(0) {
        problems.push(format!(
            "{name} has {} replica(s), {} are needed; on a developer's machine set kafka.dev = true",
            layout.least_replicas, specification.replication
        ));
    }
    problems
}

async fn configuration_problems(
    admin: &AdminClient<DefaultClientContext>,
    (topic, name): (Topic, &str),
    specification: &Specification,
) -> Result<Vec<String>, Error> {
    let resource = settings_of(admin, name).await?;
    let entries = resource.entry_map();
    let present = |setting: &str| entries.get(setting).and_then(|entry| entry.value.clone()).unwrap_or_default();
    let problems = specification
        .configuration
        .iter()
        .filter(|(setting, wanted)| !is_enough((topic, setting), &present(setting), wanted));
    Ok(problems
        .map(|(setting, wanted)| {
            let advice = match *setting {
                "max.message.bytes" => " (topics.max_message_bytes)",
                _ => "",
            };
            format!("{name} has {setting} = {}, {wanted} is needed{advice}", present(setting))
        })
        .collect())
}

/// Who may not ask is answered as somebody who asks a broker that does not know the topic yet.
async fn settings_of(admin: &AdminClient<DefaultClientContext>, name: &str) -> Result<ConfigResource, Error> {
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let end = Instant::now() + HEARD_WITHIN;
    loop {
        let answers = admin
            .describe_configs([&ResourceSpecifier::Topic(name)], &options)
            .await
            .map_err(Error::client("ask for a topic's settings"))?;
        let answer = answers.into_iter().next().transpose();
        let resource = answer.map_err(|code| Error::on_topic("ask for the settings of", name, KafkaError::AdminOp(code)))?;
        match resource {
            Some(resource) if !resource.entries.is_empty() => return Ok(resource),
            Some(_) | None if Instant::now() > end => return Err(Error::SettingsHidden(name.to_owned())),
            Some(_) | None => tokio::time::sleep(BEAT).await,
        }
    }
}

/// More of a limit is enough; all else has to be as it is wanted. Reports that may be larger than expected would find no room in the
/// topics after theirs.
fn is_enough((topic, setting): (Topic, &str), present: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().ok().map(|number| if number < 0 { i64::MAX } else { number });
    match setting {
        "max.message.bytes" if topic == Topic::Raw => present == wanted,
        "max.message.bytes" | "retention.ms" | "min.insync.replicas" => number(present) >= number(wanted),
        _ => present == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::{Topic, is_enough};

    #[test]
    fn a_wider_limit_is_enough_unless_it_lets_in_what_others_do_not_take() {
        let check = |topic, setting, (present, wanted), expected| {
            assert_eq!(
                is_enough((topic, setting), present, wanted),
                expected,
                "{setting} {present} for {wanted}"
            );
        };
        check(Topic::Raw, "retention.ms", ("-1", "1000"), true);
        check(Topic::Raw, "retention.ms", ("1000", "-1"), false);
        check(Topic::DeadLetters, "max.message.bytes", ("2000", "1000"), true);
        check(Topic::DeadLetters, "max.message.bytes", ("", "1000"), false);
        check(Topic::Raw, "max.message.bytes", ("1000", "1000"), true);
        check(Topic::Raw, "max.message.bytes", ("2000", "1000"), false);
        check(Topic::Employees, "cleanup.policy", ("compact,delete", "compact"), false);
    }
}
