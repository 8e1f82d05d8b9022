//! Whatever arrives in whatever batches, the archive is what the rule says of all of it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI32, Ordering},
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};
use scoresync_archive::{Archive, ArchiveError, Batch, EnrichedPosition, Rebuild, Refusals, TrainingRecord};
use scoresync_domain::{EnrichedScore, Fate, Refusal, Repeat, ResultId, Status};

use super::{
    builders::{Said, apply_employees, batch, claim, employee, partition, score, with, withdrawal},
    model::{Arrival, Expected, Key, Model, key},
};

/// Something that happens, in terms of a small alphabet, so that it happens again.
#[derive(Clone, Debug)]
enum Event {
    /// A statement about one of two results, each in a partition of its own.
    Says {
        result: usize,
        offset: i64,
        mapping_version: i32,
        decision: i64,
        employee: Option<u8>,
    },
    /// Something that cannot be decoded.
    Garbage(usize),
    /// What was read so far is applied.
    Commit,
    /// Everything that was read so far is written to the topic again.
    Replay,
    /// An employee gets the next number, which the HR system writes carelessly.
    Link(u8),
}

fn any_event() -> impl Strategy<Value = Event> {
    let employee = prop_oneof![6 => Just(Some(1)), 2 => Just(Some(2)), 1 => Just(Some(3)), 1 => Just(None)];
    let decision = prop_oneof![6 => Just(0), 1 => Just(5), 1 => Just(9)];
    // Few of them say much about one origin, the others repeat and correct what was said elsewhere.
    let offset = prop_oneof![3 => 0..4_i64, 2 => 4..40_i64];
    let says =
        (0..2_usize, offset, 1..3_i32, decision, employee).prop_map(|(result, offset, mapping_version, decision, employee)| Event::Says {
            result,
            offset,
            mapping_version,
            decision,
            employee,
        });
    prop_oneof![
        24 => says,
        1 => (0..2_usize).prop_map(Event::Garbage),
        8 => Just(Event::Commit),
        1 => Just(Event::Replay),
        1 => select(vec![1, 2, 3]).prop_map(Event::Link),
    ]
}

/// One run has results, employees and partitions of its own, so that many share an archive.
struct Run {
    number: i32,
    /// What each origin says under each mapping: chosen per run.
    seed: i64,
    model: Model,
    unread: [Vec<Said>; 2],
    read: [Vec<Said>; 2],
    next: [i64; 2],
}

impl Run {
    fn employee(&self, employee: u8) -> String {
        format!("E{employee}-{}", self.number)
    }

    fn partition(&self, result: usize) -> i32 {
        self.number * 2 + result as i32
    }

