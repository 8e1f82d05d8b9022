//! The suite on PostgreSQL, and what is peculiar to a server.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "the lint takes what serves the test for code of the product"
)]

#[macro_use]
mod suite;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use scoresync_archive::{Access, Archive, ArchiveError, ArchiveSettings, PostgresSettings, Refusals, Tls};
use scoresync_domain::Fate;
use suite::builders::{apply, batch, claim, naming, partition, score, with};
use tokio_postgres::{Client, NoTls};

const URL: &str = "SCORESYNC_ARCHIVE__POSTGRES__URL";

fn server_url() -> String {
    std::env::var(URL).unwrap_or_else(|_| panic!("set {URL} to a PostgreSQL database in which schemas may be made"))
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A fresh archive in a schema of its own.
struct Place {
    archive: Archive,
    settings: ArchiveSettings,
    schema: String,
}

impl Place {
    fn url(&self) -> &str {
        &self.settings.postgres.as_ref().unwrap().url
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA {} CASCADE", self.schema);
        let drop_schema = async move { connect(&server_url()).await.batch_execute(&sql).await };
        // The test's own runtime must not be blocked on.
        let dropping = std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(drop_schema));
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("a test's schema stays behind: {error}");
        }
    }
}

async fn open() -> Place {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("archive_test_{}_{number}", std::process::id());
    let server = server_url();
    let client = connect(&server).await;
    client
        .batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"))
        .await
        .unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
    let settings = ArchiveSettings {
        postgres: Some(PostgresSettings::new(url)),
        ..ArchiveSettings::default()
    };
    Place {
        archive: Archive::open(&settings, Access::Writer).await.unwrap(),
        settings,
        schema,
    }
}

run_whole_suite!(open);

#[tokio::test]
async fn several_processes_may_set_up_one_database_at_once() {
    let place = open().await;
    connect(place.url())
        .await
        .batch_execute(&format!("DROP SCHEMA {0} CASCADE; CREATE SCHEMA {0}", place.schema))
        .await
        .unwrap();
    let openings = (0..4).map(|_| {
        let settings = place.settings.clone();
        tokio::spawn(async move { Archive::open(&settings, Access::Writer).await.map(drop) })
    });
    for opening in openings.collect::<Vec<_>>() {
        opening.await.unwrap().unwrap();
    }
}

/// The thread of a sink that has lost a position may have nothing to do for long: its runtime does not go on, and others need the locks.
#[tokio::test]
async fn what_fails_leaves_no_lock_behind_even_if_its_thread_does_nothing_more() {
    let place = open().await;
    for number in [0, 1] {
        claim(&place.archive, partition(number)).await;
    }
    let shared = Arc::new(Archive::open(&place.settings, Access::Writer).await.unwrap());
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let apart = shared.apart().unwrap();
        let batches = [batch(0, 0, [Ok(score("a", 1, 80))]), batch(1, 7, [Ok(score("b", 2, 80))])];
        let applied = runtime.block_on(apart.apply_scores(&batches, Refusals::Withhold));
        (runtime, apart, applied)
    });
    let (runtime, _apart, applied) = thread.join().unwrap();
    assert!(matches!(applied, Err(ArchiveError::LostPosition { .. })), "{applied:?}");
    let other = connect(place.url()).await;
    let sql = "SET lock_timeout = '1s'; UPDATE consumer_position SET next_offset = next_offset";
    other.batch_execute(sql).await.unwrap();
    runtime.shutdown_background();
}

