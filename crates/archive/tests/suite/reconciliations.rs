//! The runs of scheduled comparisons.

use scoresync_archive::{Archive, ReconciliationResult};
use scoresync_domain::Timestamp;

pub(crate) async fn a_run_is_one_persons_and_its_result_is_read_back(archive: &Archive) {
    let at = Timestamp::from_millis;
    let begin = |begun, forgotten| archive.begin_reconciliation("academy", (at(1_000), at(begun), at(forgotten)));
    assert!(begin(1_001, 0).await.unwrap());
    assert!(!begin(1_002, 0).await.unwrap(), "two have begun it");
    // Whoever began it has died.
    assert!(begin(9_000, 2_000).await.unwrap());
    assert_eq!(archive.reconciliations(Some("academy"), 10).await.unwrap()[0].result, None);
    let result = ReconciliationResult {
        ended: at(9_500),
        outcome: "differs".to_owned(),
        listed: 10,
        archived: 9,
        classes: r#"{"missing":1}"#.to_owned(),
        sent: 1,
        problem: None,
    };
    archive.end_reconciliation(("academy", at(1_000)), &result).await.unwrap();
    assert!(!begin(99_000, 90_000).await.unwrap(), "it was begun again after its end");
    assert!(
        archive
            .begin_reconciliation("academy", (at(2_000), at(2_000), at(0)))
            .await
            .unwrap()
    );
    assert!(archive.begin_reconciliation("other", (at(3_000), at(3_000), at(0))).await.unwrap());
    let all = archive.reconciliations(None, 10).await.unwrap();
    let due: Vec<_> = all.iter().map(|run| (run.source.as_str(), run.due.as_millis())).collect();
    assert_eq!(due, [("other", 3_000), ("academy", 2_000), ("academy", 1_000)]);
    let of_academy = archive.reconciliations(Some("academy"), 10).await.unwrap();
    assert_eq!((of_academy.len(), &of_academy[1].result), (2, &Some(result)));
    assert_eq!(archive.reconciliations(None, 1).await.unwrap().len(), 1);
    // Whoever has to stop gives it back, and cannot give back what has ended.
    for due in [1_000, 2_000] {
        archive.give_back_reconciliation(("academy", at(due))).await.unwrap();
    }
    assert!(
        archive
            .begin_reconciliation("academy", (at(2_000), at(2_001), at(0)))
            .await
            .unwrap()
    );
    assert_eq!(archive.reconciliations(Some("academy"), 10).await.unwrap().len(), 2);
}
