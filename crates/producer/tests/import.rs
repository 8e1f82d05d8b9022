//! Score files on a real Kafka: everything arrives, whatever happens on the way.

#![expect(clippy::unwrap_used, reason = "what a test builds on fails as a test does")]

#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "shared with the other tests on a real Kafka"
)]
mod stack;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use scoresync_domain::{ScoreReport, Source};
use scoresync_producer::{
    FileOutcome, FileSummary, ImportError, ImportOptions, ImportProgress, ImportRequest, ImportRun, ImportSummary, Notice, Resume, import,
};
use scoresync_service::Shutdown;
use stack::{LONG, Stack, run_alone, source};
use tempfile::TempDir;

const HEADER: &str = "编号,工号,课程,分数,完成时间\n";

fn row(number: usize) -> String {
    format!("R{number},E{},GMP-01,{},2026-11-22 08:30\n", number % 100, number % 101)
}

/// A folder with a file of results 1 to `count`.
fn folder(count: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scores.csv");
    fs::write(&file, HEADER.to_owned() + &(1..=count).map(row).collect::<String>()).unwrap();
    (folder, file)
}

struct Importing<'a> {
    stack: &'a Stack,
    source: &'a Source,
    options: ImportOptions,
}

impl<'a> Importing<'a> {
    fn new(stack: &'a Stack, source: &'a Source, folder: &Path) -> Self {
        let options = ImportOptions::new(folder.join("state"));
        Self { stack, source, options }
    }

    fn run(&self, files: &[PathBuf], observer: &mut dyn FnMut(&ImportProgress<'_>), shutdown: &Shutdown) -> ImportSummary {
        let request = ImportRequest {
            intake: &self.stack.intake(),
            kafka: &self.stack.kafka,
            topics: &self.stack.topics,
            source: self.source,
            files,
            options: &self.options,
        };
        import(&request, &mut ImportRun { observer, shutdown })
    }

    fn file(&self, file: &Path) -> FileSummary {
        let mut summary = self.run(&[file.to_owned()], &mut |_| {}, &Shutdown::from_inside());
        summary.files.remove(0)
    }
}

fn ids(reports: &[ScoreReport<'_>]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for report in reports {
        *ids.entry(report.fields.get("编号").flatten().unwrap_or("unparsed").to_owned())
            .or_default() += 1;
    }
    ids
}

#[test]
fn every_row_arrives_and_is_told() {
    let stack = Stack::new();
    let source = source("redelivery");
    let (folder, file) = folder(3);
    let text = fs::read_to_string(&file).unwrap() + "R4,too few\n" + &row(5);
    fs::write(&file, text).unwrap();
    let summary = Importing::new(&stack, &source, folder.path()).file(&file);
    assert!(matches!(summary.outcome, FileOutcome::Complete), "{summary:?}");
    assert_eq!(
        (
            summary.rows_read,
            summary.rows_sent,
            summary.rows_acknowledged,
            summary.rows_unreadable
        ),
        (5, 5, 5, 1)
    );
    assert_eq!((summary.unreadable[0].row, summary.unreadable[0].line), (4, 5));
    let reports = stack.raw(5);
    let expected = [("R1", 1), ("R2", 1), ("R3", 1), ("R5", 1), ("unparsed", 1)].map(|(id, count)| (id.to_owned(), count));
    assert_eq!(ids(&reports), BTreeMap::from(expected));
    let unparsed = reports.iter().find_map(|report| report.unparsed.as_deref()).unwrap();
    assert_eq!(unparsed, b"R4,too few");
}

/// What the process that is to be killed imports: the stack's name, and the folder of the file.
const KILLED: [&str; 2] = ["TEST_IMPORT_INTO", "TEST_IMPORT_FROM"];

#[test]
#[ignore = "is run by the test of a killed import, in a process of its own"]
fn imports_until_it_is_killed() {
    let [stack, folder] = KILLED.map(|name| std::env::var(name).unwrap());
    let (stack, folder) = (Stack::of(&stack), PathBuf::from(folder));
    let summary = Importing::new(&stack, &source("redelivery"), &folder).file(&folder.join("scores.csv"));
    println!("it was not killed in time: {summary:?}");
}

/// Kills an import as soon as it has kept how far it is.
fn kill_when_kept(stack: &Stack, folder: &Path) {
    let variables = [(KILLED[0], stack.kafka.group_prefix.as_ref()), (KILLED[1], folder.as_os_str())];
    let mut importing = run_alone("imports_until_it_is_killed", &variables);
    let begun = Instant::now();
    while !fs::read_dir(folder.join("state")).is_ok_and(|mut entries| entries.any(|entry| is_checkpoint(&entry.unwrap().path()))) {
        assert!(begun.elapsed() < LONG, "nothing is kept");
    }
    importing.kill().unwrap();
    importing.wait().unwrap();
}

fn is_checkpoint(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json")
}

fn first_unacknowledged(state: &Path) -> u64 {
    let mut files = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| is_checkpoint(path)).unwrap();
    let checkpoint: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    checkpoint["first_unacknowledged"].as_u64().unwrap()
}

