//! Who may depend on whom. `domain ← {kafka, archive, spill, web} ← positions ← processes ← cli`; `service` knows none of ours.

use std::collections::BTreeMap;

use toml::Table;

use crate::{check, files, project};

/// The layers, from the bottom; a crate depends on crates of lower layers alone. So no process knows another, nor does Kafka know a database.
const LAYERS: [&[&str]; 6] = [
    &["fault_points"],
    &["domain", "service"],
    &["kafka", "archive", "spill", "web"],
    &["positions"],
    &["producer", "mapper", "sink", "desk", "audit", "reconcile", "replay"],
    &["cli"],
];

/// Outside libraries that one crate alone may name.
const OWNED: [(&str, &[&str]); 2] = [
    (
        "kafka",
        &[
            "rdkafka",
            "rdkafka-sys",
            "serde_avro_fast",
            "apache-avro",
            "schema_registry_converter",
        ],
    ),
    (
        "archive",
        &[
            "rusqlite",
            "tokio-postgres",
            "deadpool-postgres",
            "postgres-types",
            "postgres-native-tls",
        ],
    ),
];

/// All that the domain may use: values and calculations. Whatever waits, reads, writes, or knows the time is not among them.
const ALLOWED_IN_DOMAIN: [&str; 12] = [
    "blake3",
    "chrono",
    "chrono-tz",
    "foldhash",
    "phonenumber",
    "pinyin",
    // Empty functions, but for tests.
    "scoresync-fault-points",
    "serde",
    "sha1",
    "thiserror",
    "unicode-normalization",
    "uuid",
];

/// What the domain must not even mention.
const FORBIDDEN_IN_DOMAIN: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "async fn",
];

/// The crates' product dependencies (`[dependencies]` and `[build-dependencies]`, also of single targets), by folder.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let manifests = files::text_files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("crates/") && path.ends_with("/Cargo.toml"));
    let crates: BTreeMap<String, Vec<String>> = manifests
        .map(|(path, text)| {
            let manifest: Table = text.parse().unwrap();
            let targets = manifest
                .get("target")
                .and_then(toml::Value::as_table)
                .into_iter()
                .flat_map(Table::values);
            let tables = std::iter::once(&manifest).chain(targets.filter_map(toml::Value::as_table));
            let names = tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)));
            let names = names.flatten().filter_map(toml::Value::as_table).flat_map(Table::keys);
            (path.split('/').nth(1).unwrap().to_owned(), names.cloned().collect())
        })
        .collect();
    assert!(crates.len() >= 8, "only {} crates were found", crates.len());
    crates
}

fn folder(package: &str) -> &str {
    if package == "fault-points" { "fault_points" } else { package }
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

#[test]
fn crates_depend_on_lower_layers_alone() {
    let mut problems = Vec::new();
    for (name, dependencies) in dependencies() {
        let Some(own) = layer(&name) else {
            problems.push(format!(
                "crates/{name}: no layer is known for it; say in this test where it belongs"
            ));
            continue;
        };
        for dependency in dependencies
            .iter()
            .filter_map(|dependency| dependency.strip_prefix("scoresync-").map(folder))
        {
            if layer(dependency).is_none_or(|layer| layer >= own) {
                problems.push(format!("crates/{name} depends on crates/{dependency}, which is not below it"));
            }
        }
    }
    check(problems);
}

#[test]
fn borders_with_the_world_are_in_one_crate_each() {
    let mut problems = Vec::new();
    for (name, dependencies) in dependencies() {
        for (owner, libraries) in OWNED {
            let stray = dependencies
                .iter()
                .filter(|dependency| owner != name && libraries.contains(&dependency.as_str()));
            problems.extend(stray.map(|stray| format!("crates/{name} names {stray}, which only crates/{owner} may")));
        }
    }
    check(problems);
}

#[test]
fn the_domain_is_values_and_rules_alone() {
    let domain = &dependencies()["domain"];
    let foreign = domain.iter().filter(|dependency| !ALLOWED_IN_DOMAIN.contains(&dependency.as_str()));
    let mut problems: Vec<String> = foreign.map(|dependency| format!("crates/domain depends on {dependency}")).collect();
    for (path, text) in files::rust_files()
        .iter()
        .filter(|(path, _)| path.starts_with("crates/domain/src/"))
    {
        let mentions = FORBIDDEN_IN_DOMAIN.iter().filter(|word| text.contains(*word));
        problems.extend(mentions.map(|word| format!("{path} mentions {word}")));
    }
    check(problems);
}

#[test]
fn unsafe_code_is_in_three_modules_of_the_product() {
    let allowed = [
        "crates/kafka/src/topics/describe.rs",
        "crates/kafka/src/dead_letter/lookup.rs",
        "crates/kafka/src/lifeline.rs",
    ];
    let product = files::rust_files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("crates/") && path.contains("/src/"));
    let lifted = product.filter(|(path, text)| !allowed.contains(&path.as_str()) && text.contains("expect(unsafe_code"));
    check(lifted.map(|(path, _)| format!("{path} has unsafe code")).collect());
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let workspace: Table = project::read("Cargo.toml").parse().unwrap();
    let shared = workspace["workspace"]["lints"].clone();
    let mut problems = Vec::new();
    for name in dependencies().into_keys() {
        let manifest: Table = project::read(&format!("crates/{name}/Cargo.toml")).parse().unwrap();
        let mut lints = manifest.get("lints").cloned().unwrap_or_else(|| Table::new().into());
        let inherits = lints.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        // The one crate with unsafe code repeats the list, with `deny` in the place of `forbid`.
        if name == "kafka" {
            lints["rust"]["unsafe_code"] = "forbid".into();
        }
        if !inherits && lints != shared {
            problems.push(format!("crates/{name}: its lints differ from those of the workspace"));
        }
    }
    check(problems);
}
