//! What the directory has learnt that letters may wait for, until they were judged by it.

use std::collections::BTreeSet;

use scoresync_domain::{AliasSubject, Employee, IdentityKind, Region, ResultId, identity_hash, normalise_identity};
use scoresync_kafka::DirectoryChange;

/// More than this is not kept by itself: all open letters are gone through instead.
const MOST: usize = 200_000;

/// Identities and results about which something is new.
pub(crate) struct News {
    region: Region,
    identities: BTreeSet<[u8; 16]>,
    results: BTreeSet<ResultId>,
    /// All that is open has to be gone through, from this group on.
    pub(crate) sweep: Option<Sweep>,
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
            sweep: None,
        }
    }

    /// What the directory did not know before.
    pub(crate) fn hear(&mut self, change: DirectoryChange<'_>) {
        match change {
            DirectoryChange::Employee(employee) => self.identities.extend(identities(employee, self.region)),
            DirectoryChange::Alias(AliasSubject::Result(result_id)) => {
                self.results.insert(*result_id);
            }
            DirectoryChange::Alias(AliasSubject::Identity { kind, value, .. }) => {
                let value = normalise_identity(*kind, value, self.region).into_owned();
                self.identities.insert(identity_hash(&(*kind, None, value)));
            }
        }
        if self.identities.len() + self.results.len() > MOST {
            self.identities.clear();
            self.results.clear();
            self.sweep = Some(Sweep::default());
        }
    }

    /// All that is open is to be gone through; nobody may have heard of these decisions.
    pub(crate) fn begin_sweep(&mut self, sweep: Sweep, decided: impl Iterator<Item = ResultId>) {
        self.sweep = Some(sweep);
        self.results.extend(decided);
    }

    /// Some of them, to be [forgotten](Self::forget) when letters were judged by them.
    pub(crate) fn some(&self, limit: usize) -> (Vec<[u8; 16]>, Vec<ResultId>) {
        let identities = self.identities.iter().copied().take(limit).collect();
        (identities, self.results.iter().copied().take(limit).collect())
    }

    pub(crate) fn forget(&mut self, (identities, results): &(Vec<[u8; 16]>, Vec<ResultId>)) {
        for hash in identities {
            self.identities.remove(hash);
        }
        for result_id in results {
            self.results.remove(result_id);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.identities.is_empty() && self.results.is_empty() && self.sweep.is_none()
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
        assert_eq!(one.some(10), other.some(10));
        assert_eq!(one.some(10).0.len(), 2);
        let heard = one.some(10);
        one.forget(&heard);
        assert!(one.is_empty() && !other.is_empty());
    }

    #[test]
    fn a_decision_is_heard_by_what_it_is_about() {
        let mut news = News::new(Region::CN);
        news.hear(DirectoryChange::Employee(&employee("E1001", "13800000001")));
        let before = news.some(10).0.len();
        let about_phone = AliasSubject::Identity {
            source: Some("academy".to_owned()),
            kind: IdentityKind::Phone,
            value: "138 0000 0001".to_owned(),
        };
        news.hear(DirectoryChange::Alias(&about_phone));
        assert_eq!(news.some(10).0.len(), before, "it is the same identity");
    }

    #[test]
    fn too_much_news_is_a_reason_to_go_through_everything() {
        let mut news = News::new(Region::CN);
        for number in 0..=MOST {
            news.hear(DirectoryChange::Employee(&employee(&format!("E{number}"), "1")));
        }
        assert_eq!(news.sweep, Some(Sweep(None)));
        assert!(news.some(usize::MAX).0.len() < MOST);
    }
}
