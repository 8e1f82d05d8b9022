//! Before the first report: the registry is the one of before, and the directory is complete.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use scoresync_domain::{Region, Sources};
use scoresync_kafka::{
    Decoder, Encoder, GroupConsumer, KafkaSettings, LiveDirectory, Publisher, Registry, SchemaMemory, Specification, Topic, TopicNames,
    TopicPartition, TopicSettings,
};
use scoresync_service::{Backoff, BackoffLimits, StageReadiness};
use tokio::runtime::Handle;

use super::{Mapper, MapperError, count};
use crate::{
    metrics::{MapperMetrics, STAGE},
    partitions::{Anchor, Partitions},
    schema_memories::SchemaMemories,
    settings::MapperSettings,
    transform::{OutputNames, Transform},
};

/// What the mapper works with.
pub struct Surroundings<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// Where calls to the registry run.
    pub runtime: &'a Handle,
    /// The registry's id of the schema of enriched scores.
    pub enriched_schema_id: u32,
    /// Where phone numbers of the directory belong that have no country code.
    pub region: Region,
}

impl Mapper {
    /// Makes sure that the registry is the one of before, reads the whole directory, then joins the group.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, the topics are not there, or the registry's schemas are not those that the group
    /// has recorded.
    pub fn start(
        surroundings: &Surroundings<'_>,
        settings: MapperSettings,
        sources: Sources,
        (metrics, readiness): (MapperMetrics, StageReadiness),
    ) -> Result<Self, MapperError> {
        let Surroundings {
            kafka,
            topics,
            registry,
            runtime,
            enriched_schema_id,
            region,
        } = *surroundings;
        let names = TopicNames::new(topics);
        let (raw, group) = (names.name(Topic::Raw), format!("{}.{STAGE}", kafka.group_prefix));
        let decoder = Decoder::new(names.subject(Topic::Raw), registry.clone(), runtime.clone());
        let mut live = LiveDirectory::open(kafka, topics, region, (registry, runtime))?;
        let consumer = GroupConsumer::open(kafka, &group)?;
        let (employees, aliases) = live.schema_memories();
        let memories = SchemaMemories {
            raw: decoder.memory().clone(),
            enriched: SchemaMemory::new(&names.subject(Topic::Enriched)),
            employees: employees.clone(),
            aliases: aliases.clone(),
        };
        memories.recall_all(&consumer, &raw)?;
        memories.verify(registry, runtime, enriched_schema_id)?;
        readiness.in_transition("reading the directory");
        live.read_to_end(settings.directory_timeout())?;
        let employees = live.directory().employee_count();
        metrics.directory_employees.set(count(employees));
        tracing::info!(employees, "the directory is complete");
        consumer.subscribe(&[&raw])?;
        let transform = Transform {
            decoder,
            encoder: Encoder::new(enriched_schema_id),
            publisher: Publisher::new(kafka, topics)?,
            live,
            sources,
            metrics,
            names: output_names(&names, topics, (group, settings.instance_name())),
            directory_covers: BTreeMap::new(),
            buffer: Vec::new(),
            key: String::new(),
        };
        let anchor = Anchor {
            place: TopicPartition {
                topic: names.name(Topic::Employees),
                partition: 0,
            },
            offset: transform.live.position().employees,
        };
        readiness.in_transition("waiting for partitions");
        let backoff = Backoff::new(BackoffLimits {
            longest: Duration::from_secs(5),
            ..BackoffLimits::default()
        });
        Ok(Self {
            consumer,
            partitions: Partitions::new(anchor, memories),
            transform,
            settings,
            readiness,
            backoff,
            last_bookkeeping: Instant::now(),
            last_repetition: Instant::now(),
            unstarted: None,
            has_joined: false,
            follows_directory: true,
        })
    }
}

fn output_names(names: &TopicNames, topics: &TopicSettings, (group, instance): (String, String)) -> OutputNames {
    OutputNames {
        enriched: names.name(Topic::Enriched),
        dead_letters: names.name(Topic::DeadLetters),
        group,
        instance,
        generation: names.generation(),
        max_output_bytes: Specification::greatest_output_bytes(topics),
    }
}