#[tokio::test]
async fn readers_read_and_change_nothing() {
    let place = open().await;
    apply(&place.archive, [score("a", 1, 80)]).await;
    let reader = Archive::open(&place.settings, Access::Reader).await.unwrap();
    assert_eq!(reader.records_of("E1").await.unwrap().len(), 1);
    let refused = reader
        .claim_position(&suite::builders::beginning(suite::builders::partition(5)))
        .await;
    assert!(matches!(refused, Err(ArchiveError::Environment { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let place = open().await;
    let client = connect(place.url()).await;
    client
        .batch_execute("INSERT INTO schema_version VALUES (99, 'later', 'x')")
        .await
        .unwrap();
    for access in [Access::Writer, Access::Reader] {
        match Archive::open(&place.settings, access).await.err() {
            Some(ArchiveError::Environment { cause, .. }) => assert!(cause.text.contains("version 99"), "{cause}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn encryption_that_was_asked_for_is_never_done_without() {
    let place = open().await;
    let mut settings = place.settings.clone();
    settings.postgres.as_mut().unwrap().tls = Some(Tls::VerifyFull);
    let refused = Archive::open(&settings, Access::Reader).await.err();
    assert!(matches!(refused, Some(ArchiveError::Environment { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_missing_database_is_a_matter_of_the_environment() {
    let settings = ArchiveSettings {
        postgres: Some(PostgresSettings::new(server_url() + "_that_is_not_there")),
        ..ArchiveSettings::default()
    };
    let refused = Archive::open(&settings, Access::Writer).await.err();
    assert!(matches!(refused, Some(ArchiveError::Environment { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_killed_connection_is_replaced() {
    let place = open().await;
    let sql = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'scoresync' AND pid IN (
        SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation WHERE relnamespace = '{}'::regnamespace)",
        place.schema
    );
    let killer = connect(&server_url()).await;
    let mut lock = connect(place.url()).await;
    let holding = lock.transaction().await.unwrap();
    holding.batch_execute("LOCK TABLE consumer_position").await.unwrap();
    kill_while_it_waits(&place.archive, &killer, &sql).await;
    holding.rollback().await.unwrap();
    place.archive.ping().await.unwrap();
    assert_eq!(apply(&place.archive, [score("a", 1, 80)]).await.fates, [Fate::Filed]);
}

/// Kills the session of a question that waits for a lock; what it says must be worth trying again.
async fn kill_while_it_waits(archive: &Archive, killer: &Client, sql: &str) {
    let asking = async {
        let positions = archive.positions("scores.enriched", 1).await;
        assert!(matches!(positions, Err(ArchiveError::Transient { .. })), "{positions:?}");
    };
    let kill = async {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        while killer.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            assert!(tokio::time::Instant::now() < deadline, "no session ever waited");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::join!(asking, kill);
}

#[tokio::test]
async fn a_successor_that_is_just_being_written_is_waited_for_before_refusing() {
    let place = open().await;
    apply(&place.archive, [score("a", 1, 80)]).await;
    let mut writer = connect(place.url()).await;
    let writing = writer.transaction().await.unwrap();
    writing
        .batch_execute("INSERT INTO employee (employee_no, replaced_by, successor, as_of_ms) VALUES ('E1', 'E2', 'E2', 1)")
        .await
        .unwrap();
    let applying = apply(&place.archive, [naming(score("a", 2, 90), "E2")]);
    let (applied, ()) = tokio::join!(applying, async {
        let watcher = connect(place.url()).await;
        let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'employee'::regclass AND NOT granted";
        while watcher.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // Whoever writes employees takes the records next: who waits for the employees must not hold any of these.
        writing
            .batch_execute("SELECT FROM training_record FOR UPDATE NOWAIT")
            .await
            .unwrap();
        writing.commit().await.unwrap();
    });
    assert_eq!(applied.fates, [Fate::Filed]);
}

#[tokio::test]
async fn people_read_decimals_and_times() {
    let place = open().await;
    let said = with(score("a", 1, 0), |score| {
        score.exam_score = scoresync_domain::Score::from_millionths(-500_000)
    });
    apply(&place.archive, [said.clone()]).await;
    let client = connect(place.url()).await;
    let sql =
        "SELECT result_id::text, exam_score::text, max_score::text, (finished_at AT TIME ZONE 'UTC')::text, origin FROM training_records";
    let row = client.query_one(sql, &[]).await.unwrap();
    let read: Vec<String> = (0..5).map(|column| row.get(column)).collect();
    let expected = [
        &said.result_id.to_string(),
        "-0.500000",
        "100.000000",
        "2026-09-21 14:13:20.123",
        "1/0/1",
    ];
    assert_eq!(read, expected);
}

async fn execute(place: &Place, sql: &str) -> u64 {
    connect(place.url()).await.execute(sql, &[]).await.unwrap()
}

#[tokio::test]
async fn repetitions_that_say_nothing_are_not_read_to_judge_others() {
    let place = open().await;
    suite::history::say_nightly(&place.archive, 1..=20).await;
    assert_eq!(execute(&place, suite::history::SPOIL_REPETITIONS).await, 18);
    suite::history::say_nightly(&place.archive, 21..=22).await;
    suite::history::correct(&place.archive, 23).await;
}

#[tokio::test]
async fn refusals_are_not_read_to_judge_others() {
    let place = open().await;
    suite::refusals::refuse(&place.archive, 2..=9).await;
    assert_eq!(execute(&place, suite::refusals::SPOIL_REFUSALS).await, 8);
    suite::refusals::refuse(&place.archive, 10..=11).await;
}

#[tokio::test]
async fn rows_that_the_database_refuses_are_found_among_others() {
    let place = open().await;
    execute(&place, "ALTER TABLE training_record ADD CHECK (course_title <> 'Opera')").await;
    suite::refusals::check_rejected(&place.archive, "Opera").await;
}

#[tokio::test]
async fn thousands_of_distinct_versions_leave_the_server_no_time_to_give_up() {
    let place = open().await;
    let mut settings = place.settings.clone();
    settings.postgres.as_mut().unwrap().idle_in_transaction_timeout_ms = 3_000;
    let archive = Archive::open(&settings, Access::Writer).await.unwrap();
    let fates = apply(&archive, suite::history::shuffled_revisions("hot")).await.fates;
    assert_eq!(fates.len(), 5_000);
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_name_is_refused_at_once() {
    let server = connect(&server_url()).await;
    let name = format!("archive_test_latin_{}", std::process::id());
    let create = format!("CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    server.batch_execute(&create).await.unwrap();
    let (server_part, _) = server_url()
        .rsplit_once('/')
        .map(|(server, name)| (server.to_owned(), name.to_owned()))
        .unwrap();
    let settings = ArchiveSettings {
        postgres: Some(PostgresSettings::new(format!("{server_part}/{name}"))),
        ..ArchiveSettings::default()
    };
    let refused = Archive::open(&settings, Access::Writer).await.err();
    server.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    match refused {
        Some(ArchiveError::Environment { cause, .. }) => assert!(cause.text.contains("LATIN1"), "{cause}"),
        other => panic!("{other:?}"),
    }
}
