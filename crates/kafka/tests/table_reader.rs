//! Tables on a real Kafka whose log does not end with a record.

#![expect(clippy::unwrap_used, reason = "what a test builds on fails as a test does")]

use std::time::{Duration, Instant};

use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use scoresync_domain::{Employee, Timestamp};
use scoresync_kafka::{
    Encoder, KafkaSettings, Registry, RegistrySettings, TableReader, Topic, TopicNames, TopicSettings, create_topics, subjects,
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
        self.producer.begin_transaction().unwrap();
        let record = BaseRecord::to(&self.topic).key(employee_no).payload(&value);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.producer.commit_transaction(LIMIT).unwrap();
    }
}

#[test]
fn a_table_whose_end_is_no_record_is_read_to_its_end_again_and_again() {
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
        encoder: Encoder::new(schema_id).unwrap(),
        topic: names.name(Topic::Employees),
    };
    let schemas = (&registry, runtime.handle());
    let mut reader = TableReader::<Employee>::open(Topic::Employees, &kafka, &topics, schemas).unwrap();
    let mut read = Vec::new();
    for employee_no in ["E1", "E2", "E3"] {
        connector.write(employee_no);
        reader.read_to_end(LIMIT, |change| read.push(change.key)).unwrap();
        assert_eq!(read.last().map(String::as_str), Some(employee_no));
        // The client tells the end once: of it hears whoever reads next.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(500) {
            reader.read_available(|change| read.push(change.key)).unwrap();
        }
        reader.read_to_end(LIMIT, |change| read.push(change.key)).unwrap();
    }
    assert_eq!(read, ["E1", "E2", "E3"]);
}
