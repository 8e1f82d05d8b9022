//! Where each report is: its place in `scores.raw`, known by the serial in its row, and where it went from there.

use std::collections::{BTreeMap, HashMap, VecDeque};

use scoresync_domain::{Fate, Origin, Reason, Refusal, ScoreReport};

use super::Found;
use crate::company::{Destination, Report};

/// Reports and their origins.
pub(super) struct Places<'a> {
    /// In the order in which they were sent; `None` where a report is nowhere.
    pub(super) reports: Vec<(&'a Report, Option<Place>)>,
    /// Raw reports that nobody sent, or that were sent once and are there twice.
    unknown: usize,
    reasons: BTreeMap<Origin, Reason>,
}

/// Where a report stands in `scores.raw`.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) origin: Origin,
    /// The record's key, which is the id of its result where that can be told.
    pub(super) key: String,
}

impl<'a> Places<'a> {
    /// A row that was sent twice is there twice, and the first is the first: both have the same key.
    pub(super) fn of(reports: &'a [Report], found: &Found) -> Self {
        let mut by_serial: HashMap<String, VecDeque<Place>> = HashMap::new();
        let mut unknown = 0;
        for record in &found.raw {
            let origin = Origin {
                generation: 1,
                partition: record.partition,
                offset: record.offset,
            };
            let key = record.key.clone().unwrap_or_default();
            match record.value.as_ref().and_then(serial) {
                Some(serial) => by_serial.entry(serial).or_default().push_back(Place { origin, key }),
                None => unknown += 1,
            }
        }
        let mut place = |report: &Report| by_serial.get_mut(&report.serial).and_then(VecDeque::pop_front);
        let reports = reports.iter().map(|report| (report, place(report))).collect();
        unknown += by_serial.values().map(VecDeque::len).sum::<usize>();
        Self {
            reports,
            unknown,
            reasons: found.reasons(),
        }
    }

    /// Reports that are not where they must be.
    pub(super) fn mismatches(&self, found: &Found) -> Vec<String> {
        let mut mismatches = Vec::new();
        if self.unknown > 0 {
            mismatches.push(format!(
                "{} reports are in scores.raw that nobody sent, or more often than they were sent",
                self.unknown
            ));
        }
        for (report, place) in &self.reports {
            let must_be = report.truth.destination();
            let is = place.as_ref().and_then(|place| self.destination(place.origin, found));
            if is != Some(must_be) {
                let is = is.map_or_else(|| "nowhere".to_owned(), |is| is.to_string());
                mismatches.push(format!("report {} ({}) must be {must_be}, and is {is}", report.serial, report.case));
            }
        }
        mismatches
    }

    /// Partitions in which the archive counted other fates than it must have.
    pub(super) fn fate_mismatches(&self, found: &Found) -> Vec<String> {
        let mut truth: BTreeMap<(i32, Fate), i64> = BTreeMap::new();
        for (report, place) in &self.reports {
            let partition = place.as_ref().and_then(|place| found.enriched.get(&place.origin));
            if let Some(partition) = partition {
                *truth.entry((*partition, report.truth.fate())).or_default() += 1;
            }
        }
        let all = truth.keys().chain(found.fates.keys()).collect::<std::collections::BTreeSet<_>>();
        let differs = all.into_iter().filter(|place| truth.get(place) != found.fates.get(place));
        let number = |counts: &BTreeMap<(i32, Fate), i64>, place| counts.get(place).copied().unwrap_or(0);
        differs
            .map(|place| {
                let (must_be, is) = (number(&truth, place), number(&found.fates, place));
                format!(
                    "in partition {} of scores.enriched {must_be} must be {}, and {is} are",
                    place.0, place.1
                )
            })
            .collect()
    }

    fn destination(&self, origin: Origin, found: &Found) -> Option<Destination> {
        let refused: Option<&Refusal> = found.refused.get(&origin);
        let reason = self.reasons.get(&origin).map(|reason| Destination::DeadLettered(*reason));
        let refused = refused.map(|refusal| Destination::Refused(*refusal));
        let archived = found.enriched.contains_key(&origin).then_some(Destination::Archive);
        reason.or(refused).or(archived)
    }
}

/// The serial in a row: in the field of one of its names, or in the bytes of a row that could not be read.
pub(super) fn serial(report: &ScoreReport<'_>) -> Option<String> {
    let named = |name| report.fields.get(name).flatten().map(str::to_owned);
    let written = || serial_in(report.unparsed.as_deref()?);
    named("流水号").or_else(|| named("serial")).or_else(written)
}

/// A letter and six digits that no digit follows.
fn serial_in(bytes: &[u8]) -> Option<String> {
    let is_serial = |window: &&[u8]| matches!(window, [b'A' | b'C' | b'S', digits @ ..] if digits.iter().all(u8::is_ascii_digit));
    let serial = bytes.windows(7).find(is_serial)?;
    String::from_utf8(serial.to_vec()).ok()
}
