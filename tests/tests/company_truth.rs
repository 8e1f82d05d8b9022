//! The company's truth against the rules themselves, without Kafka: every delivery is read, mapped, matched and archived in this process.
//!
//! Two reckonings that share no code must agree; where they do not, either the company or scoresync is wrong.
#![expect(clippy::unwrap_used, reason = "the lint takes the steps of the test for code of the product")]

use std::collections::{BTreeMap, HashMap};

use scoresync_archive::{
    Access, Archive, ArchiveSettings, Batch, Entry, Position, Refusals, SqliteSettings, TopicPartition, TrainingRecord,
};
use scoresync_domain::{
    Directory, Employee, Fate, Fields, Identity, IdentityKind, Origin, Refusal, Region, ResultId, Roster, RosterEntry, ScoreReport,
    Sources, SourcesSettings, Timestamp, Update, decide,
};
use scoresync_producer::{Format, FormatSettings, Limits, Row, format_settings_of, read_rows};
use scoresync_tests::company::{Company, Delivery, Report, Roster as RosterFile, Size, TrueResult, Truth};

fn sources() -> Sources {
    let file: toml::Table = include_str!("../../examples/scoresync.toml").parse().unwrap();
    let settings: SourcesSettings = file["sources"].clone().try_into().unwrap();
    Sources::compile(&settings).unwrap()
}

fn rows_of(format: Format, settings: &FormatSettings, body: &[u8]) -> Vec<Row> {
    read_rows(format, settings, Limits::default(), body)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The statements of both rosters, one after the other, as the import makes them.
fn employees(company: &Company) -> BTreeMap<String, Employee> {
    let mut employees = BTreeMap::new();
    for file in [&company.roster, &company.later_roster] {
        let roster = Roster {
            as_of: Timestamp::parse_rfc3339(file.as_of).unwrap(),
            region: Region::CN,
        };
        let entries = entries(file);
        let missing: Vec<Employee> = employees
            .values()
            .filter(|known: &&Employee| !entries.iter().any(|entry| entry.employee_no == known.employee_no))
            .cloned()
            .collect();
        let left = missing.iter().map(|employee| roster.leave(employee));
        let stated: Vec<Update> = entries
            .iter()
            .map(|entry| roster.update(employees.get(&entry.employee_no), entry).unwrap())
            .collect();
        let updates: Vec<Update> = stated.into_iter().chain(left).collect();
        for update in updates {
            if let Update::Changed(employee) = update {
                employees.insert(employee.employee_no.clone(), employee);
            }
        }
    }
    employees
}

fn entries(file: &RosterFile) -> Vec<RosterEntry> {
    let rows = rows_of(Format::Csv, &FormatSettings::default(), file.csv.as_bytes());
    rows.into_iter().map(|row| entry(&row.content.unwrap())).collect()
}

fn entry(fields: &Fields<'_>) -> RosterEntry {
    let text = |name: &str| fields.get(name).flatten().filter(|text| !text.is_empty()).map(str::to_owned);
    let identity = |kind, name| {
        text(name).map(|value| Identity {
            kind,
            system: None,
            value,
            valid_from: None,
            valid_to: None,
        })
    };
    RosterEntry {
        employee_no: text("工号").unwrap(),
        name: text("姓名"),
        department: text("部门"),
        position: text("岗位"),
        identities: [identity(IdentityKind::Phone, "手机号"), identity(IdentityKind::Email, "邮箱")]
            .into_iter()
            .flatten()
            .collect(),
        left_at: None,
        replaced_by: text("新工号"),
    }
}

/// What became of one row.
struct Outcome<'a> {
    report: &'a Report,
    found: Truth,
    result_id: Option<ResultId>,
}

/// Everything that scoresync does, on one partition and one record at a time.
struct Pipeline {
    sources: Sources,
    directory: Directory,
    archive: Archive,
    partition: TopicPartition,
    offset: i64,
}

impl Pipeline {
    async fn new(company: &Company, folder: &tempfile::TempDir) -> Self {
        let path = folder.path().join("archive.db");
        let settings = ArchiveSettings {
            sqlite: SqliteSettings { path },
            postgres: None,
        };
        let archive = Archive::open(&settings, Access::Writer).await.unwrap();
        let partition = TopicPartition {
            topic: "scores.enriched".to_owned(),
            generation: 1,
            partition: 0,
        };
        let position = Position {
            partition: partition.clone(),
            topic_id: "t".to_owned(),
            next_offset: 0,
            partition_count: 1,
            schemas: String::new(),
        };
        archive.claim_position(&position).await.unwrap();
        let mut directory = Directory::new(Region::CN);
        for employee in employees(company).into_values() {
            directory.apply_employee(&employee);
        }
        Self {
            sources: sources(),
            directory,
            archive,
            partition,
            offset: 0,
        }
    }

