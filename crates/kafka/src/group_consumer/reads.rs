//! The partitions that are read, and whether each brings what its log has.
//!
//! librdkafka (2.12) can leave partitions paused after a rebalance: a pause of its own is queued, and a resume that comes before the pause is
//! carried out is dropped (`rd_kafka_toppar_op_pause_resume`). Nobody is told. What does not move although its log goes on, for ten looks at
//! the client's statistics, is told to the owner, who starts it again. As the client knows of an end only by fetching, the broker is asked for
//! the ends of partitions that do not move.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{Statistics, statistics::Partition};

use super::TopicPartition;

/// The statistics come once a second.
const LOOKS: u32 = 10;
/// Statistics that come sooner had piled up while nobody polled.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A leader that has owed an answer for so many microseconds is why nothing moves.
const DEAF_AFTER: i64 = 5_000_000;
/// How often the broker is asked for the end of one partition that does not move.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// Between two questions.
const BREATH: Duration = Duration::from_millis(200);

/// The partitions.
#[derive(Default)]
pub(super) struct Reads {
    reads: BTreeMap<TopicPartition, Read>,
    next_look: Option<Instant>,
    next_question: Option<Instant>,
}

#[derive(Default)]
struct Read {
    is_paused: bool,
    /// What would be fetched next when it was looked at last, and how often it had been the same with more in the log.
    next_offset: i64,
    looks: u32,
    has_moved: bool,
    /// What the broker said when it was asked last.
    end: i64,
    next_question: Option<Instant>,
}

impl Reads {
    pub(super) fn start(&mut self, place: TopicPartition) {
        self.reads.insert(place, Read::default());
    }

    /// Says whether it was read.
    pub(super) fn end(&mut self, place: &TopicPartition) -> bool {
        self.reads.remove(place).is_some()
    }

    pub(super) fn set_paused(&mut self, place: &TopicPartition, is_paused: bool) {
        if let Some(read) = self.reads.get_mut(place) {
            (read.is_paused, read.looks) = (is_paused, 0);
        }
    }

    /// A partition whose end the broker should be asked for now.
    pub(super) fn question(&mut self, now: Instant) -> Option<TopicPartition> {
        if self.next_question.is_some_and(|time| time > now) {
            return None;
        }
        let is_due = |read: &Read| !read.is_paused && !read.has_moved && read.next_question.is_none_or(|time| time <= now);
        let due = self.reads.iter_mut().filter(|(_, read)| is_due(read));
        let (place, read) = due.min_by_key(|(_, read)| read.next_question)?;
        read.next_question = Some(now + ASK_EVERY);
        self.next_question = Some(now + BREATH);
        Some(place.clone())
    }

    /// What the broker said to the question; where it did not answer, it is left in peace for a while.
    pub(super) fn answer(&mut self, place: &TopicPartition, end: Option<i64>, now: Instant) {
        match (self.reads.get_mut(place), end) {
            (Some(read), Some(end)) => read.end = end,
            (None, Some(_)) => {}
            (_, None) => self.next_question = Some(now + ASK_EVERY),
        }
    }

    /// Gives the partitions that do not move.
    pub(super) fn look(&mut self, statistics: &Statistics, now: Instant) -> Vec<TopicPartition> {
        if self.next_look.is_some_and(|time| time > now) {
            return Vec::new();
        }
        self.next_look = Some(now + LOOK_EVERY);
        let mut stalled = Vec::new();
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values() {
                let place = TopicPartition {
                    topic: topic.topic.clone(),
                    partition: partition.partition,
                };
                let Some(read) = self.reads.get_mut(&place) else { continue };
                if read.stands_still(partition, has_answered(statistics, partition.leader)) {
                    warn(statistics, &place, partition, read.end);
                    stalled.push(place);
                }
            }
        }
        stalled
    }
}