    fn say(&self, event: &Event) -> Option<EnrichedScore<'static>> {
        let Event::Says {
            result,
            offset,
            mapping_version,
            decision,
            employee,
        } = event
        else {
            return None;
        };
        let seed = (self.seed + offset * 5 + i64::from(*mapping_version) * 11) % 60;
        let name = format!("{}-{result}", self.number);
        let said = if seed % 5 == 0 {
            withdrawal(&name, *offset)
        } else {
            score(&name, *offset, seed % 3)
        };
        Some(with(said, |score| {
            score.status = if seed % 5 != 0 && seed % 7 == 0 {
                Status::Provisional
            } else {
                score.status
            };
            score.mapping_version = *mapping_version;
            score.decision = *decision;
            score.employee_no = employee.map(|employee| self.employee(employee).into());
            score.revision = (self.seed % 2 == 0 && seed % 3 != 1).then_some(seed % 2);
            score.revision_scheme = [2, 0].get(seed as usize % 11).copied().unwrap_or(1);
            score.repeat = if self.seed % 3 == 0 {
                Repeat::Correction
            } else {
                Repeat::Redelivery
            };
            score.course_title = (seed % 4 == 0).then(|| format!("title {mapping_version}").into());
        }))
    }

    fn read(&mut self, result: usize, said: Said) {
        self.unread[result].push(said);
    }

    /// The model takes what was not applied yet, and says how many are refused then that were not before.
    fn tell_model(&mut self) -> bool {
        let mut newly_refused = Vec::new();
        for result in 0..2 {
            for (offset, said) in (self.next[result]..).zip(&self.unread[result]) {
                let place = (self.partition(result), offset);
                match said {
                    Err(_) => drop(self.model.fates.insert(place, Fate::Refused)),
                    Ok(score) => {
                        newly_refused.push(place);
                        self.model.arrive(Arrival {
                            place,
                            score: score.clone(),
                        });
                    }
                }
            }
        }
        newly_refused.iter().any(|place| self.model.fates[place] == Fate::Refused)
    }

    fn batches(&self) -> Vec<Batch<'static>> {
        let of_result = |result: usize| batch(self.partition(result), self.next[result], self.unread[result].clone());
        vec![of_result(0), of_result(1)]
    }

    async fn commit(&mut self, archive: &Archive) -> Result<(), TestCaseError> {
        let batches = self.batches();
        let would_refuse = self.tell_model();
        let mut applied = archive.apply_scores(&batches, Refusals::Withhold).await;
        prop_assert_eq!(matches!(applied, Err(ArchiveError::WouldRefuse)), would_refuse);
        if would_refuse {
            applied = archive.apply_scores(&batches, Refusals::Judge).await;
        }
        let fates = applied.map_err(|error| TestCaseError::fail(format!("{error:?}")))?.fates;
        let mut expected = Vec::new();
        for result in 0..2 {
            let places = (self.next[result]..).take(self.unread[result].len());
            expected.extend(places.map(|offset| self.model.fates[&(self.partition(result), offset)]));
            self.next[result] += self.unread[result].len() as i64;
            let unread = std::mem::take(&mut self.unread[result]);
            self.read[result].extend(unread);
        }
        prop_assert_eq!(fates, expected);
        let zombie = archive.apply_scores(&batches, Refusals::Judge).await;
        let moved = batches.iter().any(|batch| batch.expected_offset != batch.next_offset);
        prop_assert_eq!(matches!(zombie, Err(ArchiveError::LostPosition { .. })), moved);
        Ok(())
    }

    /// Everything anew from all that was read.
    async fn rebuild(&self, archive: &Archive) -> Result<(), TestCaseError> {
        let mut entries = Vec::new();
        let mut undecodable = Vec::new();
        for result in 0..2 {
            for entry in batch(self.partition(result), 0, self.read[result].clone()).entries {
                let place = EnrichedPosition {
                    generation: 1,
                    partition: self.partition(result),
                    offset: entry.offset,
                };
                undecodable.extend(entry.score.is_err().then_some(place));
                entries.push((place, entry));
            }
        }
        let read = BTreeMap::from([0, 1].map(|result| ((1, self.partition(result)), 0..self.next[result])));
        let mut results: Vec<ResultId> = self.model.results.keys().copied().collect();
        results.sort_unstable();
        let rebuild = Rebuild {
            read: &read,
            results: &results,
            undecodable,
            entries,
        };
        let rebuilt = archive.rebuild(rebuild).await;
        rebuilt.map_err(|error| TestCaseError::fail(format!("{error:?}")))
    }

    async fn happen(&mut self, archive: &Archive, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Says { result, .. } => {
                let said = self.say(event).unwrap();
                self.read(*result, Ok(said));
            }
            Event::Garbage(result) => self.read(*result, Err(b"?")),
            Event::Commit => self.commit(archive).await?,
            Event::Replay => {
                for result in 0..2 {
                    let again = [&self.read[result][..], &self.unread[result]].concat();
                    self.unread[result].extend(again.into_iter().take(12));
                }
            }
            Event::Link(number) => {
                self.commit(archive).await?;
                let (from, to) = (self.employee(*number), self.employee(number + 1));
                apply_employees(archive, &[employee(&from, Some(&to.to_lowercase()), 1)]).await;
                self.model.link(&from, &to);
            }
        }
        Ok(())
    }
}

type Content = (Option<i64>, Option<String>);

fn content(score: &EnrichedScore<'_>) -> Content {
    let points = score.exam_score.map(scoresync_domain::Score::as_millionths);
    (points, score.course_title.as_deref().map(str::to_owned))
}

fn read_content(content: &scoresync_archive::Content<'_>) -> Content {
    let points = content.exam_score.map(scoresync_domain::Score::as_millionths);
    (points, content.course_title.as_deref().map(str::to_owned))
}

fn head_key(head: &scoresync_archive::Head<'_>) -> Key {
    let employee_no = head.employee_no.as_deref().map(str::to_owned);
    (head.origin, head.mapping_version, head.decision, employee_no)
}

