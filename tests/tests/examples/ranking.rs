//! Which of the versions of a result counts: what every subscriber of `scores.enriched` has to decide, through the domain's plain model.

use scoresync_domain::{
    ContentHash, Origin, Repeat, Status,
    rule::{Statement, judge},
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{examples, readable};

/// The fields of an enriched score that the rule looks at, with the schema's defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    origin: Place,
    #[serde(default = "one")]
    mapping_version: i32,
    #[serde(default)]
    decision: i64,
    employee_no: Option<String>,
    status: String,
    #[serde(default = "one")]
    revision_scheme: i32,
    revision: Option<i64>,
    content_hash: String,
    repeat: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    generation: i32,
    partition: i32,
    offset: i64,
}

const fn one() -> i32 {
    1
}

impl From<Stated> for Statement {
    fn from(stated: Stated) -> Self {
        let repeat: Option<Repeat> = stated.repeat.map(|text| text.parse().unwrap());
        let status: Status = stated.status.parse().unwrap();
        Self {
            origin: Origin {
                generation: stated.origin.generation,
                partition: stated.origin.partition,
                offset: stated.origin.offset,
            },
            mapping_version: stated.mapping_version,
            decision: stated.decision,
            employee_no: stated.employee_no,
            status,
            revision_scheme: stated.revision_scheme,
            revision: stated.revision,
            content_hash: ContentHash(readable::from_hex(&stated.content_hash).try_into().unwrap()),
            repeat: repeat.unwrap_or(Repeat::Redelivery),
        }
    }
}

#[test]
fn versions_rank_as_their_examples_say() {
    for example in examples("ranking", 7) {
        let stated: Vec<Stated> = serde_json::from_value(example.json["statements"].clone()).unwrap();
        let statements: Vec<Statement> = stated.into_iter().map(Statement::from).collect();
        let judged = judge(&statements);
        let outcome: Json = json!({
            "owner": judged.owner,
            "record": judged.record,
            "shown": judged.shown,
            "refused": judged.refused,
        });
        example.check(&outcome);
    }
}
