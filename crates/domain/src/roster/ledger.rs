//! The intervals in which an employee's identities are valid, while one statement is entered. Starts are written once and for all.

use super::Roster;
use crate::{Employee, Identity, IdentityKey, Timestamp};

pub(super) struct Ledger<'a> {
    roster: &'a Roster,
    is_new_employee: bool,
    /// When the employee was to leave by the present record: an end at that moment is not the identity's own.
    left_before: Option<Timestamp>,
    /// When the employee leaves by the new statement.
    leaves_at: Option<Timestamp>,
    intervals: Vec<Interval>,
}

struct Interval {
    key: IdentityKey,
    identity: Identity,
    standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The statement leaves it out.
    Unstated,
    /// The statement has it, without an end.
    Stated,
    /// The statement has it, with an end.
    StatedWithEnd,
}

impl<'a> Ledger<'a> {
    pub(super) fn open(roster: &'a Roster, present: Option<&Employee>, leaves_at: Option<Timestamp>) -> Self {
        let mut ledger = Self {
            roster,
            is_new_employee: present.is_none(),
            left_before: present.and_then(|employee| employee.left_at),
            leaves_at,
            intervals: Vec::new(),
        };
        for identity in present.into_iter().flat_map(|employee| &employee.identities) {
            ledger.enter(identity.clone(), Standing::Unstated);
        }
        ledger
    }

    /// Enters the statement's identities, closes what is to be closed, and hands out all intervals.
    pub(super) fn settle(mut self, stated: &[Identity]) -> Vec<Identity> {
        // Those with dates first, so that one without dates finds what they opened.
        for identity in stated {
            match (identity.valid_from, identity.valid_to) {
                (Some(_), _) => self.state_from(identity),
                (None, Some(end)) => self.state_until(identity, end),
                (None, None) => {}
            }
        }
        for identity in stated
            .iter()
            .filter(|identity| (identity.valid_from, identity.valid_to) == (None, None))
        {
            self.state_undated(identity);
        }
        self.close();
        self.into_identities()
    }

    /// An identity with a start of its own: the interval with that start, or a new one.
    fn state_from(&mut self, identity: &Identity) {
        let key = self.key(identity);
        let of_start = |interval: &Interval| interval.key == key && interval.identity.valid_from == identity.valid_from;
        let Some(end) = identity.valid_to else {
            let latest = self.latest_end(of_start);
            self.mark(of_start);
            if latest.is_none_or(|latest| self.is_restated_after(latest)) {
                self.enter(identity.clone(), Standing::Stated);
            }
            return;
        };
        self.end_at(end, identity.clone(), of_start);
    }

    /// An identity with an end but no start: the interval that reaches there, or a new one.
    fn state_until(&mut self, identity: &Identity, end: Timestamp) {
        let key = self.key(identity);
        let opened = Identity {
            valid_from: self.start_before(Some(end)),
            ..identity.clone()
        };
        let begins_before = |interval: &Interval| interval.identity.valid_from.is_none_or(|from| from < end);
        self.end_at(end, opened, |interval| interval.key == key && begins_before(interval));
    }

    /// An identity without dates holds now: whatever holds it now stays, else it is opened.
    fn state_undated(&mut self, identity: &Identity) {
        let now = self.roster.as_of;
        let key = self.key(identity);
        let of_key = |interval: &Interval| interval.key == key;
        let latest = self.latest_end(of_key);
        let holds_now = self
            .intervals
            .iter()
            .any(|interval| of_key(interval) && contains(&interval.identity, now));
        self.mark(of_key);
        let is_still_here = self.leaves_at.is_none_or(|leaves_at| leaves_at > now);
        let opens_at = match latest {
            None => self.start_before(self.leaves_at),
            Some(_) if is_still_here && !holds_now => Some(now),
            // The employee leaves later than was said before, or not at all.
            Some(Some(end)) if self.left_before == Some(end) && self.leaves_at.is_none_or(|leaves_at| leaves_at > end) => Some(end),
            Some(_) => return,
        };
        let opened = Identity {
            valid_from: opens_at,
            ..identity.clone()
        };
        self.enter(opened, Standing::Stated);
    }