fn check_record(
    record: &TrainingRecord,
    expected: &Expected,
    counting: BTreeMap<Key, &EnrichedScore<'static>>,
) -> Result<(), TestCaseError> {
    let said = expected.record.as_ref().unwrap();
    prop_assert_eq!(head_key(&record.head), key(said));
    prop_assert_eq!(
        (record.head.content_hash, record.head.received_at),
        (said.content_hash, said.received_at)
    );
    let shown = record
        .shown
        .as_ref()
        .map(|shown| (shown.status, shown.content_hash, read_content(&shown.content)));
    let shown_expected = expected.shown.as_ref().map(|said| (said.status, said.content_hash, content(said)));
    prop_assert_eq!(shown, shown_expected);
    let history: BTreeMap<Key, Content> = record
        .history
        .iter()
        .map(|said| (head_key(&said.head), read_content(&said.content)))
        .collect();
    prop_assert_eq!(history.len(), record.history.len());
    let others = counting.into_iter().filter(|(other, _)| *other != key(said));
    prop_assert_eq!(history, others.map(|(key, said)| (key, content(said))).collect());
    Ok(())
}

async fn check_all(archive: &Archive, run: &Run) -> Result<(), TestCaseError> {
    let mut records: BTreeMap<ResultId, TrainingRecord> = BTreeMap::new();
    for number in 1..=4 {
        for record in archive.records_of(&run.employee(number)).await.unwrap() {
            records.insert(record.result_id, record);
        }
    }
    let kept = archive.refused_scores(None, u32::MAX).await.unwrap();
    let kept = kept.into_iter().filter(|refused| refused.reason == Refusal::OwnerChanged);
    let mut kept: Vec<_> = kept.map(|refused| (refused.position.partition, refused.position.offset)).collect();
    kept.retain(|(partition, _)| partition / 2 == run.number);
    let mut refused = Vec::new();
    for (result_id, result) in &run.model.results {
        let expected = run.model.judge_all(result);
        refused.extend(expected.refused.clone());
        match (records.get(result_id), &expected.owner) {
            (Some(record), Some(owner)) => {
                let named = record.owner_employee_no.as_deref().unwrap();
                prop_assert_eq!(&run.model.last(named), owner);
                check_record(record, &expected, run.model.counting(result))?;
            }
            (None, None) => {}
            (record, owner) => prop_assert!(false, "{record:?} of {owner:?}"),
        }
    }
    refused.sort_unstable();
    prop_assert_eq!(refused.len(), run.model.count_refused());
    prop_assert_eq!(kept, refused);
    let mut counts: BTreeMap<(i32, Fate), i64> = BTreeMap::new();
    for ((partition, _), fate) in &run.model.fates {
        *counts.entry((*partition, *fate)).or_default() += 1;
    }
    let counted = archive.fate_counts().await.unwrap().into_iter();
    let counted = counted.filter(|count| count.partition / 2 == run.number && count.count != 0);
    prop_assert_eq!(
        counted
            .map(|count| ((count.partition, count.fate), count.count))
            .collect::<BTreeMap<_, _>>(),
        counts
    );
    Ok(())
}

async fn run_case(archive: &Archive, (seed, events): (i64, Vec<Event>)) -> Result<(), TestCaseError> {
    static NUMBER: AtomicI32 = AtomicI32::new(0);
    let mut run = Run {
        number: NUMBER.fetch_add(1, Ordering::Relaxed),
        seed,
        model: Model::default(),
        unread: [Vec::new(), Vec::new()],
        read: [Vec::new(), Vec::new()],
        next: [0, 0],
    };
    for result in 0..2 {
        claim(archive, partition(run.partition(result))).await;
    }
    for event in &events {
        run.happen(archive, event).await?;
    }
    run.commit(archive).await?;
    check_all(archive, &run).await?;
    run.rebuild(archive).await?;
    check_all(archive, &run).await
}

pub(crate) async fn any_batching_gives_what_the_rule_says(archive: &Archive) {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(150);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let handle = tokio::runtime::Handle::current();
    let case = (0..60_i64, vec(any_event(), 1..40));
    let outcome = tokio::task::block_in_place(|| TestRunner::new(config).run(&case, |case| handle.block_on(run_case(archive, case))));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
