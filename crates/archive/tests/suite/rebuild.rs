//! Results that are made anew.

use std::collections::BTreeMap;

use scoresync_archive::{Archive, ArchiveError, EnrichedPosition, Rebuild, Refusals};
use scoresync_domain::{Fate, ResultId};

use super::builders::{ENRICHED, batch, claim, naming, partition, result, score};

fn place(partition: i32, offset: i64) -> EnrichedPosition {
    EnrichedPosition {
        generation: 1,
        partition,
        offset,
    }
}

async fn records(archive: &Archive, employee_no: &str, key: ResultId) -> usize {
    let records = archive.records_of(employee_no).await.unwrap();
    records.iter().filter(|record| record.result_id == key).count()
}

pub(crate) async fn what_the_sink_passed_over_is_filed_when_it_is_made_anew(archive: &Archive) {
    const PLACE: i32 = 9001;
    claim(archive, partition(PLACE)).await;
    // The position moves past both, as a hand or a broken sink would move it.
    let mut passed_over = batch(PLACE, 0, Vec::new());
    passed_over.next_offset = 2;
    archive.apply_scores(&[passed_over], Refusals::Judge).await.unwrap();
    let said = || vec![Ok(naming(score("rebuilt", 90_010, 71), "E-rebuilt")), Err(&b"?"[..])];
    let positions = archive.positions(ENRICHED, 1).await.unwrap();
    let read = BTreeMap::from([((1, PLACE), 0..2)]);
    let results = [result("rebuilt")];
    let undecodable = [place(PLACE, 1)];
    let rebuild = || Rebuild {
        read: &read,
        results: &results,
        undecodable: undecodable.to_vec(),
        entries: batch(PLACE, 0, said())
            .entries
            .into_iter()
            .map(|entry| (place(PLACE, entry.offset), entry))
            .collect(),
    };
    let fates = archive.fate_counts().await.unwrap();
    for _ in 0..2 {
        archive.rebuild(rebuild()).await.unwrap();
        assert_eq!(records(archive, "E-rebuilt", results[0]).await, 1);
        let refused = archive.refused_scores(None, u32::MAX).await.unwrap();
        assert_eq!(refused.iter().filter(|refused| refused.position == undecodable[0]).count(), 1);
    }
    assert_eq!(archive.fate_counts().await.unwrap(), fates, "fates were counted");
    assert_eq!(archive.positions(ENRICHED, 1).await.unwrap(), positions, "a position moved");
}

pub(crate) async fn what_is_said_after_it_was_read_is_not_lost_when_a_result_is_made_anew(archive: &Archive) {
    const PLACE: i32 = 9002;
    claim(archive, partition(PLACE)).await;
    let first = batch(PLACE, 0, vec![Ok(naming(score("overtaken", 90_020, 50), "E-overtaken"))]);
    archive.apply_scores(std::slice::from_ref(&first), Refusals::Judge).await.unwrap();
    let read = BTreeMap::from([((1, PLACE), 0..1)]);
    let later = batch(PLACE, 1, vec![Ok(naming(score("overtaken", 90_021, 60), "E-overtaken"))]);
    let applied = archive.apply_scores(&[later], Refusals::Judge).await.unwrap();
    assert_eq!(applied.fates, [Fate::Filed]);
    let results = [result("overtaken")];
    let rebuilt = archive.rebuild(Rebuild {
        read: &read,
        results: &results,
        undecodable: Vec::new(),
        entries: first.entries.into_iter().map(|entry| (place(PLACE, 0), entry)).collect(),
    });
    assert!(matches!(rebuilt.await, Err(ArchiveError::Overtaken)));
    let files = archive.records_of("E-overtaken").await.unwrap();
    assert_eq!((files.len(), files[0].history.len()), (1, 1));
}
