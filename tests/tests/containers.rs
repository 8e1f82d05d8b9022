//! What docker-compose.yml runs has to be what dev/stack runs and what the configuration takes. Nothing is started here.
#![expect(clippy::unwrap_used, reason = "a test may panic; the lint knows only functions marked as tests")]

#[path = "shared/project.rs"]
mod project;

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};
use scoresync_tests::configuration;
use serde_yaml_ng::Value;

/// docker-compose.yml with its merge keys applied.
fn compose() -> Value {
    let mut compose: Value = serde_yaml_ng::from_str(&project::read("docker-compose.yml")).unwrap();
    compose.apply_merge().unwrap();
    compose
}

fn services(compose: &Value) -> Vec<(String, &Value)> {
    let services = compose["services"].as_mapping().unwrap().iter();
    services
        .map(|(name, service)| (name.as_str().unwrap().to_owned(), service))
        .collect()
}

/// The tag of a service's image.
fn image_version(service: &str, image: &str) -> String {
    let compose = compose();
    let named = compose["services"][service]["image"].as_str().unwrap();
    let (name, version) = named.rsplit_once(':').unwrap();
    assert_eq!(name, image);
    version.to_owned()
}

/// The `<properties>` of the local stack's pom.xml.
fn stack_versions() -> BTreeMap<String, String> {
    let text = project::read("dev/stack.d/pom.xml");
    let mut reader = Reader::from_str(&text);
    let (mut path, mut versions) = (Vec::new(), BTreeMap::new());
    loop {
        let event = reader.read_event().unwrap();
        if let Event::Start(start) = &event {
            path.push(start.name().as_ref().to_owned());
        } else if matches!(event, Event::End(_)) {
            path.pop();
        } else if let Event::Text(text) = &event
            && path.len() == 3
            && path[1] == "properties"
        {
            versions.insert(path[2].clone(), text.to_string());
        } else if matches!(event, Event::Eof) {
            return versions;
        }
    }
}

#[test]
fn kafka_and_registry_are_those_of_the_local_stack() {
    let versions = stack_versions();
    assert_eq!(image_version("kafka", "apache/kafka"), versions["kafka.version"]);
    assert_eq!(
        image_version("registry", "apicurio/apicurio-registry"),
        versions["registry.version"]
    );
}

/// PostgreSQL's major version in the Debian release that the image is built on: the one that dev/stack finds there.
const DEBIAN_RELEASES: [(&str, &str); 2] = [("bookworm", "15"), ("trixie", "17")];

#[test]
fn postgres_is_of_the_major_version_that_the_image_s_system_has() {
    let version = image_version("postgres", "postgres");
    let dockerfile = project::read("Dockerfile");
    let base = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM debian:"))
        .next_back()
        .unwrap();
    let release = base.split('-').next().unwrap();
    let (_, major) = DEBIAN_RELEASES.iter().find(|(known, _)| *known == release).unwrap();
    assert_eq!(version.split('.').next(), Some(*major), "Debian {release}");
}

#[test]
fn rust_is_the_one_that_the_workspace_asks_for() {
    let manifest: toml::Table = project::read("Cargo.toml").parse().unwrap();
    let wanted = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(
        project::read("Dockerfile").contains(&format!("ARG RUST_VERSION={wanted}\n")),
        "{wanted}"
    );
}

/// The part of `./a:/b:ro` or of the long form that is on this machine; a named volume or a configuration is none.
fn mounted_path(mount: &Value) -> Option<String> {
    let source = match mount.as_str() {
        Some(short) => short.split(':').next().unwrap(),
        None => mount["source"].as_str()?,
    };
    source.starts_with('.').then(|| source.to_owned())
}

#[test]
fn every_path_that_is_mounted_or_built_exists() {
    let compose = compose();
    let mut paths = Vec::new();
    for (_, service) in services(&compose) {
        paths.extend(service["volumes"].as_sequence().into_iter().flatten().filter_map(mounted_path));
        paths.extend(service["build"].as_str().map(|folder| format!("{folder}/Dockerfile")));
    }
    assert!(paths.iter().any(|path| path.ends_with("scoresync.toml")), "{paths:?}");
    for path in paths {
        assert!(project::root().join(&path).exists(), "docker-compose.yml wants {path}");
    }
}

#[test]
fn every_volume_and_configuration_that_is_used_is_declared() {
    let compose = compose();
    for (name, service) in services(&compose) {
        for mount in service["volumes"].as_sequence().into_iter().flatten() {
            let source = mount.as_str().unwrap().split(':').next().unwrap();
            assert!(
                source.starts_with('.') || compose["volumes"].get(source).is_some(),
                "{name} uses the volume {source}"
            );
        }
        for used in service["configs"].as_sequence().into_iter().flatten() {
            let source = used["source"].as_str().unwrap();
            assert!(compose["configs"].get(source).is_some(), "{name} uses the configuration {source}");
        }
        for (dependency, _) in service["depends_on"].as_mapping().into_iter().flatten() {
            assert!(compose["services"].get(dependency).is_some(), "{name} waits for {dependency:?}");
        }
    }
}

/// `${NAME:-default}` as it is without a file `.env`.
fn with_defaults(text: &str) -> String {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap();
        whole += variable.split_once(":-").unwrap_or_else(|| panic!("{variable} has no default")).1;
        whole += rest;
    }
    whole
}

/// The variables of a container that are meant for scoresync, and where the image says that its configuration is.
fn variables(service: &Value) -> Vec<(String, String)> {
    let environment = service["environment"].as_mapping().unwrap().iter();
    let text = |value: &Value| match value.as_str() {
        Some(text) => with_defaults(text),
        None => serde_yaml_ng::to_string(value).unwrap().trim().to_owned(),
    };
    environment
        .map(|(name, value)| (name.as_str().unwrap().to_owned(), text(value)))
        .collect()
}

#[test]
fn the_configuration_takes_what_every_container_sets() {
    let compose = compose();
    let ours: Vec<_> = services(&compose)
        .into_iter()
        .filter(|(_, service)| service["image"] == "scoresync:local")
        .collect();
    assert_eq!(ours.len(), 6, "topics, schemas, and the four processes");
    for (name, service) in ours {
        let variables = variables(service);
        assert!(
            variables.iter().all(|(variable, _)| variable.starts_with("SCORESYNC_")),
            "{name}: {variables:?}"
        );
        let file = project::root().join("examples/scoresync.toml");
        if let Err(error) = configuration::load(Some(&file), &variables) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn the_configuration_is_mounted_where_the_image_looks_for_it() {
    let dockerfile = project::read("Dockerfile");
    let place = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("ENV SCORESYNC_CONFIG="))
        .unwrap();
    let compose = compose();
    let mounts = compose["services"]["mapper"]["volumes"].as_sequence().unwrap();
    assert!(
        mounts
            .iter()
            .filter_map(Value::as_str)
            .any(|mount| mount == format!("./examples/scoresync.toml:{place}:ro"))
    );
}

#[test]
fn defaults_of_compose_are_put_in() {
    assert_eq!(with_defaults("a:${B:-c}@d"), "a:c@d");
    assert_eq!(with_defaults("plain"), "plain");
}
