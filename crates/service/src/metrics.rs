//! Metrics that every process has, and typed metrics whose label values cannot have the wrong count.

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::Collector,
};

/// Buckets for latencies in seconds, 0.5 ms to 60 s; fine around one second, within which a score is to be filed.
pub const LATENCY_BUCKETS_SECONDS: [f64; 16] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
];

/// A kind of metric that can be split by labels.
pub trait Family: Collector + Clone + Sized + 'static {
    /// One member: the metric at one set of label values.
    type Member: Collector + Clone + 'static;

    /// A family that belongs to no registry yet. Histograms have [`LATENCY_BUCKETS_SECONDS`].
    ///
    /// # Errors
    /// Refuses names that Prometheus does not allow.
    fn new(named: Named, labels: &[&str]) -> prometheus::Result<Self>;

    /// The member at `values`.
    ///
    /// # Errors
    /// Refuses a wrong count of values.
    fn member(&self, values: &[&str]) -> prometheus::Result<Self::Member>;
}

/// Name and description of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Base units; counters end in `_total`.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
}

impl From<Named> for Opts {
    fn from(named: Named) -> Self {
        Self::new(named.name, named.help)
    }
}

impl From<Named> for HistogramOpts {
    fn from(named: Named) -> Self {
        Self::new(named.name, named.help).buckets(LATENCY_BUCKETS_SECONDS.to_vec())
    }
}

macro_rules! family {
    ($($family:ty: $member:ty, $options:ty;)+) => { $(
        impl Family for $family {
            type Member = $member;

            fn new(named: Named, labels: &[&str]) -> prometheus::Result<Self> {
                <$family>::new(<$options>::from(named), labels)
            }

            fn member(&self, values: &[&str]) -> prometheus::Result<$member> {
                self.get_metric_with_label_values(values)
            }
        }
    )+ };
}

family! {
    IntCounterVec: IntCounter, Opts;
    IntGaugeVec: IntGauge, Opts;
    GaugeVec: Gauge, Opts;
    HistogramVec: Histogram, HistogramOpts;
}

/// A family with `N` labels: `Labelled<IntCounterVec, 2>`.
///
/// The values of a label come from a short fixed list. [`get`](Self::get) takes a lock: a hot path keeps the members that it needs.
#[derive(Clone, Debug)]
pub struct Labelled<F, const N: usize>(F);

impl<F: Family, const N: usize> Labelled<F, N> {
    /// Makes the family and registers it.
    ///
    /// # Errors
    /// Refuses a name that Prometheus does not allow or that is registered already.
    pub fn register(registry: &Registry, named: Named, labels: [&str; N]) -> prometheus::Result<Self> {
        register(registry, F::new(named, &labels)?).map(Self)
    }

    /// The member at these values, in the order of the labels. From then on it is exported, with 0 if nothing is counted.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a wrong count is the only error there is, and N is the count of both names and values"
    )]
    pub fn get(&self, values: [&str; N]) -> F::Member {
        self.0.member(&values).expect("as many values as labels")
    }
}

/// Registers a metric without labels (or any collector) and gives it back.
///
/// # Errors
/// Refuses a name that is registered already.
pub fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// What every process exports: version, readiness of its stages, and what the system says of the process.
#[derive(Clone, Debug)]
pub struct ProcessMetrics {
    /// `scoresync_ready{stage}`: 1 while the stage is ready.
    pub ready: Labelled<IntGaugeVec, 1>,
}

impl ProcessMetrics {
    /// Registers them; `version` is the command's.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry, version: &str) -> prometheus::Result<Self> {
        const BUILD_INFO: Named = Named {
            name: "scoresync_build_info",
            help: "Always 1; the label says which version runs.",
        };
        const READY: Named = Named {
            name: "scoresync_ready",
            help: "1 while the stage is ready, 0 while it is not.",
        };
        Labelled::<IntGaugeVec, 1>::register(registry, BUILD_INFO, ["version"])?
            .get([version])
            .set(1);
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self {
            ready: Labelled::register(registry, READY, ["stage"])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Named = Named {
        name: "scoresync_seen_total",
        help: "Things seen.",
    };

    fn exported(registry: &Registry) -> String {
        prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    #[test]
    fn a_member_is_counted_under_its_own_label_values() {
        let registry = Registry::new();
        let seen = Labelled::<IntCounterVec, 2>::register(&registry, SEEN, ["stage", "fate"]).unwrap();
        seen.get(["sink", "filed"]).inc_by(3);
        let _exported_as_zero = seen.get(["sink", "refused"]);
        let text = exported(&registry);
        assert!(text.contains(r#"scoresync_seen_total{fate="filed",stage="sink"} 3"#), "{text}");
        assert!(text.contains(r#"scoresync_seen_total{fate="refused",stage="sink"} 0"#), "{text}");
    }

    #[test]
    fn a_name_is_registered_once() {
        let registry = Registry::new();
        let again = || Labelled::<IntCounterVec, 1>::register(&registry, SEEN, ["stage"]);
        assert!(again().is_ok());
        assert!(matches!(again(), Err(prometheus::Error::AlreadyReg)));
    }

    #[test]
    fn latencies_fall_into_the_shared_buckets() {
        let registry = Registry::new();
        let named = Named {
            name: "scoresync_stage_seconds",
            help: "Time.",
        };
        let seconds = Labelled::<HistogramVec, 1>::register(&registry, named, ["stage"]).unwrap();
        seconds.get(["sink"]).observe(0.000_4);
        seconds.get(["sink"]).observe(59.0);
        let text = exported(&registry);
        assert!(
            text.contains(r#"scoresync_stage_seconds_bucket{stage="sink",le="0.0005"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"scoresync_stage_seconds_bucket{stage="sink",le="30"} 1"#), "{text}");
        assert!(text.contains(r#"scoresync_stage_seconds_bucket{stage="sink",le="60"} 2"#), "{text}");
        assert!(LATENCY_BUCKETS_SECONDS.is_sorted());
    }

    #[test]
    fn every_process_exports_its_version_and_what_it_uses() {
        let registry = Registry::new();
        ProcessMetrics::register(&registry, "1.2.3").unwrap();
        let text = exported(&registry);
        assert!(text.contains(r#"scoresync_build_info{version="1.2.3"} 1"#), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}