/// Whether a broker is there, and owes no answer for long. One that nothing is fetched from any more is silent, too.
fn has_answered(statistics: &Statistics, leader: i32) -> bool {
    let mut brokers = statistics.brokers.values();
    brokers.any(|broker| {
        let is_prompt = broker.waitresp_cnt == 0 || (0..=DEAF_AFTER).contains(&broker.rxidle);
        broker.nodeid == leader && broker.state == "UP" && is_prompt
    })
}

impl Read {
    fn stands_still(&mut self, partition: &Partition, leader_has_answered: bool) -> bool {
        self.has_moved = partition.next_offset != self.next_offset;
        self.next_offset = partition.next_offset;
        let has_more = (0..partition.ls_offset.max(self.end)).contains(&partition.next_offset);
        // Those of all partitions, which fill the memory that there is for them: nothing is fetched meanwhile.
        let records_wait_for_owner = partition.fetchq_cnt > 0;
        if self.is_paused || self.has_moved || records_wait_for_owner || !has_more || !leader_has_answered {
            self.looks = 0;
            return false;
        }
        self.looks += 1;
        let stands_still = self.looks >= LOOKS;
        if stands_still {
            self.looks = 0;
        }
        stands_still
    }
}

fn warn(statistics: &Statistics, place: &TopicPartition, partition: &Partition, asked_end: i64) {
    let group = statistics.cgrp.as_ref();
    tracing::warn!(
        topic = place.topic,
        partition = place.partition,
        next_offset = partition.next_offset,
        app_offset = partition.app_offset,
        end = partition.ls_offset.max(asked_end),
        fetch_state = partition.fetch_state,
        join_state = group.map(|group| group.join_state.as_str()),
        assignment_size = group.map(|group| group.assignment_size),
        "the client has stopped reading a partition whose log goes on; it is started again"
    );
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::{Broker, Topic};

    use super::*;

    const LOG_END: i64 = 50;

    fn place() -> TopicPartition {
        nth(0)
    }

    fn nth(partition: i32) -> TopicPartition {
        TopicPartition {
            topic: "t".to_owned(),
            partition,
        }
    }

    fn at(next_offset: i64) -> Partition {
        Partition {
            leader: 1,
            next_offset,
            ls_offset: LOG_END,
            ..Partition::default()
        }
    }

    fn leader() -> Broker {
        Broker {
            nodeid: 1,
            state: "UP".to_owned(),
            waitresp_cnt: 1,
            ..Broker::default()
        }
    }

    fn statistics(partition: Partition, leader: Broker) -> Statistics {
        let other = Broker {
            nodeid: 2,
            ..self::leader()
        };
        let topic = Topic {
            topic: "t".to_owned(),
            partitions: [(0, partition)].into(),
            ..Topic::default()
        };
        Statistics {
            topics: [("t".to_owned(), topic)].into(),
            brokers: [("1".to_owned(), leader), ("2".to_owned(), other)].into(),
            ..Statistics::default()
        }
    }

    fn reading() -> Reads {
        let mut reads = Reads::default();
        reads.start(place());
        reads
    }

    /// How many of twenty looks, one every second, find it standing still.
    fn found(reads: &mut Reads, partition: impl Fn(i64) -> Partition, leader: &Broker) -> usize {
        let begun = reads.next_look.unwrap_or_else(Instant::now);
        let looks = (0..20).map(|look| {
            let statistics = statistics(partition(look), leader.clone());
            reads.look(&statistics, begun + Duration::from_secs(u64::try_from(look).unwrap()))
        });
        looks.map(|stalled| stalled.len()).sum()
    }

    #[test]
    fn a_partition_that_does_not_move_although_its_log_goes_on_is_found_after_ten_looks() {
        let (mut reads, begun) = (reading(), Instant::now());
        let looks = (0..12).map(|look| reads.look(&statistics(at(30), leader()), begun + Duration::from_secs(look)));
        let first = looks.enumerate().find(|(_, stalled)| !stalled.is_empty());
        assert_eq!(first, Some((10, vec![place()])));
    }

    #[test]
    fn what_moves_or_is_at_its_end_or_waits_for_its_owner_is_not_found() {
        assert_eq!(found(&mut reading(), at, &leader()), 0, "it moves");
        assert_eq!(found(&mut reading(), |_| at(LOG_END), &leader()), 0, "it is at its end");
        assert_eq!(found(&mut reading(), |_| at(-1001), &leader()), 0, "it has not begun");
        let waiting = |_| Partition { fetchq_cnt: 4, ..at(30) };
        assert_eq!(found(&mut reading(), waiting, &leader()), 0, "records wait to be polled");
        let mut paused = reading();
        paused.set_paused(&place(), true);
        assert_eq!(found(&mut paused, |_| at(30), &leader()), 0, "it is paused");
        paused.set_paused(&place(), false);
        assert_eq!(found(&mut paused, |_| at(30), &leader()), 2, "it is not paused any more");
    }

    #[test]
    fn what_waits_for_its_leader_is_not_found() {
        let frozen = Broker {
            rxidle: DEAF_AFTER + 1,
            ..leader()
        };
        assert_eq!(found(&mut reading(), |_| at(30), &frozen), 0, "it owes an answer");
        let gone = Broker {
            state: "DOWN".to_owned(),
            ..leader()
        };
        assert_eq!(found(&mut reading(), |_| at(30), &gone), 0, "it is away");
        let unasked = Broker { waitresp_cnt: 0, ..frozen };
        assert_eq!(found(&mut reading(), |_| at(30), &unasked), 1, "it was asked nothing");
    }

    #[test]
    fn statistics_that_piled_up_are_one_look() {
        let (mut reads, now) = (reading(), Instant::now());
        let piled = (0..30).map(|_| reads.look(&statistics(at(30), leader()), now));
        assert_eq!(piled.map(|stalled| stalled.len()).sum::<usize>(), 0);
    }

    #[test]
    fn an_end_that_the_broker_alone_knows_counts_too() {
        let mut reads = reading();
        let begun = Instant::now();
        assert_eq!(found(&mut reads, |_| at(LOG_END), &leader()), 0);
        assert_eq!(reads.question(begun), Some(place()));
        assert_eq!(reads.question(begun + BREATH), None, "it was asked for just now");
        reads.answer(&place(), Some(LOG_END + 1), begun);
        assert_eq!(found(&mut reads, |_| at(LOG_END), &leader()), 2);
        assert_eq!(reads.question(begun + ASK_EVERY), Some(place()));
    }

    #[test]
    fn nobody_is_asked_about_what_moves_or_is_paused_and_a_silent_broker_is_left_in_peace() {
        let (mut reads, now) = (reading(), Instant::now());
        reads.look(&statistics(at(7), leader()), now);
        assert_eq!(reads.question(now), None, "it moves");
        reads.look(&statistics(at(7), leader()), now + LOOK_EVERY);
        reads.set_paused(&place(), true);
        assert_eq!(reads.question(now), None, "it is paused");
        reads.set_paused(&place(), false);
        assert_eq!(reads.question(now), Some(place()));
        reads.answer(&place(), None, now + BREATH);
        assert_eq!(reads.question(now + ASK_EVERY), None, "the broker did not answer");
        assert_eq!(reads.question(now + BREATH + ASK_EVERY), Some(place()));
    }

    #[test]
    fn a_partition_about_which_nobody_answers_keeps_no_other_from_its_turn() {
        let (mut reads, mut now) = (reading(), Instant::now());
        reads.start(nth(1));
        let asked = (0..4).map(|_| {
            let place = reads.question(now).unwrap();
            let answer = (place == nth(1)).then_some(LOG_END);
            reads.answer(&place, answer, now);
            now += ASK_EVERY;
            place.partition
        });
        assert_eq!(asked.collect::<Vec<_>>(), [0, 1, 0, 1]);
    }

    #[test]
    fn what_is_not_read_is_not_found() {
        let mut reads = reading();
        assert!(reads.end(&place()) && !reads.end(&place()));
        assert_eq!(found(&mut reads, |_| at(30), &leader()), 0);
        assert_eq!(reads.question(Instant::now()), None);
    }
}
