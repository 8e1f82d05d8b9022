//! Employees, what identifies them, and what people decided about identities: the values of `employees` and `employees.aliases`.

use crate::{ResultId, Timestamp, fate::named};

/// Everything that is known of one employee, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employee {
    /// The employee number; the key of the record.
    pub employee_no: String,
    /// Full name.
    pub name: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Position.
    pub position: Option<String>,
    /// What else points to the employee, closed identities included.
    pub identities: Vec<Identity>,
    /// When the employee left. Leavers still match.
    pub left_at: Option<Timestamp>,
    /// The number that took this one's place (renumbered, merged).
    pub replaced_by: Option<String>,
    /// The moment that the HR system speaks of. An older statement never overwrites a newer one.
    pub as_of: Timestamp,
}

/// Something that points to an employee while it is valid: from (inclusive) to (exclusive); no end is for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// For an account: the system that it is an account in.
    pub system: Option<String>,
    /// The value, as the HR system wrote it.
    pub value: String,
    /// Valid from this moment on.
    pub valid_from: Option<Timestamp>,
    /// Valid before this moment.
    pub valid_to: Option<Timestamp>,
}

named! {
    /// The kinds of identity.
    IdentityKind {
        /// The employee number (工号).
        EmployeeNo = "employee_no",
        /// A telephone number.
        Phone = "phone",
        /// An e-mail address.
        Email = "email",
        /// An account in a training system.
        Account = "account",
    }
}

/// A person's decision about one identity or one result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityAlias {
    /// What was decided about.
    pub subject: AliasSubject,
    /// Whose it is; `None` says that it is no employee's.
    pub employee_no: Option<String>,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Who took the decision back, when and why.
    pub revocation: Option<Revocation>,
}

/// What an alias decides about; its text form is the key of the record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AliasSubject {
    /// A value of one kind, in the reports of one source or (`None`) of all.
    Identity {
        /// The source that it is limited to.
        source: Option<String>,
        /// The kind.
        kind: IdentityKind,
        /// The value; matching normalises it.
        value: String,
    },
    /// The owner of one result; decides before all identities.
    Result(ResultId),
}

/// Who took a decision back, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Who.
    pub revoked_by: String,
    /// When.
    pub revoked_at: Timestamp,
    /// Why.
    pub reason: String,
}

impl IdentityAlias {
    /// The number of the latest decision that this record tells of, in milliseconds since the epoch; revoking is one too.
    #[must_use]
    pub fn decision(&self) -> i64 {
        self.revocation
            .as_ref()
            .map_or(self.decided_at, |revocation| revocation.revoked_at)
            .as_millis()
    }
}
