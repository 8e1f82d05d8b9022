//! The source of the benchmark of the whole, for the benchmarks of its parts.

use scoresync_domain::{Sources, SourcesSettings};

/// What `dev/bench` appends to the example configuration.
const CONFIGURATION: &str = include_str!("../../../../tests/src/bin/bench/source.toml");

/// The sources that it configures.
pub(crate) fn sources() -> Sources {
    let configuration: toml::Table = toml::from_str(CONFIGURATION).expect("the configuration can be read");
    let settings: SourcesSettings = configuration["sources"].clone().try_into().expect("the sources can be read");
    Sources::compile(&settings).expect("the sources are right")
}
