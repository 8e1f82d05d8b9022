//! The table that the benchmark ends with: medians of the runs, each beside what bounds it.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

/// One measured value.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) value: f64,
    /// What bounds it, measured in the same run.
    pub(crate) ceiling: Option<f64>,
    pub(crate) own_cpu_s_per_million: Option<f64>,
    pub(crate) others_cpu_s_per_million: Option<f64>,
    pub(crate) peak_rss_mb: Option<f64>,
}

impl Sample {
    pub(crate) const fn of(value: f64) -> Self {
        Self {
            value,
            ceiling: None,
            own_cpu_s_per_million: None,
            others_cpu_s_per_million: None,
            peak_rss_mb: None,
        }
    }
}

/// Samples by what was measured, in the order in which they were added first.
#[derive(Default)]
pub(crate) struct Table {
    order: Vec<String>,
    samples: BTreeMap<String, (&'static str, Vec<Sample>)>,
    /// Under which circumstances, a line for each; for people alone.
    pub(crate) notes: Vec<String>,
}

/// What `--json` prints of each.
#[derive(Serialize)]
pub(crate) struct Row {
    name: String,
    unit: &'static str,
    median: f64,
    runs: Vec<f64>,
    ceiling: Option<f64>,
    ratio: Option<f64>,
    own_cpu_s_per_million: Option<f64>,
    others_cpu_s_per_million: Option<f64>,
    peak_rss_mb: Option<f64>,
}

impl Table {
    pub(crate) fn add(&mut self, name: impl Into<String>, unit: &'static str, sample: Sample) {
        let name = name.into();
        if !self.samples.contains_key(&name) {
            self.order.push(name.clone());
        }
        self.samples.entry(name).or_insert_with(|| (unit, Vec::new())).1.push(sample);
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.order.iter().map(|name| row(name, &self.samples[name])).collect()
    }
}

fn row(name: &str, (unit, samples): &(&'static str, Vec<Sample>)) -> Row {
    let of = |read: fn(&Sample) -> Option<f64>| median(samples.iter().filter_map(read).collect());
    Row {
        name: name.to_owned(),
        unit,
        median: of(|sample| Some(sample.value)).unwrap_or_default(),
        runs: samples.iter().map(|sample| sample.value).collect(),
        ceiling: of(|sample| sample.ceiling),
        // That of the runs' ratios, as a run's noise is in both of its values.
        ratio: of(|sample| sample.ceiling.map(|ceiling| sample.value / ceiling)),
        own_cpu_s_per_million: of(|sample| sample.own_cpu_s_per_million),
        others_cpu_s_per_million: of(|sample| sample.others_cpu_s_per_million),
        peak_rss_mb: of(|sample| sample.peak_rss_mb),
    }
}

/// Of an even number, the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Of sorted times, that which so great a share of them does not exceed, in milliseconds.
pub(crate) fn at_share(times: &[Duration], share: f64) -> f64 {
    let place = (times.len() as f64 * share).ceil() as usize;
    times.get(place.saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["median", "least", "most", "ceiling", "ratio", "own CPU", "others'", "MiB"];
        write!(formatter, "{:<44}", "")?;
        for name in head {
            write!(formatter, "{name:>10}")?;
        }
        writeln!(formatter)?;
        for row in self.rows() {
            write!(formatter, "{:<44}", format!("{} ({})", row.name, row.unit))?;
            let least = row.runs.iter().copied().reduce(f64::min);
            let most = row.runs.iter().copied().reduce(f64::max);
            for (number, decimals) in [
                (Some(row.median), 0),
                (least, 0),
                (most, 0),
                (row.ceiling, 0),
                (row.ratio, 2),
                (row.own_cpu_s_per_million, 2),
                (row.others_cpu_s_per_million, 2),
                (row.peak_rss_mb, 0),
            ] {
                let decimals = if decimals == 0 && row.unit == "ms" { 1 } else { decimals };
                match number {
                    Some(number) => write!(formatter, "{number:>10.decimals$}")?,
                    None => write!(formatter, "{:>10}", "")?,
                }
            }
            writeln!(formatter)?;
        }
        writeln!(
            formatter,
            "\nCPU: seconds for a million, of the process and of the server that it works with."
        )?;
        self.notes.iter().try_for_each(|note| writeln!(formatter, "{note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_the_median_of_the_runs_own_ratios() {
        let mut table = Table::default();
        for (value, ceiling) in [(50.0, 100.0), (90.0, 100.0), (400.0, 500.0)] {
            let ceiling = Some(ceiling);
            table.add(
                "mapper",
                "reports/s",
                Sample {
                    ceiling,
                    ..Sample::of(value)
                },
            );
        }
        let row = table.rows().remove(0);
        assert_eq!((row.median, row.ratio), (90.0, Some(0.8)));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }
}
