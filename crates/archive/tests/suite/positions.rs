//! Offsets move by compare-and-set, with the rows, or not at all.

use scoresync_archive::{Archive, ArchiveError, Batch, EmployeeBatch, Position, Refusals};
use scoresync_domain::Fate;

use super::builders::{batch, claim, employees_partition, partition, score};

pub(crate) async fn a_position_is_claimed_once_and_found_again(archive: &Archive) {
    let position = |next_offset, topic_id: &str| Position {
        partition: partition(3),
        topic_id: topic_id.to_owned(),
        next_offset,
        partition_count: 12,
        schemas: "5:a".to_owned(),
    };
    let first = position(40, "first");
    assert_eq!(archive.claim_position(&first).await.unwrap(), first);
    assert_eq!(archive.claim_position(&position(0, "second")).await.unwrap(), first);
    assert_eq!(archive.positions("scores.enriched", 1).await.unwrap(), [first]);
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

pub(crate) async fn what_is_known_of_schemas_moves_with_its_position_and_not_without(archive: &Archive) {
    claim(archive, partition(0)).await;
    claim(archive, partition(1)).await;
    let knowing = |number, first, schemas: &str| Batch {
        schemas: schemas.to_owned(),
        ..batch(number, first, [Ok(score(&format!("{number}-{first}"), 1, 80))])
    };
    let both = [knowing(0, 0, "5:a"), knowing(1, 0, "5:a,7:b")];
    archive.apply_scores(&both, Refusals::Judge).await.unwrap();
    // A sink that was frozen meanwhile knows less.
    assert!(archive.apply_scores(&[knowing(1, 0, "5:a")], Refusals::Judge).await.is_err());
    let withheld = [knowing(0, 1, "9:c"), knowing(1, 0, "9:c")];
    assert!(archive.apply_scores(&withheld, Refusals::Judge).await.is_err());
    let changes = [];
    let employees = EmployeeBatch {
        partition: employees_partition(),
        expected_offset: 0,
        next_offset: 3,
        schemas: "6:d".to_owned(),
        changes: &changes,
    };
    claim(archive, employees_partition()).await;
    archive.apply_employees(&employees).await.unwrap();
    let schemas = async |topic| -> Vec<(i64, String)> {
        let positions = archive.positions(topic, 1).await.unwrap();
        positions
            .into_iter()
            .map(|position| (position.next_offset, position.schemas))
            .collect()
    };
    assert_eq!(schemas("scores.enriched").await, [(1, "5:a".to_owned()), (1, "5:a,7:b".to_owned())]);
    assert_eq!(schemas("employees").await, [(3, "6:d".to_owned())]);
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
