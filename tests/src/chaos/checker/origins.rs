//! What each record of `scores.raw` is, and whether everything is there as often as it was sent.

use std::collections::{BTreeMap, HashMap};

use scoresync_domain::{Origin, ScoreReport};

use super::{Anomaly, Case, Class, Evidence};
use crate::topics::Record;

/// Something that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A row, by its number.
    Row(usize),
    /// A poison, by its number.
    Poison(usize),
}

/// Where everything first appeared.
pub(super) struct Origins<'a> {
    pub(super) what: BTreeMap<Origin, (What, &'a Record<ScoreReport<'static>>)>,
}

impl<'a> Origins<'a> {
    pub(super) fn find(case: &Case<'_>, evidence: &'a Evidence, anomalies: &mut Vec<Anomaly>) -> Self {
        let rows: HashMap<&str, usize> = case
            .stream
            .rows
            .iter()
            .enumerate()
            .map(|(number, row)| (row.serial.as_str(), number))
            .collect();
        let poison: HashMap<&str, usize> = case
            .stream
            .poison
            .iter()
            .enumerate()
            .map(|(number, poison)| (poison.key.as_str(), number))
            .collect();
        let mut what = BTreeMap::new();
        for record in &evidence.raw {
            let poisoned = record
                .key
                .as_deref()
                .and_then(|key| poison.get(key))
                .map(|number| What::Poison(*number));
            let said = || Some(What::Row(*rows.get(serial(record.value.as_ref()?)?.as_str())?));
            match poisoned.or_else(said) {
                Some(found) => drop(what.insert(origin_of(record), (found, record))),
                None => anomalies.push(Anomaly {
                    class: Class::Invented,
                    text: format!("{} of scores.raw was sent by nobody", origin_of(record)),
                }),
            }
        }
        let origins = Self { what };
        origins.count(case, anomalies);
        origins
    }

    fn count(&self, case: &Case<'_>, anomalies: &mut Vec<Anomaly>) {
        let mut found: BTreeMap<What, usize> = BTreeMap::new();
        for (what, _) in self.what.values() {
            *found.entry(*what).or_default() += 1;
        }
        let rows = case
            .attempts
            .rows
            .iter()
            .enumerate()
            .map(|(number, tries)| (What::Row(number), tries));
        let poison = case.attempts.poison.iter().enumerate();
        for (what, tries) in rows.chain(poison.map(|(number, tries)| (What::Poison(number), tries))) {
            let times = found.get(&what).copied().unwrap_or(0);
            // An import that goes on where it was interrupted does not send again what it had sent, so that once is enough for its rows.
            let least = if is_exported(case, what) {
                tries.answered.min(1)
            } else {
                tries.answered
            };
            let (class, word) = if times < least {
                (Class::Lost, "only")
            } else if times > tries.answered + tries.unknown {
                (Class::Invented, "even")
            } else {
                continue;
            };
            let name = self.name(case, what);
            anomalies.push(Anomaly {
                class,
                text: format!(
                    "{name} was sent {} times with success and {} times without an answer, and is {word} {times} times in scores.raw",
                    tries.answered, tries.unknown
                ),
            });
        }
    }

    pub(super) fn name(&self, case: &Case<'_>, what: What) -> String {
        match what {
            What::Row(number) => {
                let row = &case.stream.rows[number];
                format!("row {} of {} ({:?})", row.serial, row.source.name(), row.truth)
            }
            What::Poison(number) => format!("{} ({})", case.stream.poison[number].key, case.stream.poison[number].reason),
        }
    }
}

fn is_exported(case: &Case<'_>, what: What) -> bool {
    match what {
        What::Row(number) => case.stream.rows[number].source.name() == "export",
        What::Poison(_) => false,
    }
}

/// A record's own place, as the first generation has it.
pub(super) fn origin_of<T>(record: &Record<T>) -> Origin {
    Origin {
        generation: 1,
        partition: record.partition,
        offset: record.offset,
    }
}

/// In the field of one of its names, or in the bytes of a row that could not be read.
fn serial(report: &ScoreReport<'_>) -> Option<String> {
    let named = |name| report.fields.get(name).flatten().map(str::to_owned);
    let written = || {
        let bytes = report.unparsed.as_deref()?;
        let serial = bytes
            .windows(7)
            .find(|window| window[0] == b'R' && window[1..].iter().all(u8::is_ascii_digit))?;
        String::from_utf8(serial.to_vec()).ok()
    };
    named("流水号").or_else(|| named("serial")).or_else(written)
}
