//! The note beside each recorded position: which topic it belongs to, so that a recreated or grown one is noticed.

use scoresync_kafka::{Error, TopicDescription};

/// What the note says, as text: `topic=<id> partitions=<count>`.
pub(crate) fn write(topic: &TopicDescription) -> String {
    format!("topic={} partitions={}", topic.topic_id, topic.partitions)
}

/// Compares a note with the topic as it is now. A position without a note (set by a person with Kafka's own tools) is believed.
pub(crate) fn check(name: &str, note: &str, present: &TopicDescription) -> Result<(), Error> {
    let now = write(present);
    if note.is_empty() || note == now {
        return Ok(());
    }
    let difference = format!("they were recorded for {note}, it is {now}");
    Err(Error::TopicChanged {
        topic: name.to_owned(),
        difference,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recreated_or_grown_topic_is_another_one() {
        let topic = |topic_id: &str, partitions| TopicDescription {
            topic_id: topic_id.to_owned(),
            partitions,
        };
        let note = write(&topic("a", 8));
        assert!(check("scores.raw", &note, &topic("a", 8)).is_ok());
        assert!(check("scores.raw", "", &topic("a", 8)).is_ok());
        assert!(matches!(
            check("scores.raw", &note, &topic("b", 8)),
            Err(Error::TopicChanged { .. })
        ));
        assert!(matches!(
            check("scores.raw", &note, &topic("a", 9)),
            Err(Error::TopicChanged { .. })
        ));
    }
}
