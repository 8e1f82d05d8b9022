//! Whose a report is: one employee, or the reason why nobody can say. Never a guess.

mod clue;
mod error;
#[cfg(test)]
mod tests;

pub use clue::Clue;
pub use error::MatchError;

use scoresync_fault_points::{self as fault_points, Bug};

use crate::{
    Directory, HeldEmployee, IdentityAlias, IdentityKind, Period, PresentedIdentities, Region, ResultId, Rung, Source, directory::Claims,
    normalise::Spelling, normalise_name,
};

/// How the reports of one source are matched.
#[derive(Clone, Copy, Debug)]
pub struct MatchPolicy<'a> {
    /// The source's name; decisions can be limited to it.
    pub source: &'a str,
    /// The system that its accounts are in.
    pub system: &'a str,
    /// Where its phone numbers without a country code belong.
    pub region: Region,
    /// The kinds of identity that may decide, in their order.
    pub ladder: &'a [Rung],
    /// Whether a name in the report must be the employee's. A report without a name passes; an employee without one does not.
    pub name_must_agree: bool,
}

impl<'a> From<&'a Source> for MatchPolicy<'a> {
    fn from(source: &'a Source) -> Self {
        Self {
            source: &source.name,
            system: &source.system,
            region: source.region,
            ladder: &source.employees_match,
            name_must_agree: source.name_must_agree,
        }
    }
}

/// What a report says about its learner.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The result that the report speaks of.
    pub result_id: ResultId,
    /// When the learner finished, when identities must have been valid. Of a day, everybody who had them at any time of it is meant.
    pub finished: Period,
    /// The identities and the name in the report. Blank ones count as absent.
    pub identities: PresentedIdentities<'a>,
}

/// The employee of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'d> {
    /// The employee, after following `replaced_by`.
    pub employee: HeldEmployee<'d>,
    /// What decided.
    pub matched_by: Clue,
    /// The number of the decision about the result's owner, revoking it included, or 0 where there was none.
    pub decision: i64,
}

/// Finds the employee of a report.
///
/// A standing decision about the result itself settles everything. Otherwise the first kind of the ladder that the report has decides
/// (where nobody has it, only an optional one lets the next decide), and no other identity in the report may point to other people alone.
///
/// # Errors
/// [`MatchError`] says why no one employee can be named.
pub fn find_employee<'d>(directory: &'d Directory, policy: &MatchPolicy<'_>, subject: &Subject<'_>) -> Result<Found<'d>, MatchError> {
    let decided = directory.result_alias(subject.result_id);
    let decision = decided.map_or(0, IdentityAlias::decision);
    if let Some(alias) = decided.filter(|alias| alias.revocation.is_none()) {
        let matched_by = Clue::ResultAlias;
        let owner = alias
            .employee_no
            .as_deref()
            .and_then(|employee_no| directory.successor(employee_no));
        let employee = owner.ok_or_else(|| MatchError::Unmatched { tried: vec![matched_by] })?;
        return Ok(Found {
            employee,
            matched_by,
            decision,
        });
    }
    let search = Search {
        directory,
        policy,
        subject,
    };
    let (employee, matched_by) = search.climb_ladder()?;
    search.contradict(employee, matched_by)?;
    Ok(Found {
        employee,
        matched_by,
        decision,
    })
}

struct Search<'d, 's> {
    directory: &'d Directory,
    policy: &'s MatchPolicy<'s>,
    subject: &'s Subject<'s>,
}

/// Whom an identity points to.
enum Pointer<'d, 's> {
    /// To the employees who had it.
    Claimed(Claims<'d, 's>),
    /// To whom a person decided; nobody where it is `None`.
    Decided(IdentityKind, Option<&'d str>),
}

enum Answer<'d> {
    Nobody,
    /// A person decided for somebody whom the directory does not know.
    Stranger,
    One(HeldEmployee<'d>),
    Several,
}

impl<'d, 's> Search<'d, 's> {
    fn climb_ladder(&self) -> Result<(HeldEmployee<'d>, Clue), MatchError> {
        let mut tried = Vec::new();
        for rung in self.policy.ladder {
            let Some(pointer) = self.pointer(rung.kind) else { continue };
            let clue = pointer.clue();
            match self.follow(&pointer) {
                Answer::One(employee) => return Ok((employee, clue)),
                Answer::Several => return Err(MatchError::Ambiguous { by: clue }),
                Answer::Nobody if rung.optional || fault_points::has(Bug::UnknownNumberFallsThrough) => tried.push(clue),
                // Falling through here could file on another person than the one who was decided for.
                Answer::Stranger | Answer::Nobody => {
                    tried.push(clue);
                    return Err(MatchError::Unmatched { tried });
                }
            }
        }
        if tried.is_empty() {
            let sought = self.policy.ladder.iter().map(|rung| rung.kind).collect();
            return Err(MatchError::MissingIdentity { sought });
        }
        Err(MatchError::Unmatched { tried })
    }

