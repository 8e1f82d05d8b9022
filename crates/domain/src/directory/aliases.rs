//! People's decisions about identities and results, by what they decide about.

use std::collections::HashMap;

use crate::{AliasSubject, IdentityAlias, IdentityKind, Region, ResultId, normalise::Spelling, normalise_employee_no, normalise_identity};

/// Revoked decisions are kept as well: revoking may come before the record that it revokes is read again.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Aliases {
    results: HashMap<ResultId, IdentityAlias>,
    employee_nos: Table,
    phones: Table,
    emails: Table,
    accounts: Table,
    /// For whom something was decided: few of those who come are among them.
    employees: Decided,
}

/// By normalised value: one subject for each source and each way of writing the value. Sorted by subject.
type Table = HashMap<Box<str>, Vec<IdentityAlias>>;

impl Aliases {
    pub(super) fn apply(&mut self, alias: IdentityAlias, region: Region) -> bool {
        let employee_no = alias.employee_no.clone();
        let replaced = match &alias.subject {
            AliasSubject::Result(result_id) => {
                if self.results.get(result_id) == Some(&alias) {
                    return false;
                }
                self.results.insert(*result_id, alias)
            }
            AliasSubject::Identity { kind, value, .. } => {
                let (kind, value) = (*kind, normalise_identity(*kind, value, region).into());
                let decisions = self.table_mut(kind).entry(value).or_default();
                match decisions.binary_search_by(|present| by_subject(&present.subject).cmp(&by_subject(&alias.subject))) {
                    Ok(position) if decisions[position] == alias => return false,
                    Ok(position) => Some(std::mem::replace(&mut decisions[position], alias)),
                    Err(position) => {
                        decisions.insert(position, alias);
                        None
                    }
                }
            }
        };
        self.employees.add(employee_no.as_deref());
        self.employees
            .remove(replaced.as_ref().and_then(|alias| alias.employee_no.as_deref()));
        true
    }

    pub(super) fn erase(&mut self, subject: &AliasSubject, region: Region) -> bool {
        let erased = match subject {
            AliasSubject::Result(result_id) => self.results.remove(result_id),
            AliasSubject::Identity { kind, value, .. } => {
                let value = normalise_identity(*kind, value, region);
                let table = self.table_mut(*kind);
                let Some(decisions) = table.get_mut(value.as_ref()) else {
                    return false;
                };
                let position = decisions.iter().position(|alias| alias.subject == *subject);
                let erased = position.map(|position| decisions.remove(position));
                if decisions.is_empty() {
                    table.remove(value.as_ref());
                }
                erased
            }
        };
        self.employees
            .remove(erased.as_ref().and_then(|alias| alias.employee_no.as_deref()));
        erased.is_some()
    }

    /// Everything that was decided to be of an employee and not revoked.
    pub(super) fn of_employee(&self, employee_no: &str) -> Vec<AliasSubject> {
        let normal = normalise_employee_no(employee_no);
        if !self.employees.0.contains_key(normal.as_ref()) {
            return Vec::new();
        }
        let tables = [&self.employee_nos, &self.phones, &self.emails, &self.accounts];
        let all = self.results.values().chain(tables.into_iter().flat_map(HashMap::values).flatten());
        let is_theirs = |alias: &&IdentityAlias| {
            let number = alias.employee_no.as_deref().map(normalise_employee_no);
            alias.revocation.is_none() && number.as_deref() == Some(normal.as_ref())
        };
        all.filter(is_theirs).map(|alias| alias.subject.clone()).collect()
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

/// How many decisions there are for an employee, by the normal form of the number.
#[derive(Debug, Default, PartialEq)]
struct Decided(HashMap<String, usize>);

impl Decided {
    fn add(&mut self, employee_no: Option<&str>) {
        if let Some(number) = employee_no {
            *self.0.entry(normalise_employee_no(number).into_owned()).or_default() += 1;
        }
    }

    fn remove(&mut self, employee_no: Option<&str>) {
        let Some(number) = employee_no.map(normalise_employee_no) else {
            return;
        };
        if let Some(count) = self.0.get_mut(number.as_ref()) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(number.as_ref());
            }
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
