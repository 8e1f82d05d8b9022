//! Topics and subjects of its own on a real Kafka and a real registry, for one test.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_domain::{Employee, Region, ScoreReport, Source, Sources, SourcesSettings};
use scoresync_kafka::{
    Decoder, Event, GroupConsumer, KafkaSettings, Membership, Message as _, Registry, RegistrySettings, TableEnds, TableReader, Topic,
    TopicNames, TopicSettings, create_topics, subjects,
};
use scoresync_producer::{Intake, ProducerMetrics, RosterSurroundings};
use scoresync_service::StageMetrics;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Nothing in these tests takes so long unless it is broken.
pub const LONG: Duration = Duration::from_secs(60);

pub struct Stack {
    pub kafka: KafkaSettings,
    pub topics: TopicSettings,
    pub registry: Registry,
    pub runtime: Runtime,
    schema_ids: BTreeMap<String, u32>,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; start what is needed with dev/stack up, and source its env"))
}

impl Stack {
    pub fn new() -> Self {
        Self::of(&format!("test-{}", Uuid::new_v4().simple()))
    }

    /// The stack of this name, in whatever process it was made.
    pub fn of(name: &str) -> Self {
        let (kafka, topics) = Self::named(name);
        let settings = RegistrySettings {
            url: variable("SCORESYNC_REGISTRY__URL"),
            ..RegistrySettings::default()
        };
        let (registry, runtime) = (Registry::new(&settings).unwrap(), Runtime::new().unwrap());
        runtime.block_on(create_topics(&kafka, &topics)).unwrap();
        let schema_ids = subjects(&TopicNames::new(&topics))
            .into_iter()
            .map(|subject| (subject.subject.clone(), runtime.block_on(subject.register(&registry)).unwrap()))
            .collect();
        Self {
            kafka,
            topics,
            registry,
            runtime,
            schema_ids,
        }
    }

    fn named(name: &str) -> (KafkaSettings, TopicSettings) {
        let kafka = KafkaSettings {
            brokers: variable("SCORESYNC_KAFKA__BROKERS"),
            dev: true,
            group_prefix: name.to_owned(),
            ..KafkaSettings::default()
        };
        let topics = TopicSettings {
            prefix: format!("{name}."),
            partitions: 3,
            ..TopicSettings::default()
        };
        (kafka, topics)
    }

    fn schema_id(&self, topic: Topic) -> u32 {
        self.schema_ids[&TopicNames::new(&self.topics).subject(topic)]
    }

    pub fn roster(&self) -> RosterSurroundings<'_> {
        RosterSurroundings {
            kafka: &self.kafka,
            topics: &self.topics,
            registry: &self.registry,
            runtime: self.runtime.handle(),
            employee_schema_id: self.schema_id(Topic::Employees),
            region: Region::CN,
        }
    }

    pub fn intake(&self) -> Intake {
        let registry = prometheus::Registry::new();
        let stage = StageMetrics::register(&registry).unwrap();
        let metrics = ProducerMetrics::register(&registry, stage).unwrap();
        Intake::new(&self.kafka, &self.topics, self.schema_id(Topic::Raw), metrics).unwrap()
    }

    /// The last record of each employee, and how many records there are.
    pub fn employees(&self) -> (BTreeMap<String, Employee>, usize) {
        let schemas = (&self.registry, self.runtime.handle());
        let ends = Arc::new(TableEnds::open(&self.kafka).unwrap());
        let mut reader = TableReader::<Employee>::open(Topic::Employees, (&self.kafka, &self.topics), schemas, ends).unwrap();
        let (mut employees, mut records) = (BTreeMap::new(), 0);
        reader
            .read_to_end(LONG, |change| {
                records += 1;
                employees.insert(change.key, change.row.expect("no tombstone is ever written"));
            })
            .unwrap();
        (employees, records)
    }

    /// What is in `scores.raw`, once there are `at_least` records; in the order of each partition.
    pub fn raw(&self, at_least: usize) -> Vec<ScoreReport<'static>> {
        let names = TopicNames::new(&self.topics);
        let (topic, group) = (
            names.name(Topic::Raw),
            format!("{}.reader-{}", self.kafka.group_prefix, Uuid::new_v4()),
        );
        let membership = Membership {
            group: &group,
            topics: &[&topic],
        };
        let consumer = GroupConsumer::join(&self.kafka, &membership).unwrap();
        let mut decoder =
            Decoder::<ScoreReport<'static>>::new(names.subject(Topic::Raw), self.registry.clone(), self.runtime.handle().clone());
        let (mut reports, begun, mut last) = (Vec::new(), Instant::now(), Instant::now());
        while reports.len() < at_least || last.elapsed() < Duration::from_secs(1) {
            assert!(begun.elapsed() < LONG, "{} of {at_least} records after {LONG:?}", reports.len());
            match consumer.poll(Duration::from_millis(100)) {
                Event::Assigned(partitions) => {
                    let positions: Vec<_> = partitions.into_iter().map(|place| (place, 0)).collect();
                    consumer.start(&positions).unwrap();
                }
                Event::Revoked(partitions) => consumer.release(&partitions).unwrap(),
                Event::Record(record) => {
                    last = Instant::now();
                    reports.push(owned(decoder.decode(record.payload()).unwrap()));
                }
                Event::Trouble(error) => panic!("{error}"),
                Event::Stalled(_) | Event::Nothing => {}
            }
        }
        reports
    }
}

fn owned(report: ScoreReport<'_>) -> ScoreReport<'static> {
    let fields = report
        .fields
        .iter()
        .map(|(name, value)| (name.to_owned().into(), value.map(|value| value.to_owned().into())))
        .collect();
    ScoreReport {
        source: report.source.into_owned().into(),
        received_at: report.received_at,
        content_type: report.content_type.into_owned().into(),
        fields: scoresync_domain::Fields::from_unique(fields),
        unparsed: report.unparsed.map(|bytes| bytes.into_owned().into()),
    }
}

/// Runs an ignored test of this binary in a process of its own.
pub fn run_alone(test: &str, variables: &[(&str, &OsStr)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A source whose results have an id of their own.
pub fn source(repeat: &str) -> Arc<Source> {
    let settings = format!(
        "[academy]\nmapping_version = 1\nrepeat = '{repeat}'\ntime_zone = 'Asia/Shanghai'\nemployees_match = ['employee_no']\nkey = ['result']\n\
         [academy.fields]\nresult = '编号'\nemployee_no = '工号'\ncourse_id = '课程'\nexam_score = '分数'\nfinish_timestamp = '完成时间'\n"
    );
    let settings: SourcesSettings = toml::from_str(&settings).unwrap();
    let sources = Sources::compile(&settings).unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::new(sources.get("academy").unwrap().clone())
}
