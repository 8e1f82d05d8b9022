//! What the directory has learnt that letters may wait for, until they were judged by it.

use std::collections::{BTreeSet, VecDeque};

use scoresync_archive::LetterId;
use scoresync_domain::{AliasSubject, Employee, IdentityKind, Region, ResultId, identity_hash, normalise_identity};
use scoresync_kafka::DirectoryChange;

/// More than this is not kept by itself: all open letters are gone through instead.
const MOST: usize = 200_000;

/// Identities and results about which something is new, and the problems whose letters wait to be judged by it.
pub(crate) struct News {
    region: Region,
    identities: BTreeSet<[u8; 16]>,
    results: BTreeSet<ResultId>,
    pub(crate) groups: VecDeque<WaitingLetters>,
    /// All that is open has to be gone through, from this group on.
    pub(crate) sweep: Option<Sweep>,
}

/// The letters of a problem that are still to be judged: those behind this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingLetters {
    pub(crate) group_id: [u8; 16],
    pub(crate) after: Option<LetterId>,
}

/// How far it was gone through: behind this group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sweep(pub(crate) Option<[u8; 16]>);

impl News {
    pub(crate) const fn new(region: Region) -> Self {
        Self {
            region,
            identities: BTreeSet::new(),
            results: BTreeSet::new(),
            groups: VecDeque::new(),
            sweep: None,
        }
    }

    /// What the directory did not know before.
    pub(crate) fn hear(&mut self, change: DirectoryChange<'_>) {
        match change {
            DirectoryChange::Employee(employee) => self.identities.extend(identities(employee, self.region)),
            DirectoryChange::Before(identities) => self.identities.extend(identities.iter().map(identity_hash)),
            DirectoryChange::Alias(AliasSubject::Result(result_id)) => {
                self.results.insert(*result_id);
            }
            DirectoryChange::Alias(AliasSubject::Identity { kind, value, .. }) => {
                let value = normalise_identity(*kind, value, self.region).into_owned();
                self.identities.insert(identity_hash(&(*kind, None, value)));
            }
        }
        // Decisions about results are few, and no problem names a result.
        if self.identities.len() > MOST {
            self.identities.clear();
            self.sweep = Some(Sweep::default());
        }
    }

    /// All that is open is to be gone through; nobody may have heard of these decisions.
    pub(crate) fn begin_sweep(&mut self, sweep: Sweep, decided: impl Iterator<Item = ResultId>) {
        self.sweep = Some(sweep);
        self.results.extend(decided);
    }

    /// Some of the identities, to be [exchanged](Self::exchange) for the problems that wait for them.
    pub(crate) fn identities(&self, limit: usize) -> Vec<[u8; 16]> {
        self.identities.iter().copied().take(limit).collect()
    }

    /// The letters of these problems are to be judged.
    pub(crate) fn exchange(&mut self, identities: &[[u8; 16]], groups: impl IntoIterator<Item = [u8; 16]>) {
        for hash in identities {
            self.identities.remove(hash);
        }
        let waiting = groups.into_iter().map(|group_id| WaitingLetters { group_id, after: None });
        self.groups.extend(waiting);
    }

    pub(crate) fn result(&self) -> Option<ResultId> {
        self.results.first().copied()
    }

    pub(crate) fn forget_result(&mut self, result_id: ResultId) {
        self.results.remove(&result_id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.identities.is_empty() && self.results.is_empty() && self.groups.is_empty() && self.sweep.is_none()
    }
}

/// Everything that points to an employee, the number included.
fn identities(employee: &Employee, region: Region) -> impl Iterator<Item = [u8; 16]> {
    let number = normalise_identity(IdentityKind::EmployeeNo, &employee.employee_no, region).into_owned();
    let number = identity_hash(&(IdentityKind::EmployeeNo, None, number));
    let others = employee.identities.iter().map(move |identity| identity_hash(&identity.key(region)));
    std::iter::once(number).chain(others)
}

#[cfg(test)]
mod tests {
    use scoresync_domain::{Identity, Timestamp};

    use super::*;

    fn employee(number: &str, phone: &str) -> Employee {
        Employee {
            employee_no: number.to_owned(),
            name: None,
            department: None,
            position: None,
            identities: vec![Identity {
                kind: IdentityKind::Phone,
                system: None,
                value: phone.to_owned(),
                valid_from: None,
                valid_to: None,
            }],
            left_at: None,
            replaced_by: None,
            as_of: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn what_points_to_somebody_is_heard_however_it_is_written() {
        let (mut one, mut other) = (News::new(Region::CN), News::new(Region::CN));
        one.hear(DirectoryChange::Employee(&employee("E1001", "13800000001")));
        other.hear(DirectoryChange::Employee(&employee(" e1001", "+86 138 0000 0001")));
        assert_eq!(one.identities(10), other.identities(10));
        assert_eq!((one.identities(10).len(), one.identities(1).len()), (2, 1));
        one.exchange(&other.identities(10), [[7; 16]]);
        assert!(one.identities(10).is_empty() && !one.is_empty());
        one.groups.clear();
        assert!(one.is_empty() && !other.is_empty());
    }

    #[test]
    fn a_decision_is_heard_by_what_it_is_about() {
        let mut news = News::new(Region::CN);
        news.hear(DirectoryChange::Employee(&employee("E1001", "13800000001")));
        let before = news.identities(10).len();
        let about_phone = AliasSubject::Identity {
            source: Some("academy".to_owned()),
            kind: IdentityKind::Phone,
            value: "138 0000 0001".to_owned(),
        };
        news.hear(DirectoryChange::Alias(&about_phone));
        assert_eq!(news.identities(10).len(), before, "it is the same identity");
    }

    #[test]
    fn too_much_news_is_a_reason_to_go_through_everything() {
        let mut news = News::new(Region::CN);
        for number in 0..=MOST {
            news.hear(DirectoryChange::Employee(&employee(&format!("E{number}"), "1")));
        }
        assert_eq!(news.sweep, Some(Sweep(None)));
        assert!(news.identities(usize::MAX).len() < MOST);
    }
}
