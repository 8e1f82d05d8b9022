//! Tables on a real Kafka whose log does not end with a record.

#![expect(clippy::unwrap_used, reason = "what a test builds on fails as a test does")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use scoresync_domain::{Employee, Timestamp};
use scoresync_kafka::{
    Encoder, KafkaSettings, Registry, RegistrySettings, TableEnds, TableError, TableReader, Topic, TopicNames, TopicSettings,
    create_topics, subjects,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(20);

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; start what is needed with dev/stack up, and source its env"))
}

/// A connector that writes employees in transactions, each of which ends with a marker that is no record.
struct Connector {
    producer: BaseProducer,
    encoder: Encoder<Employee>,
    topic: String,
}

impl Connector {
    fn write(&self, employee_no: &str) {
        self.producer.begin_transaction().unwrap();
        self.send(employee_no);
        self.producer.commit_transaction(LIMIT).unwrap();
    }

    /// In a transaction that is open, and at the broker when this returns.
    fn send(&self, employee_no: &str) {
        let employee = Employee {
            employee_no: employee_no.to_owned(),
            name: None,
            department: None,
            position: None,
            identities: Vec::new(),
            left_at: None,
            replaced_by: None,
            as_of: Timestamp::from_millis(0),
        };
        let mut value = Vec::new();
        self.encoder.encode(&employee, &mut value).unwrap();
        let record = BaseRecord::to(&self.topic).key(employee_no).payload(&value);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.producer.flush(LIMIT).unwrap();
    }
}

/// A table of employees with somebody who writes to it and somebody who reads it.
struct Table {
    connector: Connector,
    reader: TableReader<Employee>,
    read: Vec<String>,
    _runtime: Runtime,
}

impl Table {
    fn read_to_end(&mut self, limit: Duration) -> Result<(), TableError> {
        self.reader.read_to_end(limit, |change| self.read.push(change.key))
    }
}

fn table() -> Table {
    let name = Uuid::new_v4().simple().to_string();
    let kafka = KafkaSettings {
        brokers: variable("SCORESYNC_KAFKA__BROKERS"),
        dev: true,
        ..KafkaSettings::default()
    };
    let topics = TopicSettings {
        prefix: format!("test-{name}."),
        ..TopicSettings::default()
    };
    let settings = RegistrySettings {
        url: variable("SCORESYNC_REGISTRY__URL"),
        ..RegistrySettings::default()
    };
    let (registry, runtime) = (Registry::new(&settings).unwrap(), Runtime::new().unwrap());
    runtime.block_on(create_topics(&kafka, &topics)).unwrap();
    let names = TopicNames::new(&topics);
    let subject = subjects(&names)
        .into_iter()
        .find(|subject| subject.topic == Topic::Employees)
        .unwrap();
    let schema_id = runtime.block_on(subject.register(&registry)).unwrap();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("transactional.id", &name)
        .create()
        .unwrap();
    producer.init_transactions(LIMIT).unwrap();
    let connector = Connector {
        producer,
        encoder: Encoder::new(schema_id),
        topic: names.name(Topic::Employees),
    };
    let schemas = (&registry, runtime.handle());
    let ends = Arc::new(TableEnds::open(&kafka).unwrap());
    let reader = TableReader::open(Topic::Employees, (&kafka, &topics), schemas, ends).unwrap();
    Table {
        connector,
        reader,
        read: Vec::new(),
        _runtime: runtime,
    }
}

#[test]
fn a_table_whose_end_is_no_record_is_read_to_its_end_again_and_again() {
    let mut table = table();
    for employee_no in ["E1", "E2", "E3"] {
        table.connector.write(employee_no);
        table.read_to_end(LIMIT).unwrap();
        assert_eq!(table.read.last().map(String::as_str), Some(employee_no));
        // The client tells the end once: of it hears whoever reads next.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(500) {
            table.reader.read_available(|change| table.read.push(change.key)).unwrap();
        }
        table.read_to_end(LIMIT).unwrap();
    }
    assert_eq!(table.read, ["E1", "E2", "E3"]);
}

/// A schema id that is nobody's is waited for a moment, and then passed over, as often as the table is read.
#[test]
fn a_record_that_nobody_can_read_keeps_nobody_from_reading_the_table() {
    let mut table = table();
    let foreign = [0, 0x7f, 0x7f, 0x7f, 0x7f, 0];
    table.connector.producer.begin_transaction().unwrap();
    let record = BaseRecord::to(&table.connector.topic).key("E0").payload(&foreign[..]);
    table.connector.producer.send(record).map_err(|(error, _)| error).unwrap();
    table.connector.producer.commit_transaction(LIMIT).unwrap();
    table.connector.write("E1");
    table.read_to_end(LIMIT).unwrap();
    assert_eq!(table.read, ["E1"]);
}

#[test]
fn what_an_open_transaction_holds_back_is_waited_for() {
    let mut table = table();
    table.connector.write("E1");
    table.connector.producer.begin_transaction().unwrap();
    table.connector.send("E2");
    let early = table.read_to_end(Duration::from_secs(2));
    assert!(matches!(early, Err(TableError::TooSlow { .. })), "{early:?}");
    assert_eq!(table.read, ["E1"]);
    let Table { reader, read, .. } = &mut table;
    reader.read_to_readable_end(LIMIT, |change| read.push(change.key)).unwrap();
    assert_eq!(table.read, ["E1"]);
    table.connector.producer.commit_transaction(LIMIT).unwrap();
    table.read_to_end(LIMIT).unwrap();
    assert_eq!(table.read, ["E1", "E2"]);
}

#[test]
fn what_was_given_up_is_no_end_that_is_waited_for() {
    let mut table = table();
    table.connector.producer.begin_transaction().unwrap();
    table.connector.send("E1");
    table.connector.producer.abort_transaction(LIMIT).unwrap();
    table.read_to_end(LIMIT).unwrap();
    assert!(table.read.is_empty());
    table.connector.write("E2");
    table.read_to_end(LIMIT).unwrap();
    assert_eq!(table.read, ["E2"]);
}
