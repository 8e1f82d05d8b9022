//! Offsets move by compare-and-set, with the rows, or not at all.

use scoresync_archive::{Archive, ArchiveError, Position, Refusals};
use scoresync_domain::Fate;

use super::builders::{batch, claim, partition, score};

pub(crate) async fn a_position_is_claimed_once_and_found_again(archive: &Archive) {
    let position = |next_offset, topic_id: &str| Position {
        partition: partition(3),
        topic_id: topic_id.to_owned(),
        next_offset,
        fingerprint: "12 partitions".to_owned(),
    };
    let first = position(40, "first");
    assert_eq!(archive.claim_position(&first).await.unwrap(), first);
    assert_eq!(archive.claim_position(&position(0, "second")).await.unwrap(), first);
    archive.note_fingerprint(&partition(3), "12 partitions, schema 5").await.unwrap();
    let noted = Position {
        fingerprint: "12 partitions, schema 5".to_owned(),
        ..first
    };
    assert_eq!(archive.positions("scores.enriched", 1).await.unwrap(), [noted]);
    assert_eq!(archive.positions("scores.enriched", 2).await.unwrap(), []);
}

pub(crate) async fn a_batch_that_is_not_at_its_position_changes_nothing(archive: &Archive) {
    claim(archive, partition(0)).await;
    let first = batch(0, 0, [Ok(score("a", 1, 80))]);
    archive.apply_scores(std::slice::from_ref(&first), Refusals::Judge).await.unwrap();
    for late in [first, batch(0, 2, [Ok(score("b", 2, 70))]), batch(7, 0, [Ok(score("c", 3, 60))])] {
        let expected_offset = late.expected_offset;
        let lost = archive.apply_scores(&[late], Refusals::Judge).await;
        assert!(matches!(lost, Err(ArchiveError::LostPosition { expected, .. }) if expected == expected_offset));
    }
    assert_eq!(archive.records_of("E1").await.unwrap().len(), 1);
    assert_eq!(archive.positions("scores.enriched", 1).await.unwrap()[0].next_offset, 1);
}

pub(crate) async fn several_partitions_move_together_or_not_at_all(archive: &Archive) {
    claim(archive, partition(0)).await;
    claim(archive, partition(1)).await;
    let batches = [
        batch(0, 0, [Ok(score("a", 1, 80)), Ok(score("b", 2, 81))]),
        batch(1, 0, [Ok(score("c", 1, 82))]),
    ];
    let applied = archive.apply_scores(&batches, Refusals::Judge).await.unwrap();
    assert_eq!(applied.fates, [Fate::Filed; 3]);
    let half_lost = [batch(0, 2, [Ok(score("d", 3, 1))]), batch(1, 0, [Ok(score("e", 2, 2))])];
    assert!(archive.apply_scores(&half_lost, Refusals::Judge).await.is_err());
    let positions = archive.positions("scores.enriched", 1).await.unwrap();
    assert_eq!(positions.iter().map(|position| position.next_offset).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(archive.records_of("E1").await.unwrap().len(), 3);
}

pub(crate) async fn of_two_sinks_with_the_same_batch_one_succeeds(archive: &Archive) {
    claim(archive, partition(0)).await;
    let batches = [batch(0, 0, (0..50).map(|number| Ok(score(&number.to_string(), number, 80))))];
    let (one, other) = tokio::join!(
        archive.apply_scores(&batches, Refusals::Judge),
        archive.apply_scores(&batches, Refusals::Judge)
    );
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|succeeded| **succeeded).count(), 1);
    let lost = one.err().or(other.err());
    assert!(matches!(lost, Some(ArchiveError::LostPosition { expected: 0, .. })), "{lost:?}");
    assert_eq!(archive.records_of("E1").await.unwrap().len(), 50);
}
