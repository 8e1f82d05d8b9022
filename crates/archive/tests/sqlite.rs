//! The suite on SQLite, and what is peculiar to a file.
#![expect(clippy::unwrap_used, reason = "the lint takes what serves the test for code of the product")]

#[macro_use]
mod suite;

use scoresync_archive::{Access, Archive, ArchiveError, ArchiveSettings, SqliteSettings};
use suite::builders::{apply, score, with};
use tempfile::TempDir;

/// A fresh archive in a folder of its own.
struct Place {
    archive: Archive,
    settings: ArchiveSettings,
    _folder: TempDir,
}

async fn open() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let settings = ArchiveSettings {
        sqlite: SqliteSettings {
            path: folder.path().join("records.db"),
        },
        postgres: None,
    };
    Place {
        archive: Archive::open(&settings, Access::Writer).await.unwrap(),
        settings,
        _folder: folder,
    }
}

run_whole_suite!(open);

fn cause(outcome: Result<Archive, ArchiveError>) -> String {
    match outcome.err() {
        Some(ArchiveError::Environment { cause, .. }) => cause.to_string(),
        other => panic!("no failure of the environment: {other:?}"),
    }
}

#[tokio::test]
async fn a_second_writer_is_kept_out_and_readers_are_not() {
    let place = open().await;
    apply(&place.archive, [score("a", 1, 80)]).await;
    assert!(cause(Archive::open(&place.settings, Access::Writer).await).contains("another process writes to it"));
    let reader = Archive::open(&place.settings, Access::Reader).await.unwrap();
    apply(&place.archive, [score("b", 2, 80)]).await;
    assert_eq!(reader.records_of("E1").await.unwrap().len(), 2);
    let refused = reader
        .claim_position(&suite::builders::beginning(suite::builders::partition(5)))
        .await;
    assert!(matches!(refused, Err(ArchiveError::Environment { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_closed_archive_opens_again_with_all_it_had() {
    let Place {
        archive,
        settings,
        _folder,
    } = open().await;
    apply(&archive, [score("a", 1, 80)]).await;
    drop(archive);
    let again = Archive::open(&settings, Access::Writer).await.unwrap();
    assert_eq!(again.records_of("E1").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reader_without_an_archive_is_told_to_start_the_sink() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ArchiveSettings {
        sqlite: SqliteSettings {
            path: folder.path().join("none.db"),
        },
        postgres: None,
    };
    assert!(cause(Archive::open(&settings, Access::Reader).await).contains("start the sink"));
    assert!(!settings.sqlite.path.exists());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let Place {
        archive,
        settings,
        _folder,
    } = open().await;
    drop(archive);
    let connection = rusqlite::Connection::open(&settings.sqlite.path).unwrap();
    connection
        .execute("INSERT INTO schema_version VALUES (99, 'later', 'x')", ())
        .unwrap();
    for access in [Access::Writer, Access::Reader] {
        assert!(cause(Archive::open(&settings, access).await).contains("version 99"));
    }
}

#[tokio::test]
async fn people_read_decimals_and_times() {
    let place = open().await;
    let said = with(score("a", 1, 0), |score| {
        score.exam_score = scoresync_domain::Score::from_millionths(-500_000);
        score.finish_timestamp = Some(scoresync_domain::Timestamp::from_millis(-1));
    });
    apply(&place.archive, [said.clone()]).await;
    let connection = rusqlite::Connection::open(&place.settings.sqlite.path).unwrap();
    let sql = "SELECT result_id, exam_score, max_score, finished_at, origin FROM training_records";
    let read: [String; 5] = connection
        .query_row(sql, (), |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
        .unwrap();
    let expected = [
        &said.result_id.to_string(),
        "-0.500000",
        "100.000000",
        "1969-12-31T23:59:59.999Z",
        "1/0/1",
    ];
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_fresh_result_is_one_row_and_nothing_else() {
    let place = open().await;
    apply(&place.archive, [score("a", 1, 80)]).await;
    let connection = rusqlite::Connection::open(&place.settings.sqlite.path).unwrap();
    let count = |table: &str| {
        connection
            .query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(
        [count("training_record"), count("score_history"), count("refused_score")],
        [1, 0, 0]
    );
}

fn execute(place: &Place, sql: &str) -> usize {
    rusqlite::Connection::open(&place.settings.sqlite.path)
        .unwrap()
        .execute(sql, ())
        .unwrap()
}

#[tokio::test]
async fn repetitions_that_say_nothing_are_not_read_to_judge_others() {
    let place = open().await;
    suite::history::say_nightly(&place.archive, 1..=20).await;
    assert_eq!(execute(&place, suite::history::SPOIL_REPETITIONS), 18);
    suite::history::say_nightly(&place.archive, 21..=22).await;
    suite::history::correct(&place.archive, 23).await;
}

#[tokio::test]
async fn refusals_are_not_read_to_judge_others() {
    let place = open().await;
    suite::refusals::refuse(&place.archive, 2..=9).await;
    assert_eq!(execute(&place, suite::refusals::SPOIL_REFUSALS), 8);
    suite::refusals::refuse(&place.archive, 10..=11).await;
}

#[tokio::test]
async fn rows_that_the_database_refuses_are_found_among_others() {
    let place = open().await;
    execute(
        &place,
        "CREATE TRIGGER no_opera BEFORE INSERT ON training_record WHEN NEW.course_title = 'Opera'
            BEGIN SELECT RAISE(ABORT, 'not trained here'); END",
    );
    suite::refusals::check_rejected(&place.archive, "Opera").await;
}
