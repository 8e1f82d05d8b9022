//! Imports into a mock broker that is away or refuses when a test wants it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use scoresync_kafka::{
    KafkaSettings, TopicSettings,
    mock::{DefaultProducerContext, MockCluster, RDKafkaApiKey, RDKafkaRespErr},
};
use scoresync_service::{Shutdown, StageMetrics};

use super::*;
use crate::{Intake, ProducerMetrics, fixtures::sources};

struct Office {
    broker: MockCluster<'static, DefaultProducerContext>,
    folder: tempfile::TempDir,
    topics: TopicSettings,
}

impl Office {
    /// A broker, and a file of so many rows.
    fn new(rows: usize) -> Self {
        let broker = MockCluster::new(1).unwrap();
        broker.create_topic("scores.raw", 4, 1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lines = (1..=rows).map(|row| format!("E{row},GMP-01,80,2026-11-22 08:30\n"));
        let text = "工号,课程编号,分数,完成时间\n".to_owned() + &lines.collect::<String>();
        fs::write(folder.path().join("scores.csv"), text).unwrap();
        Self {
            broker,
            folder,
            topics: TopicSettings::default(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("scores.csv")
    }

    fn options(&self) -> ImportOptions {
        ImportOptions::new(self.folder.path().join("state"))
    }

    fn import(&self, options: &ImportOptions, observer: &mut dyn FnMut(&ImportProgress<'_>)) -> FileSummary {
        self.import_files(&[self.file()], options, observer).remove(0)
    }

    fn import_files(&self, files: &[PathBuf], options: &ImportOptions, observer: &mut dyn FnMut(&ImportProgress<'_>)) -> Vec<FileSummary> {
        let registry = prometheus::Registry::new();
        let metrics = ProducerMetrics::register(&registry, StageMetrics::register(&registry).unwrap()).unwrap();
        let kafka = KafkaSettings {
            brokers: self.broker.bootstrap_servers(),
            ..KafkaSettings::default()
        };
        let sources = sources();
        let request = ImportRequest {
            intake: &Intake::new(&kafka, &self.topics, 1, metrics).unwrap(),
            kafka: &kafka,
            topics: &self.topics,
            source: sources.get("academy").unwrap(),
            files,
            options,
        };
        let shutdown = Shutdown::from_inside();
        let mut run = ImportRun {
            observer,
            shutdown: &shutdown,
        };
        // The mock broker does not tell the ids of its topics.
        let importing = run::Importing {
            request,
            topic_id: Some("mock".to_owned()),
        };
        importing.files(&mut run).files
    }

    fn kept(&self) -> serde_json::Value {
        let state = self.folder.path().join("state");
        let is_checkpoint = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
        let mut files = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
        serde_json::from_slice(&fs::read(files.find(|path| is_checkpoint(path)).unwrap()).unwrap()).unwrap()
    }
}

#[test]
fn a_broker_that_is_away_is_told_of_and_waited_for() {
    // So many that they are on their way for longer than it takes to be told the first time.
    const ROWS: usize = 50_000;
    let office = Office::new(ROWS);
    let mut waited = false;
    let mut observer = |progress: &ImportProgress<'_>| match progress.state {
        ImportState::WaitingForBroker { .. } => {
            waited = true;
            office.broker.broker_up(-1).unwrap();
        }
        ImportState::Skipping | ImportState::Sending | ImportState::Settling => {
            if progress.rows_read > 0 && !waited {
                office.broker.broker_down(-1).unwrap();
            }
        }
    };
    let mut options = office.options();
    options.max_in_flight = 100;
    let summary = office.import(&options, &mut observer);
    assert!(waited);
    assert!(matches!(summary.outcome, FileOutcome::Complete), "{summary:?}");
    assert_eq!((summary.rows_sent, summary.rows_acknowledged), (ROWS as u64, ROWS as u64));
}

#[test]
fn what_is_kept_never_passes_a_row_that_is_not_acknowledged() {
    let office = Office::new(50_000);
    let mut options = office.options();
    options.broker_patience = Duration::from_secs(4);
    let mut observer = |progress: &ImportProgress<'_>| {
        if progress.rows_acknowledged > 0 {
            office.broker.broker_down(-1).unwrap();
        }
    };
    let summary = office.import(&options, &mut observer);
    let FileOutcome::Failed(error @ ImportError::NotAcknowledged { acknowledged, .. }) = &summary.outcome else {
        panic!("{summary:?}")
    };
    assert!(summary.rows_acknowledged < summary.rows_sent, "{summary:?}");
    assert_eq!(acknowledged.first_unacknowledged, summary.rows_acknowledged + 1);
    assert_eq!(office.kept()["first_unacknowledged"], acknowledged.first_unacknowledged);
    let text = error.to_string();
    assert!(
        text.contains(&format!("before row {} are", acknowledged.first_unacknowledged)),
        "{text}"
    );
    assert!(text.contains("goes on there"), "{text}");
}

#[test]
fn a_row_that_the_broker_refuses_ends_the_import() {
    let office = Office::new(5_000);
    office.broker.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED],
    );
    let summary = office.import(&office.options(), &mut |_| {});
    // Where rows are still being queued when the refusal arrives, the client itself takes no more of them, which is the same.
    let FileOutcome::Failed(ImportError::Refused { acknowledged, cause }) = &summary.outcome else {
        panic!("{summary:?}")
    };
    assert!(cause.to_string().contains("docs/security.md"), "{cause}");
    assert!(acknowledged.first_unacknowledged <= 5_000, "{summary:?}");
    let rest = office.import(&office.options(), &mut |_| {});
    assert!(matches!(rest.outcome, FileOutcome::Complete), "{rest:?}");
    assert_eq!(rest.rows_sent, 5_000 - rest.rows_skipped);
    assert_eq!(office.kept()["is_complete"], true);
}

#[test]
fn of_two_imports_of_a_file_at_once_the_second_sends_nothing() {
    let office = Office::new(5_000);
    let mut second = None;
    let mut observer = |progress: &ImportProgress<'_>| {
        if progress.rows_sent > 0 && second.is_none() {
            second = Some(office.import(&office.options(), &mut |_| {}));
        }
    };
    let first = office.import(&office.options(), &mut observer);
    let second = second.unwrap();
    assert!(
        matches!(second.outcome, FileOutcome::Failed(ImportError::InProgress)) && second.rows_sent == 0,
        "{second:?}"
    );
    assert!(matches!(first.outcome, FileOutcome::Complete), "{first:?}");
    let third = office.import(&office.options(), &mut |_| {});
    assert_eq!(third.notices, [Notice::ImportedBefore]);
}

