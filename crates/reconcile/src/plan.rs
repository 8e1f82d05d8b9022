//! What is compared by itself, and when: `[reconcile.SOURCE]` of the configuration.

use std::{collections::BTreeMap, path::PathBuf};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use scoresync_domain::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

use crate::scope::Scope;

/// `[reconcile]`: a table for each source that is compared by itself.
pub type ReconcileSettings = BTreeMap<String, PlanSettings>;

/// `[reconcile.SOURCE]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSettings {
    /// The source's list, in one file or several; their names tell the format.
    pub files: Vec<PathBuf>,
    /// Times of day, `HH:MM`.
    pub at: Vec<String>,
    /// The zone of those times (IANA).
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Only what was finished in so many days before the run; everything, where not given.
    #[serde(default)]
    pub days: Option<u32>,
    /// Only these courses; all, where none is given.
    #[serde(default)]
    pub courses: Vec<String>,
    /// Send what is missing, and of what the archive has an older revision.
    #[serde(default)]
    pub backfill: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// What is compared by itself, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The source.
    pub source: String,
    /// Its list.
    pub files: Vec<PathBuf>,
    /// Whether what is missing is sent.
    pub backfill: bool,
    courses: Vec<String>,
    days: Option<u32>,
    times: Vec<NaiveTime>,
    zone: Tz,
}

impl Plan {
    /// Checks what is configured; `is_source` knows the sources.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn compile(settings: &ReconcileSettings, is_source: impl Fn(&str) -> bool) -> Result<Vec<Self>, Vec<Problem>> {
        let (mut plans, mut problems) = (Vec::new(), Vec::new());
        for (source, plan) in settings {
            let mut refuse = |setting: &str, explanation: &str| {
                problems.push(Problem {
                    setting: format!("reconcile.{source}{setting}"),
                    explanation: explanation.to_owned(),
                });
            };
            if !is_source(source) {
                refuse("", "is no source that `sources` has");
            }
            if plan.files.is_empty() {
                refuse(".files", "is empty: name the files in which the source lists its results");
            }
            if plan.at.is_empty() {
                refuse(".at", "is empty: name times of day, like [\"02:30\"]");
            }
            let times: Option<Vec<NaiveTime>> = plan.at.iter().map(|text| NaiveTime::parse_from_str(text, "%H:%M").ok()).collect();
            if times.is_none() {
                refuse(".at", "has what is no time of day; they are written like \"02:30\"");
            }
            let zone = plan.time_zone.parse::<Tz>().ok();
            if zone.is_none() {
                refuse(".time_zone", "is no time zone; they are written like \"Asia/Shanghai\"");
            }
            if let (Some(times), Some(zone)) = (times, zone) {
                plans.push(Self {
                    source: source.clone(),
                    files: plan.files.clone(),
                    backfill: plan.backfill,
                    courses: plan.courses.clone(),
                    days: plan.days,
                    times,
                    zone,
                });
            }
        }
        if problems.is_empty() { Ok(plans) } else { Err(problems) }
    }

    /// The latest moment, not after `now`, at which it was to run; `None` outside of the calendar.
    #[must_use]
    pub fn last_due(&self, now: Timestamp) -> Option<Timestamp> {
        let now = DateTime::<Utc>::from_timestamp_millis(now.as_millis())?.with_timezone(&self.zone);
        let days = [now.date_naive().checked_sub_days(Days::new(1))?, now.date_naive()];
        let moments = days.iter().flat_map(|day| self.times.iter().map(|time| day.and_time(*time)));
        // A time that a clock passes over when it is put forward is an hour later; of one that it shows twice, the first is meant.
        let moment = |local: chrono::NaiveDateTime| {
            let at = |local| self.zone.from_local_datetime(&local).earliest();
            at(local).or_else(|| at(local + TimeDelta::hours(1)))
        };
        let due = moments.filter_map(moment).filter(|due| *due <= now).max()?;
        Some(Timestamp::from_millis(due.timestamp_millis()))
    }

    /// What is compared by a run that was due then.
    #[must_use]
    pub fn scope(&self, due: Timestamp) -> Scope {
        const DAY_MS: i64 = 86_400_000;
        let from = self
            .days
            .map(|days| Timestamp::from_millis(due.as_millis().saturating_sub(i64::from(days) * DAY_MS)));
        Scope::new(self.courses.iter().map(String::as_str), from, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(at: &[&str], time_zone: &str) -> PlanSettings {
        PlanSettings {
            files: vec![PathBuf::from("list.csv")],
            at: at.iter().map(|text| (*text).to_owned()).collect(),
            time_zone: time_zone.to_owned(),
            days: Some(2),
            courses: Vec::new(),
            backfill: false,
        }
    }

    fn plan(at: &[&str], time_zone: &str) -> Plan {
        let settings = ReconcileSettings::from([("academy".to_owned(), settings(at, time_zone))]);
        Plan::compile(&settings, |_| true).unwrap().remove(0)
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn check(plan: &Plan, now: &str, expected: &str) {
        assert_eq!(plan.last_due(time(now)), Some(time(expected)), "{now}");
    }

    #[test]
    fn the_last_time_of_day_that_has_come_is_due() {
        let shanghai = plan(&["14:00", "02:30"], "Asia/Shanghai");
        check(&shanghai, "2026-11-28T02:29:59+08:00", "2026-11-27T14:00:00+08:00");
        check(&shanghai, "2026-11-28T02:30:00+08:00", "2026-11-28T02:30:00+08:00");
        check(&shanghai, "2026-11-28T23:59:00+08:00", "2026-11-28T14:00:00+08:00");
    }

    #[test]
    fn a_time_that_a_clock_passes_over_is_an_hour_later_and_one_that_it_shows_twice_is_the_first() {
        let berlin = plan(&["02:30"], "Europe/Berlin");
        check(&berlin, "2026-03-29T12:00:00Z", "2026-03-29T03:30:00+02:00");
        check(&berlin, "2026-10-25T12:00:00Z", "2026-10-25T02:30:00+02:00");
    }

    #[test]
    fn a_run_compares_the_days_before_it() {
        let scope = plan(&["02:30"], "UTC").scope(time("2026-11-28T02:30:00Z"));
        assert!(scope.holds(None, Some(time("2026-11-26T02:30:00Z"))));
        assert!(!scope.holds(None, Some(time("2026-11-26T02:29:59Z"))));
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let wrong = PlanSettings {
            files: Vec::new(),
            ..settings(&["25:00"], "Atlantis")
        };
        let found = Plan::compile(&ReconcileSettings::from([("nobody".to_owned(), wrong)]), |_| false).unwrap_err();
        let told: Vec<&str> = found.iter().map(|problem| problem.setting.as_str()).collect();
        let expected = ["", ".files", ".at", ".time_zone"].map(|setting| format!("reconcile.nobody{setting}"));
        assert_eq!(told, expected);
    }
}
