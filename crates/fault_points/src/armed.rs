//! What the environment tells an armed program.

use std::{
    collections::BTreeSet,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use nix::sys::signal::{Signal, raise};

use crate::{Bug, Point};

/// What happens when a point is passed so many times.
struct Event {
    point: Point,
    at: u64,
    passes: AtomicU64,
}

static CRASH: LazyLock<Option<Event>> = LazyLock::new(|| event("FAULT_POINTS_CRASH"));
static LINGER: LazyLock<Duration> = LazyLock::new(linger);
static FREEZE: LazyLock<Option<Event>> = LazyLock::new(|| event("FAULT_POINTS_FREEZE"));
static BUGS: LazyLock<BTreeSet<Bug>> = LazyLock::new(bugs);

pub(crate) fn pass(point: Point) {
    if is_due(&FREEZE, point) {
        freeze();
    }
    if is_due(&CRASH, point) {
        std::thread::sleep(*LINGER);
        // No destructor runs and nothing is flushed, as if the power had failed.
        std::process::abort();
    }
}

pub(crate) fn has(bug: Bug) -> bool {
    BUGS.contains(&bug)
}

fn is_due(event: &Option<Event>, point: Point) -> bool {
    let awaited = event.as_ref().filter(|event| event.point == point);
    awaited.is_some_and(|event| event.passes.fetch_add(1, Ordering::Relaxed) + 1 == event.at)
}

/// The whole process, all threads of it. The signal is this thread's own: sent to the process, it may stop another thread first, and this one
/// goes on a little.
fn freeze() {
    assert_eq!(raise(Signal::SIGSTOP), Ok(()), "the process could not be frozen");
}

/// `point:number`.
fn event(variable: &str) -> Option<Event> {
    let text = std::env::var(variable).ok()?;
    let event = text.split_once(':').and_then(|(name, number)| {
        Some(Event {
            point: Point::all().find(|point| point.as_str() == name)?,
            at: number.parse().ok()?,
            passes: AtomicU64::new(0),
        })
    });
    assert!(event.is_some(), "{variable} says {text:?}, which is no point and number");
    event
}

fn linger() -> Duration {
    let text = std::env::var("FAULT_POINTS_LINGER").unwrap_or_else(|_| "0".to_owned());
    let millis: Option<u64> = text.parse().ok();
    assert!(
        millis.is_some(),
        "FAULT_POINTS_LINGER says {text:?}, which is no number of milliseconds"
    );
    Duration::from_millis(millis.unwrap_or(0))
}

fn bugs() -> BTreeSet<Bug> {
    let text = std::env::var("FAULT_POINTS_BUG").unwrap_or_default();
    let named = text.split(',').filter(|name| !name.is_empty()).map(|name| {
        let bug = Bug::ALL.into_iter().find(|bug| bug.as_str() == name);
        assert!(bug.is_some(), "FAULT_POINTS_BUG says {name:?}, which is no error");
        bug
    });
    named.flatten().collect()
}
