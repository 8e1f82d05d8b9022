//! One line per kind of refusal and interval, so that a sender gone wild does not fill the log.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::problem::{Kind, Refusal};

const INTERVAL: Duration = Duration::from_secs(10);

/// Logs refusals.
#[derive(Default)]
pub(crate) struct RefusalLog(Mutex<HashMap<(Kind, Option<String>), Recent>>);

/// The last line of one kind about one source.
struct Recent {
    logged: Instant,
    unlogged: u64,
}

impl RefusalLog {
    pub(crate) fn note(&self, route: &str, refusal: &Refusal) {
        let Some(unlogged) = self.is_due(refusal, Instant::now()) else {
            return;
        };
        let (title, status) = (refusal.kind.title(), refusal.kind.status().as_u16());
        let source = refusal.source.as_deref().unwrap_or("(none)");
        tracing::info!(
            route,
            status,
            source,
            unlogged,
            "refused a request to {route}, source {source}: {title} ({status}); {unlogged} more since the last such line"
        );
    }

    /// How many were not logged since the last line, if a line is due.
    fn is_due(&self, refusal: &Refusal, now: Instant) -> Option<u64> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = recent.entry((refusal.kind, refusal.source.clone()));
        let is_first = matches!(latest, std::collections::hash_map::Entry::Vacant(_));
        let latest = latest.or_insert(Recent { logged: now, unlogged: 0 });
        if is_first || now.saturating_duration_since(latest.logged) >= INTERVAL {
            latest.logged = now;
            return Some(std::mem::take(&mut latest.unlogged));
        }
        latest.unlogged += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_one_kind_are_one_line_per_interval() {
        let (log, start) = (RefusalLog::default(), Instant::now());
        let refusal = |kind, source: Option<&str>| Refusal {
            kind,
            source: source.map(str::to_owned),
        };
        let busy = refusal(Kind::Busy, Some("academy"));
        let due = |refusal: &Refusal, seconds| log.is_due(refusal, start + Duration::from_secs(seconds));
        assert_eq!(due(&busy, 0), Some(0));
        assert_eq!((due(&busy, 1), due(&busy, 9)), (None, None));
        assert_eq!(
            due(&refusal(Kind::Busy, Some("campus")), 9),
            Some(0),
            "another source is another line"
        );
        assert_eq!(due(&refusal(Kind::NoToken, None), 9), Some(0), "another kind is another line");
        assert_eq!(due(&busy, 10), Some(2));
        assert_eq!(due(&busy, 19), None);
    }
}
