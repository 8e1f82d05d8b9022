//! The note beside each recorded position: which topic it belongs to, so that a recreated or grown one is noticed, and which schemas were met,
//! so that another registry is.

use scoresync_kafka::{Error, TopicDescription};

use crate::schema_memories::SchemaMemories;

/// What the note says, as text: `topic=<id> partitions=<count> schemas.raw=…`.
pub(crate) fn write(topic: &str, memories: &SchemaMemories) -> String {
    format!("{topic}{}", memories.note())
}

/// The beginning of the note.
pub(crate) fn topic(topic: &TopicDescription) -> String {
    format!("topic={} partitions={}", topic.topic_id, topic.partitions)
}

/// The note of the anchor, which stands in another topic and says whose it is.
pub(crate) fn anchor(name: &str, topic: &str) -> String {
    format!("of={name} {topic}")
}

/// Compares an anchor with the topic as it is now, where it is the anchor of a topic of that name: of another one (an earlier generation), or
/// without a note, it says nothing.
pub(crate) fn check_anchor(name: &str, note: &str, present: &TopicDescription) -> Result<(), Error> {
    let of_topic = note.split_once(' ').filter(|(first, _)| *first == format!("of={name}"));
    of_topic.map_or(Ok(()), |(_, recorded)| check(name, recorded, present))
}

/// Compares a note with the topic as it is now. A position without a note (set by a person with Kafka's own tools) is believed.
pub(crate) fn check(name: &str, note: &str, present: &TopicDescription) -> Result<(), Error> {
    let words: Vec<&str> = note.split(' ').filter(|word| !word.starts_with("schemas.")).collect();
    let (recorded, now) = (words.join(" "), topic(present));
    if recorded.is_empty() || recorded == now {
        return Ok(());
    }
    let difference = format!("they were recorded for {recorded}, it is {now}");
    Err(Error::TopicChanged {
        topic: name.to_owned(),
        difference,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema_memories::tests::nothing;

    fn described(topic_id: &str, partitions: i32) -> TopicDescription {
        TopicDescription {
            topic_id: topic_id.to_owned(),
            partitions,
        }
    }

    #[test]
    fn a_recreated_or_grown_topic_is_another_one_whatever_schemas_it_had() {
        let knowing = nothing();
        knowing.raw.remember(5, "\"string\"").unwrap();
        for memories in [nothing(), knowing] {
            let note = write(&topic(&described("a", 8)), &memories);
            let check = |present: TopicDescription, is_same: bool| {
                let checked = check("scores.raw", &note, &present);
                assert_eq!(checked.is_ok(), is_same, "{note} {present:?}");
                assert!(matches!(checked, Ok(()) | Err(Error::TopicChanged { .. })));
            };
            check(described("a", 8), true);
            check(described("b", 8), false);
            check(described("a", 9), false);
        }
    }

    #[test]
    fn an_anchor_speaks_of_the_topic_of_its_name_alone() {
        let note = anchor("scores.raw", &topic(&described("a", 8)));
        let check = |name: &str, present: TopicDescription, is_same: bool| {
            assert_eq!(check_anchor(name, &note, &present).is_ok(), is_same, "{name} {present:?}");
        };
        check("scores.raw", described("a", 8), true);
        check("scores.raw", described("b", 8), false);
        check("scores.raw", described("a", 9), false);
        check("scores.raw.g2", described("b", 8), true);
        check_anchor("scores.raw", "", &described("b", 8)).unwrap();
    }

    #[test]
    fn a_position_without_a_note_or_without_schemas_is_believed() {
        for note in ["", "topic=a partitions=8"] {
            check("scores.raw", note, &described("a", 8)).unwrap();
            let memories = nothing();
            memories.recall(note).unwrap();
            assert_eq!(memories.note(), "", "{note}");
        }
    }
}
