//! What processes have used of the processor, as Linux tells it under `/proc`, and how fast they were.

use std::{
    fs,
    time::{Duration, Instant},
};

/// `USER_HZ`, which is 100 on all of Linux's platforms that Rust's standard library runs on (proc(5), `/proc/pid/stat`).
const TICKS_PER_SECOND: f64 = 100.0;

/// A process's seconds of processor so far.
pub(crate) fn cpu(process: u32) -> anyhow::Result<Duration> {
    Ok(ticks(process)?.own)
}

/// Those of a process and of all that it has started, gone or not.
pub(crate) fn cpu_with_children(process: u32) -> anyhow::Result<Duration> {
    let ticks = ticks(process)?;
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    // One that has ended since is among those that are gone.
    let running: Duration = children.filter_map(|child: u32| cpu(child).ok()).sum();
    Ok(ticks.own + ticks.of_gone_children + running)
}

/// How fast something was done, and with how many seconds of processor for a million.
pub(crate) struct Speed {
    pub(crate) per_second: f64,
    pub(crate) cpu: f64,
}

/// Measures from its start.
pub(crate) struct Stopwatch {
    begun: Instant,
    read: fn(u32) -> anyhow::Result<Duration>,
    process: u32,
    before: Duration,
}

impl Stopwatch {
    /// `read` is [`cpu`] or [`cpu_with_children`] of the process.
    pub(crate) fn start(read: fn(u32) -> anyhow::Result<Duration>, process: u32) -> anyhow::Result<Self> {
        Ok(Self {
            begun: Instant::now(),
            read,
            process,
            before: read(process)?,
        })
    }

    /// After so many were done.
    pub(crate) fn stop(self, count: usize) -> anyhow::Result<Speed> {
        let (elapsed, count) = (self.begun.elapsed(), count as f64);
        let cpu = (self.read)(self.process)?.saturating_sub(self.before);
        Ok(Speed {
            per_second: count / elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64() / count * 1e6,
        })
    }
}

struct Ticks {
    own: Duration,
    of_gone_children: Duration,
}

fn ticks(process: u32) -> anyhow::Result<Ticks> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    Ok(read_ticks(&stat))
}

/// Fields 14 to 17 are the ticks; the name, field 2, is in brackets and can hold anything.
fn read_ticks(stat: &str) -> Ticks {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<f64> = after_name
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let sum = |from: usize| Duration::from_secs_f64(fields.iter().skip(from).take(2).sum::<f64>() / TICKS_PER_SECOND);
    Ticks {
        own: sum(0),
        of_gone_children: sum(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let ticks = read_ticks("42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 30 10 20 0 1 0 5");
        assert_eq!(ticks.own, Duration::from_secs(3));
        assert_eq!(ticks.of_gone_children, Duration::from_millis(400));
    }
}