#[test]
fn a_row_that_the_topic_does_not_take_ends_its_file_and_no_other_row_is_sent_twice() {
    let mut office = Office::new(3);
    let file = office.folder.path().join("scores.ndjson");
    let row = |name: &str, bytes: usize| format!("{{\"{name}\": \"{}\"}}\n", "x".repeat(bytes));
    fs::write(&file, [row("a", 1), row("b", 8_000), row("c", 1)].concat()).unwrap();
    office.topics.max_message_bytes = 4_096;
    for rows_sent in [1, 0] {
        let summaries = office.import_files(&[file.clone(), office.file()], &office.options(), &mut |_| {});
        let FileOutcome::Failed(ImportError::TooLarge {
            row: 2,
            line: 2,
            bytes,
            limit,
        }) = summaries[0].outcome
        else {
            panic!("{summaries:?}")
        };
        assert!(bytes > 8_000 && limit < 4_096, "{summaries:?}");
        assert_eq!((summaries[0].rows_sent, summaries[0].rows_acknowledged), (rows_sent, rows_sent));
        assert!(matches!(summaries[1].outcome, FileOutcome::Complete), "{summaries:?}");
    }
    office.topics.max_message_bytes = 1024 * 1024;
    let rest = office.import_files(&[file], &office.options(), &mut |_| {}).remove(0);
    assert!(matches!(rest.outcome, FileOutcome::Complete), "{rest:?}");
    assert_eq!((rest.rows_skipped, rest.rows_acknowledged), (1, 2));
}

