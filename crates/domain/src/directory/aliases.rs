//! People's decisions about identities and results, by what they decide about.

use std::collections::HashMap;

use crate::{AliasSubject, IdentityAlias, IdentityKind, Region, ResultId, normalise::Spelling, normalise_identity};

/// Revoked decisions are kept as well: revoking may come before the record that it revokes is read again.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Aliases {
    results: HashMap<ResultId, IdentityAlias>,
    employee_nos: Table,
    phones: Table,
    emails: Table,
    accounts: Table,
}

/// By normalised value: one subject for each source and each way of writing the value. Sorted by subject.
type Table = HashMap<Box<str>, Vec<IdentityAlias>>;

impl Aliases {
    pub(super) fn apply(&mut self, alias: IdentityAlias, region: Region) -> bool {
        let (kind, value) = match &alias.subject {
            AliasSubject::Result(result_id) => {
                let is_known = self.results.get(result_id) == Some(&alias);
                self.results.insert(*result_id, alias);
                return !is_known;
            }
            AliasSubject::Identity { kind, value, .. } => (*kind, normalise_identity(*kind, value, region).into()),
        };
        let decisions = self.table_mut(kind).entry(value).or_default();
        match decisions.binary_search_by(|present| by_subject(&present.subject).cmp(&by_subject(&alias.subject))) {
            Ok(position) if decisions[position] == alias => return false,
            Ok(position) => decisions[position] = alias,
            Err(position) => decisions.insert(position, alias),
        }
        true
    }

    pub(super) fn erase(&mut self, subject: &AliasSubject, region: Region) -> bool {
        let (kind, value) = match subject {
            AliasSubject::Result(result_id) => return self.results.remove(result_id).is_some(),
            AliasSubject::Identity { kind, value, .. } => (*kind, normalise_identity(*kind, value, region)),
        };
        let table = self.table_mut(kind);
        let Some(decisions) = table.get_mut(value.as_ref()) else {
            return false;
        };
        let before = decisions.len();
        decisions.retain(|alias| alias.subject != *subject);
        let is_erased = decisions.len() < before;
        if decisions.is_empty() {
            table.remove(value.as_ref());
        }
        is_erased
    }

    pub(super) fn about_result(&self, result_id: ResultId) -> Option<&IdentityAlias> {
        self.results.get(&result_id)
    }

    pub(super) fn decided_results(&self) -> impl Iterator<Item = ResultId> {
        self.results.keys().copied()
    }

    #[inline]
    pub(super) fn about_identity(&self, source: &str, spelling: &Spelling<'_>) -> Option<&IdentityAlias> {
        let table = self.table(spelling.kind);
        // As a rule nobody decided anything about identities of a kind, and no text is made to ask for.
        if table.is_empty() {
            return None;
        }
        let decisions = table.get(spelling.text().as_ref())?;
        let latest_for = |limit: Option<&str>| {
            let standing = decisions
                .iter()
                .filter(|alias| alias.revocation.is_none() && by_subject(&alias.subject).0 == limit);
            standing.max_by_key(|alias| alias.decided_at)
        };
        latest_for(Some(source)).or_else(|| latest_for(None))
    }

    fn table(&self, kind: IdentityKind) -> &Table {
        match kind {
            IdentityKind::EmployeeNo => &self.employee_nos,
            IdentityKind::Phone => &self.phones,
            IdentityKind::Email => &self.emails,
            IdentityKind::Account => &self.accounts,
        }
    }

    fn table_mut(&mut self, kind: IdentityKind) -> &mut Table {
        match kind {
            IdentityKind::EmployeeNo => &mut self.employee_nos,
            IdentityKind::Phone => &mut self.phones,
            IdentityKind::Email => &mut self.emails,
            IdentityKind::Account => &mut self.accounts,
        }
    }
}

/// The source that a decision is limited to, and the value as it was written.
fn by_subject(subject: &AliasSubject) -> (Option<&str>, &str) {
    match subject {
        AliasSubject::Identity { source, value, .. } => (source.as_deref(), value),
        AliasSubject::Result(_) => (None, ""),
    }
}