#[test]
fn an_import_that_is_killed_goes_on_with_exactly_the_rest_and_loses_nothing() {
    const ROWS: usize = 300_000;
    let stack = Stack::new();
    let source = source("redelivery");
    let (folder, file) = folder(ROWS);
    kill_when_kept(&stack, folder.path());
    let importing = Importing::new(&stack, &source, folder.path());
    let first = first_unacknowledged(&importing.options.state_folder);
    assert!(first > 1 && first < ROWS as u64, "{first}");
    let rest = importing.file(&file);
    assert!(matches!(rest.outcome, FileOutcome::Complete), "{rest:?}");
    assert_eq!(rest.notices, [Notice::Resumed]);
    let rows = ROWS as u64;
    assert_eq!(
        (rest.rows_skipped, rest.rows_sent, rest.rows_acknowledged),
        (first - 1, rows - first + 1, rows - first + 1)
    );
    let ids = ids(&stack.raw(ROWS));
    let expected: BTreeSet<String> = (1..=ROWS).map(|number| format!("R{number}")).collect();
    assert_eq!(ids.keys().cloned().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_shutdown_keeps_how_far_the_import_is() {
    const ROWS: usize = 20_000;
    let stack = Stack::new();
    let source = source("redelivery");
    let (folder, file) = folder(ROWS);
    let importing = Importing::new(&stack, &source, folder.path());
    let shutdown = Shutdown::from_inside();
    let asking = shutdown.clone();
    let mut observer = move |progress: &ImportProgress<'_>| {
        if progress.rows_sent > 0 {
            asking.request("a test");
        }
    };
    let stopped = importing.run(&[file.clone(), file.clone()], &mut observer, &shutdown);
    let FileOutcome::Failed(ImportError::Interrupted { acknowledged }) = &stopped.files[0].outcome else {
        panic!("{stopped:?}")
    };
    assert!(acknowledged.can_resume);
    assert_eq!(acknowledged.first_unacknowledged, stopped.files[0].rows_sent + 1);
    assert!(matches!(stopped.files[1].outcome, FileOutcome::NotBegun) && !stopped.is_complete());
    let rest = importing.file(&file);
    assert_eq!(rest.rows_sent, ROWS as u64 - stopped.files[0].rows_sent);
    assert!(ids(&stack.raw(ROWS)).values().all(|count| *count == 1));
}

#[test]
fn a_complete_file_is_sent_again_only_where_that_changes_nothing() {
    let stack = Stack::new();
    let (redelivery, correction) = (source("redelivery"), source("correction"));
    let (folder, file) = folder(10);
    let mut importing = Importing::new(&stack, &redelivery, folder.path());
    assert_eq!(importing.file(&file).notices, []);
    let again = importing.file(&file);
    assert_eq!((again.notices.as_slice(), again.rows_sent), (&[Notice::ImportedBefore][..], 10));
    importing.source = &correction;
    let refused = importing.file(&file);
    assert!(
        matches!(refused.outcome, FileOutcome::AlreadyImported) && refused.rows_sent == 0,
        "{refused:?}"
    );
    importing.options.resume = Resume::Never;
    let restarted = importing.file(&file);
    assert_eq!((restarted.notices.as_slice(), restarted.rows_sent), (&[Notice::Restarted][..], 10));
    fs::write(&file, HEADER.to_owned() + &row(11)).unwrap();
    importing.options.resume = Resume::WherePossible;
    let changed = importing.file(&file);
    assert_eq!((changed.notices.as_slice(), changed.rows_sent), (&[Notice::FileChanged][..], 1));
    assert_eq!(stack.raw(31).len(), 31);
}

#[test]
fn a_file_that_breaks_off_sends_what_stands_before_and_does_not_hold_up_the_next() {
    let stack = Stack::new();
    let source = source("redelivery");
    let (folder, good) = folder(2);
    let broken = folder.path().join("broken.json");
    fs::write(&broken, r#"[{"编号": "J1"}, {"编号": "J2"}, {"编"#).unwrap();
    let missing = folder.path().join("missing.csv");
    let importing = Importing::new(&stack, &source, folder.path());
    let summary = importing.run(&[broken, missing, good], &mut |_| {}, &Shutdown::from_inside());
    let FileOutcome::Failed(ImportError::Broken(at)) = &summary.files[0].outcome else {
        panic!("{summary:?}")
    };
    assert_eq!((at.rows_before, at.line, summary.files[0].rows_acknowledged), (2, 1, 2));
    assert!(matches!(&summary.files[1].outcome, FileOutcome::Failed(ImportError::Open { .. })));
    assert!(matches!(summary.files[2].outcome, FileOutcome::Complete));
    assert_eq!((summary.total(|file| file.rows_sent), summary.is_complete()), (4, false));
    assert_eq!(ids(&stack.raw(4)).len(), 4);
}

#[test]
fn a_row_whose_names_no_record_can_hold_is_sent_by_its_bytes_and_only_once() {
    let stack = Stack::new();
    let source = source("correction");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scores.ndjson");
    let deep = format!("{{\"编号\": \"J2\", \"{}\": [{}]}}\n", "x".repeat(5_000), vec!["1"; 900].join(","));
    fs::write(&file, format!("{{\"编号\": \"J1\"}}\n{deep}{{\"编号\": \"J3\"}}\n")).unwrap();
    let importing = Importing::new(&stack, &source, folder.path());
    let summary = importing.file(&file);
    assert!(matches!(summary.outcome, FileOutcome::Complete), "{summary:?}");
    assert_eq!((summary.rows_sent, summary.rows_unreadable, summary.unreadable[0].row), (3, 1, 2));
    let reports = stack.raw(3);
    assert!(
        reports
            .iter()
            .any(|report| report.unparsed.as_deref() == Some(deep.trim_end().as_bytes()))
    );
    let again = importing.file(&file);
    assert!(
        matches!(again.outcome, FileOutcome::AlreadyImported) && again.rows_sent == 0,
        "{again:?}"
    );
}