#[test]
fn what_is_wrong_with_the_name_of_a_file_is_said_once() {
    let office = Office::new(1);
    let untold = office.folder.path().join("scores");
    fs::copy(office.file(), &untold).unwrap();
    let summary = office.import_files(&[untold], &office.options(), &mut |_| {}).remove(0);
    let told = serde_json::to_value(&summary).unwrap()["outcome"]["detail"].to_string();
    assert_eq!(told.matches("scores").count(), 1, "{told}");
    assert!(told.contains("--format"), "{told}");
}

#[cfg(unix)]
#[test]
fn files_whose_names_are_no_unicode_are_imported_each_by_itself() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let office = Office::new(3);
    let files = [b"\xb3\xc9\xbc\xa8.csv", b"\xb3\xc9\xbc\xa9.csv"].map(|name| office.folder.path().join(OsStr::from_bytes(name)));
    for file in &files {
        fs::copy(office.file(), file).unwrap();
    }
    for expected in [&[][..], &[Notice::ImportedBefore]] {
        let summaries = office.import_files(&files, &office.options(), &mut |_| {});
        for summary in summaries {
            assert!(matches!(summary.outcome, FileOutcome::Complete), "{summary:?}");
            assert_eq!(summary.notices, expected);
            let file = serde_json::to_value(&summary).unwrap()["file"].clone();
            assert!(file.as_str().is_some_and(|name| name.ends_with("\u{fffd}.csv")), "{file}");
        }
    }
}

#[test]
fn more_room_for_a_row_changes_nothing_about_what_was_imported() {
    let office = Office::new(3);
    let row = |text: &str| format!("{text},GMP-01,80,2026-11-22 08:30\n");
    let text = "工号,课程编号,分数,完成时间\n".to_owned() + &row("E1") + &row(&"x".repeat(8_000)) + &row("E3");
    fs::write(office.file(), text).unwrap();
    let mut options = office.options();
    options.limits.max_row_bytes = 4_096;
    let stopped = office.import(&options, &mut |_| {});
    assert!(
        matches!(stopped.outcome, FileOutcome::Failed(ImportError::Broken(_))),
        "{stopped:?}"
    );
    options.limits.max_row_bytes = 16_384;
    let resumed = office.import(&options, &mut |_| {});
    assert_eq!((resumed.rows_skipped, resumed.rows_acknowledged), (1, 2), "{resumed:?}");
    options.limits.max_row_bytes = 32_768;
    let again = office.import(&options, &mut |_| {});
    assert_eq!(again.notices, [Notice::ImportedBefore]);
}

#[test]
fn a_broken_file_is_not_called_sent_while_the_broker_is_away_and_no_other_file_waits_again() {
    let office = Office::new(3);
    let broken = office.folder.path().join("broken.json");
    fs::write(&broken, r#"[{"工号": "E1"}, {"工号": "E2"}, {"工"#).unwrap();
    office.broker.broker_down(-1).unwrap();
    let mut options = office.options();
    options.broker_patience = Duration::from_secs(2);
    let summaries = office.import_files(&[broken.clone(), office.file()], &options, &mut |_| {});
    let FileOutcome::Failed(ImportError::NotAcknowledged { acknowledged, .. }) = summaries[0].outcome else {
        panic!("{summaries:?}")
    };
    assert_eq!(acknowledged.first_unacknowledged, 1);
    assert!(matches!(summaries[1].outcome, FileOutcome::NotBegun), "{summaries:?}");
    office.broker.broker_up(-1).unwrap();
    let again = office.import_files(&[broken], &options, &mut |_| {}).remove(0);
    assert!(
        matches!(again.outcome, FileOutcome::Failed(ImportError::Broken(_))) && again.rows_acknowledged == 2,
        "{again:?}"
    );
}