    async fn take<'a>(&mut self, delivery: &'a Delivery) -> Vec<Outcome<'a>> {
        let source = self.sources.get(delivery.origin.source()).unwrap();
        let format = Format::from_content_type(delivery.origin.content_type()).unwrap();
        let rows = rows_of(format, &format_settings_of(source).unwrap(), &delivery.body);
        assert_eq!(rows.len(), delivery.reports.len(), "rows of a delivery of {}", delivery.origin);
        let mut outcomes = Vec::new();
        for (row, report) in rows.into_iter().zip(&delivery.reports) {
            let (found, result_id) = self.take_row(row, delivery).await;
            outcomes.push(Outcome { report, found, result_id });
        }
        outcomes
    }

    async fn take_row(&mut self, row: Row, delivery: &Delivery) -> (Truth, Option<ResultId>) {
        let (fields, unparsed) = match row.content {
            Ok(fields) => (fields, None),
            Err(unreadable) => (Fields::default(), Some(unreadable.bytes.into())),
        };
        let report = ScoreReport {
            source: delivery.origin.source().into(),
            received_at: Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap(),
            content_type: delivery.origin.content_type().into(),
            fields,
            unparsed,
        };
        let offset = self.offset;
        self.offset += 1;
        let origin = Origin {
            generation: 1,
            partition: 0,
            offset,
        };
        let entries = match decide(&report, origin, &self.sources, &self.directory) {
            Err(rejection) => return (Truth::DeadLettered(rejection.reason), None),
            Ok(score) => vec![Entry { offset, score: Ok(score) }],
        };
        let result_id = entries[0].score.as_ref().unwrap().result_id;
        let positions = self.archive.positions(&self.partition.topic, 1).await.unwrap();
        let expected_offset = positions[0].next_offset;
        let batch = Batch {
            partition: self.partition.clone(),
            expected_offset,
            next_offset: offset + 1,
            schemas: String::new(),
            entries,
        };
        let applied = self.archive.apply_scores(&[batch], Refusals::Judge).await.unwrap();
        let found = match applied.fates[0] {
            Fate::Filed => Truth::Filed,
            Fate::Duplicate => Truth::Duplicate,
            Fate::Superseded => Truth::Superseded,
            Fate::Refused | Fate::DeadLettered => Truth::Refused(*applied.refused.keys().next().unwrap_or(&Refusal::Constraint)),
        };
        (found, Some(result_id))
    }
}

fn check_record(result: &TrueResult, records: &[(String, TrainingRecord)]) {
    let Some(truth) = &result.record else {
        assert!(records.is_empty(), "{}: nothing must be in any file", result.case);
        return;
    };
    let [(employee_no, record)] = records else {
        panic!("{}: {} files have it", result.case, records.len())
    };
    let content = &record.shown.as_ref().unwrap().content;
    let shown = content.exam_score.map(|score| score.to_string());
    let withdrawn = record.head.status == scoresync_domain::Status::Withdrawn;
    assert_eq!(
        (employee_no, &shown, withdrawn),
        (&truth.employee_no, &truth.exam_score, truth.withdrawn),
        "{}",
        result.case
    );
    let heads = || std::iter::once(&record.head).chain(record.history.iter().map(|statement| &statement.head));
    let versions: std::collections::HashSet<_> = heads().map(|head| (head.revision, head.content_hash)).collect();
    assert_eq!(
        (heads().count(), versions.len()),
        (result.statements, result.versions),
        "{}",
        result.case
    );
}

async fn check(seed: u64) {
    let company = Company::generate(
        seed,
        Size {
            employees: 150,
            reports: 1_500,
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Pipeline::new(&company, &folder).await;
    let mut wrong = Vec::new();
    let mut results: HashMap<ResultId, usize> = HashMap::new();
    for delivery in &company.deliveries {
        for Outcome { report, found, result_id } in pipeline.take(delivery).await {
            if found != report.truth {
                wrong.push(format!("{} ({}): {} is {found}", report.serial, report.case, report.truth));
            }
            if let Some(result_id) = result_id {
                assert_eq!(
                    *results.entry(result_id).or_insert(report.result),
                    report.result,
                    "{}: two results have one id",
                    report.case
                );
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} of {} reports: {wrong:#?}",
        wrong.len(),
        company.report_count()
    );
    let mut files: BTreeMap<usize, Vec<(String, TrainingRecord)>> = BTreeMap::new();
    for employee_no in &company.employee_nos {
        // The sink keeps the archive's employee table; without it the file of a renumbered employee is that of the new number alone.
        for record in pipeline.archive.records_of(employee_no).await.unwrap() {
            files
                .entry(results[&record.result_id])
                .or_default()
                .push((employee_no.clone(), record));
        }
    }
    for (number, result) in company.results.iter().enumerate() {
        check_record(result, files.get(&number).map_or(&[], Vec::as_slice));
    }
}

#[tokio::test]
async fn every_report_of_the_company_meets_its_true_fate_and_every_file_is_true() {
    for seed in 1..=3 {
        check(seed).await;
    }
}
