//! Score reports through decoder, mapping and matching, with the sources of `examples/scoresync.toml` and the people of the other examples.

use std::fs;

use scoresync_domain::{
    Directory, Employee, EnrichedScore, IdentityAlias, Origin, Reason, Region, ScoreReport, Sources, SourcesSettings, decide,
};
use scoresync_kafka::{DecodeError, Encoder, HEADER_BYTES, Record};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    aliases, employees, project, readable,
    registry::{ExampleDecoder, SCHEMA_ID},
    with_values,
};

/// Where every example is said to have appeared.
const ORIGIN: Origin = Origin {
    generation: 1,
    partition: 0,
    offset: 0,
};

#[derive(Deserialize)]
struct ExampleConfiguration {
    roster: ExampleRoster,
    sources: SourcesSettings,
}

#[derive(Deserialize)]
struct ExampleRoster {
    region: String,
}

struct World {
    sources: Sources,
    directory: Directory,
}

impl World {
    fn of_the_examples() -> Self {
        let text = fs::read_to_string(project().join("examples/scoresync.toml")).unwrap();
        let configuration: ExampleConfiguration = toml::from_str(&text).unwrap();
        let region: Region = configuration.roster.region.parse().unwrap();
        let mut directory = Directory::new(region);
        let mut employee_decoder = ExampleDecoder::<Employee>::start();
        for (_, value) in employees() {
            if let Ok(employee) = employee_decoder.decode(&value) {
                directory.apply_employee(&employee);
            }
        }
        let mut alias_decoder = ExampleDecoder::<IdentityAlias>::start();
        for (_, value) in aliases() {
            if let Ok(alias) = alias_decoder.decode(&value) {
                directory.apply_alias(alias);
            }
        }
        Self {
            sources: Sources::compile(&configuration.sources).unwrap(),
            directory,
        }
    }

    fn outcome(&self, read: Result<ScoreReport<'_>, DecodeError>) -> Json {
        let report = match read {
            Ok(report) => report,
            Err(DecodeError::Frame(_) | DecodeError::Datum(_)) => return dead_letter(Reason::Undecodable),
            Err(DecodeError::UnknownSchema { .. }) => return dead_letter(Reason::UnknownSchema),
            Err(DecodeError::Surroundings(cause)) => panic!("the example's registry failed: {cause}"),
        };
        match decide(&report, ORIGIN, &self.sources, &self.directory) {
            Ok(score) => enriched(&score),
            Err(rejection) => dead_letter(rejection.reason),
        }
    }
}

fn dead_letter(reason: Reason) -> Json {
    json!({"outcome": "dead_letter", "reason": reason.as_str()})
}

fn enriched(score: &EnrichedScore<'_>) -> Json {
    let mut value = Vec::new();
    let encoder = Encoder::<EnrichedScore<'static>>::new(SCHEMA_ID);
    encoder.encode(score, &mut value).unwrap();
    let record = readable::read(EnrichedScore::SCHEMA, &value[HEADER_BYTES..]);
    json!({"outcome": "enriched", "key": score.result_id.to_string(), "score": record})
}

#[test]
fn score_reports_become_what_their_examples_say() {
    let world = World::of_the_examples();
    let mut decoder = ExampleDecoder::<ScoreReport<'static>>::start();
    let mut reasons = Vec::new();
    for (example, value) in with_values::<ScoreReport<'static>>("raw_score", 12) {
        let outcome = world.outcome(decoder.decode(&value));
        example.check(&outcome);
        reasons.extend(outcome["reason"].as_str().map(str::to_owned));
    }
    // Only of a report that is larger than its topic takes there is no example.
    for reason in Reason::ALL.iter().filter(|reason| **reason != Reason::TooLarge) {
        assert!(reasons.iter().any(|shown| shown == reason.as_str()), "no example shows {reason}");
    }
}

#[test]
fn writing_a_report_again_loses_nothing() {
    let mut decoder = ExampleDecoder::<ScoreReport<'static>>::start();
    for (example, value) in with_values::<ScoreReport<'static>>("raw_score", 12) {
        let Ok(report) = decoder.decode(&value) else { continue };
        let mut written = Vec::new();
        let encoder = Encoder::<ScoreReport<'static>>::new(SCHEMA_ID);
        encoder.encode(&report, &mut written).unwrap();
        assert_eq!(decoder.decode(&written).unwrap(), report, "{}", example.name);
    }
}