    /// Ends one interval of `those` at `end`, unless some end there already; where none reaches that far, enters `opened`.
    fn end_at(&mut self, end: Timestamp, opened: Identity, those: impl Fn(&Interval) -> bool) {
        let (mut of_end, mut beyond) = (Vec::new(), None);
        for interval in self.intervals.iter_mut().filter(|interval| those(interval)) {
            match interval.identity.valid_to {
                Some(to) if to == end => of_end.push(interval),
                to if interval.standing == Standing::Unstated && to.is_none_or(|to| to > end) => beyond = beyond.or(Some(interval)),
                _ => {}
            }
        }
        if of_end.is_empty() {
            match beyond {
                Some(interval) => of_end.push(interval),
                None => return self.enter(opened, Standing::StatedWithEnd),
            }
        }
        for interval in of_end {
            interval.identity.valid_to = Some(end);
            interval.standing = Standing::StatedWithEnd;
        }
    }

    /// Whether an identity that ended then, and is stated without an end, has to be opened again.
    fn is_restated_after(&self, latest_end: Option<Timestamp>) -> bool {
        let Some(end) = latest_end else { return false };
        if self.leaves_at.is_some_and(|leaves_at| leaves_at <= end) {
            return false;
        }
        let is_still_here = self.leaves_at.is_none_or(|leaves_at| leaves_at > self.roster.as_of);
        self.left_before == Some(end) || is_still_here && end <= self.roster.as_of
    }

    /// Closes what the statement leaves out at its moment, and everything when the employee leaves. An end of its own after that stays.
    fn close(&mut self) {
        let now = self.roster.as_of;
        for interval in &mut self.intervals {
            let limit = match interval.standing {
                Standing::StatedWithEnd => continue,
                Standing::Stated => self.leaves_at,
                Standing::Unstated => Some(self.leaves_at.map_or(now, |leaves_at| leaves_at.min(now))),
            };
            let Some(limit) = limit else { continue };
            let has_left = self.leaves_at.is_some_and(|leaves_at| leaves_at <= now);
            let keeps_later_end = interval.standing == Standing::Stated || has_left;
            let stays = |end: Timestamp| end <= limit || keeps_later_end && self.left_before != Some(end);
            if !interval.identity.valid_to.is_some_and(stays) {
                interval.identity.valid_to = Some(interval.identity.valid_from.map_or(limit, |from| from.max(limit)));
            }
        }
    }

    /// Since when an identity holds that is stated without a start and was not known.
    fn start_before(&self, end: Option<Timestamp>) -> Option<Timestamp> {
        let now = self.roster.as_of;
        (!self.is_new_employee && end.is_none_or(|end| end > now)).then_some(now)
    }

    /// The greatest end among `those`, the inner `None` being no end; `None` where there are none of them.
    fn latest_end(&self, those: impl Fn(&Interval) -> bool) -> Option<Option<Timestamp>> {
        let ends = self
            .intervals
            .iter()
            .filter(|interval| those(interval))
            .map(|interval| interval.identity.valid_to);
        ends.max_by_key(|end| (end.is_none(), *end))
    }

    fn mark(&mut self, those: impl Fn(&Interval) -> bool) {
        let unmarked = |interval: &&mut Interval| those(interval) && interval.standing == Standing::Unstated;
        for interval in self.intervals.iter_mut().filter(unmarked) {
            interval.standing = Standing::Stated;
        }
    }

    fn enter(&mut self, identity: Identity, standing: Standing) {
        let key = self.key(&identity);
        self.intervals.push(Interval { key, identity, standing });
    }

    fn key(&self, identity: &Identity) -> IdentityKey {
        identity.key(self.roster.region)
    }

    /// Of intervals that became equal, one is enough.
    fn into_identities(self) -> Vec<Identity> {
        let mut kept: Vec<Interval> = Vec::with_capacity(self.intervals.len());
        for interval in self.intervals {
            let dates = |interval: &Interval| (interval.identity.valid_from, interval.identity.valid_to);
            if !kept
                .iter()
                .any(|other| other.key == interval.key && dates(other) == dates(&interval))
            {
                kept.push(interval);
            }
        }
        kept.into_iter().map(|interval| interval.identity).collect()
    }
}

fn contains(identity: &Identity, moment: Timestamp) -> bool {
    identity.valid_from.is_none_or(|from| from <= moment) && identity.valid_to.is_none_or(|to| moment < to)
}
