//! What `/metrics` says, as a map.

use std::{collections::BTreeMap, net::SocketAddr, sync::LazyLock};

/// Made once, as that takes longer than many scrapes. Its connections are not kept: each test has a runtime of its own.
static CLIENT: LazyLock<reqwest::Result<reqwest::Client>> = LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build());

/// All samples of one scrape, by name with labels as Prometheus writes it: `scoresync_reports_total{fate="filed",stage="sink"}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Asks a process.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn scrape(admin: SocketAddr) -> anyhow::Result<Self> {
        let client = CLIENT.as_ref().map_err(|error| anyhow::anyhow!("no client can be made: {error}"))?;
        let text = client
            .get(format!("http://{admin}/metrics"))
            .send()
            .await?
            .error_for_status()?
            .text()
            .await?;
        Ok(Self::read(&text))
    }

    fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = samples.filter_map(|line| line.rsplit_once(' '));
        Self(
            pairs
                .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// One sample.
    #[must_use]
    pub fn get(&self, sample: &str) -> Option<f64> {
        self.0.get(sample).copied()
    }

    /// All samples of one name, with their labels.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let is_named = move |sample: &str| {
            sample
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.0
            .iter()
            .filter(move |(sample, _)| is_named(sample))
            .map(|(sample, value)| (sample.as_str(), *value))
    }

    /// The sum of all samples of one name.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.of(name).map(|(_, value)| value).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_name_are_summed_over_their_labels_and_no_other_name_counts() {
        let metrics = Metrics::read("# HELP a text\na{b=\"c d\"} 1\na{b=\"e\"} 2.5\na_total 9\na_count{b=\"c\"} 7\n");
        assert_eq!(metrics.sum("a"), 3.5);
        assert_eq!(metrics.get("a{b=\"c d\"}"), Some(1.0));
        assert_eq!(metrics.sum("a_total"), 9.0);
        assert_eq!(metrics.get("b"), None);
    }
}