    /// Looks for anything in the report that speaks against the employee.
    fn contradict(&self, employee: HeldEmployee<'d>, decided_by: Clue) -> Result<(), MatchError> {
        let others = IdentityKind::ALL.iter().filter(|kind| decided_by.kind() != Some(**kind));
        let mut pointers = others.filter_map(|kind| self.pointer(*kind));
        if let Some(pointer) = pointers.find(|pointer| !self.allows(pointer, employee)) {
            let against = pointer.clue();
            return Err(MatchError::Conflicting { decided_by, against });
        }
        if self.policy.name_must_agree && !self.name_agrees(employee) {
            let against = Clue::Name;
            return Err(MatchError::Conflicting { decided_by, against });
        }
        Ok(())
    }

    /// `None` where the report does not have the kind.
    #[inline]
    fn pointer(&self, kind: IdentityKind) -> Option<Pointer<'d, 's>> {
        let spelling = Spelling::of(kind, self.subject.identities.get(kind)?, self.policy.region);
        if spelling.is_empty() {
            return None;
        }
        Some(match self.directory.identity_alias(self.policy.source, &spelling) {
            Some(alias) => Pointer::Decided(kind, alias.employee_no.as_deref()),
            None => Pointer::Claimed(self.directory.claims(spelling, self.policy.system)),
        })
    }

    #[inline]
    fn follow(&self, pointer: &Pointer<'d, '_>) -> Answer<'d> {
        match pointer {
            Pointer::Decided(_, None) => Answer::Nobody,
            Pointer::Decided(_, Some(employee_no)) => self.directory.successor(employee_no).map_or(Answer::Stranger, Answer::One),
            Pointer::Claimed(claims) => {
                let mut holders = self.holders(claims);
                let Some(first) = holders.next() else { return Answer::Nobody };
                if holders.all(|other| other == first) || fault_points::has(Bug::FirstMatchOnAmbiguity) {
                    Answer::One(first)
                } else {
                    Answer::Several
                }
            }
        }
    }

    /// Whether a pointer leaves it possible that the report is the employee's: it points to nobody, or to the employee among others.
    fn allows(&self, pointer: &Pointer<'d, '_>, employee: HeldEmployee<'d>) -> bool {
        match (self.follow(pointer), pointer) {
            (Answer::Nobody, _) => true,
            (Answer::Stranger, _) => false,
            (Answer::One(holder), _) => holder == employee,
            (Answer::Several, Pointer::Claimed(claims)) => self.holders(claims).any(|holder| holder == employee),
            (Answer::Several, Pointer::Decided(..)) => false,
        }
    }

    /// Those who had the identity when the learner finished, after following `replaced_by`; one employee can occur more than once.
    fn holders(&self, claims: &Claims<'d, '_>) -> impl Iterator<Item = HeldEmployee<'d>> {
        let holders = claims.holders(self.subject.finished);
        holders.map(|employee| self.directory.successor_of(employee))
    }

    fn name_agrees(&self, employee: HeldEmployee<'d>) -> bool {
        let Some(presented) = self.subject.identities.name.map(normalise_name).filter(|name| !name.is_empty()) else {
            return true;
        };
        employee.name().is_some_and(|name| normalise_name(name) == presented)
    }
}

impl Pointer<'_, '_> {
    fn clue(&self) -> Clue {
        match self {
            Self::Claimed(claims) => Clue::Identity(claims.kind()),
            Self::Decided(kind, _) => Clue::IdentityAlias(*kind),
        }
    }
}
