//! A person decides whose an identity or a result is.

use std::sync::Arc;

use scoresync_archive::{ArchiveError, LetterId};
use scoresync_domain::{AliasSubject, IdentityAlias, IdentityKey, IdentityKind, LetterFamily, Origin, Refusal, ResultId};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{
    Act, Office, Selection,
    masking::mask,
    reach::{Reach, ReachError},
};

/// What is decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// An identity of the person whom a letter speaks of.
    Letter(LetterId),
    /// An identity of the person whom a problem is about.
    Group([u8; 16]),
    /// All versions of a result, filed and refused ones. A refusal is about its result, and is named as a letter or a problem, too.
    Result(ResultId),
}

/// A decision that is to be made.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// What is decided about.
    pub about: About,
    /// Whose it is; `None` is nobody's, and discards the problem's open letters.
    pub employee_no: Option<String>,
    /// Which identity is meant, where the reports have several.
    pub kind: Option<IdentityKind>,
    /// Whether it holds for the reports of all sources, not only for those of the letter's.
    pub all_sources: bool,
}

/// What was decided, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// What about, without personal values.
    pub about: String,
    /// How many letters were discarded.
    pub discarded: u64,
    /// The report that is sent again to be mapped by the decision.
    pub sent_again: Option<Origin>,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    /// There is no such letter.
    #[error("there is no letter {0}; `scoresync dlq list` lists them")]
    NoLetter(LetterId),
    /// What was asked for makes no sense as things are.
    #[error("{0}")]
    Senseless(String),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Kafka or the registry.
    #[error(transparent)]
    Reach(ReachError),
}

impl From<ReachError> for Unresolved {
    fn from(error: ReachError) -> Self {
        // What is gone does not come back.
        if let ReachError::Decision(error) = &error
            && error.is_of_report()
        {
            return senseless(error.to_string());
        }
        Self::Reach(error)
    }
}

fn senseless(text: impl Into<String>) -> Unresolved {
    Unresolved::Senseless(text.into())
}

struct Subject {
    subject: AliasSubject,
    shown: String,
    /// The problem whose letters it concerns.
    group_id: Option<[u8; 16]>,
    /// A report of the result, to be mapped by the decision.
    report: Option<Origin>,
}

impl Office {
    /// Decides whose an identity or a result is; what waits for that is filed by itself.
    ///
    /// # Errors
    /// Nothing was decided unless Kafka has the decision; to decide the same again is safe.
    pub async fn resolve(&self, resolution: &Resolution, act: &Act<'_>, reach: &Reach) -> Result<Resolved, Unresolved> {
        let found = self.subject(resolution).await?;
        if resolution.employee_no.is_none() && matches!(found.subject, AliasSubject::Result(_)) {
            return Err(senseless("a result is somebody's: say whose"));
        }
        if let Some(number) = &resolution.employee_no
            && !reach.knows(number).await?
        {
            return Err(senseless(
                "nobody has this employee number; a decision for somebody unknown would file nothing",
            ));
        }
        let mut resolved = Resolved {
            about: found.shown.clone(),
            discarded: 0,
            sent_again: found.report,
        };
        let group_id = found.group_id;
        if !act.dry_run {
            self.decide(found, (resolution.employee_no.clone(), act), reach).await?;
        } else if let Some(origin) = found.report {
            reach.with_decisions(move |decisions| decisions.report(origin).map(drop)).await?;
        }
        if let Some(group_id) = group_id.filter(|_| resolution.employee_no.is_none()) {
            let selection = Selection {
                group: Some(group_id),
                ..Selection::default()
            };
            let meant = self.selected(&selection);
            resolved.discarded = self.discard(&meant, act, |_| ()).await?.done;
        }
        Ok(resolved)
    }

    /// Nothing is changed before it is sure that a report can be sent again. Where this dies before it is sent, a desk sends it.
    async fn decide(&self, found: Subject, (employee_no, act): (Option<String>, &Act<'_>), reach: &Reach) -> Result<(), Unresolved> {
        let Subject { subject, report, .. } = found;
        let (archive, runtime) = (Arc::clone(&self.archive), Handle::current());
        let (decided_by, reason) = (act.actor.to_owned(), act.because.to_owned());
        let deciding = reach.with_decisions(move |decisions| {
            let report = report
                .map(|origin| decisions.report(origin).map(|record| (origin, record)))
                .transpose()?;
            decisions.decide(&subject, |_, decided_at| {
                Some(IdentityAlias {
                    subject: subject.clone(),
                    employee_no: employee_no.clone(),
                    decided_by: decided_by.clone(),
                    decided_at,
                    reason: reason.clone(),
                    revocation: None,
                })
            })?;
            let Some((origin, record)) = &report else { return Ok(()) };
            decisions.send_decided((*origin, record), (&archive, &runtime))
        });
        Ok(deciding.await?)
    }

    async fn subject(&self, resolution: &Resolution) -> Result<Subject, Unresolved> {
        let group_id = match &resolution.about {
            About::Result(result_id) => return self.about_result(*result_id).await,
            About::Letter(id) => {
                let found = self.archive.letter(id).await?;
                let (letter, _) = found.ok_or_else(|| Unresolved::NoLetter(id.clone()))?;
                if letter.family == LetterFamily::Archive {
                    let waiting = letter.result_id.filter(|_| letter.reason == Refusal::OwnerChanged.as_str());
                    let other = || senseless("this refusal waits for no decision; `scoresync dlq show` says what to do");
                    return self.about_result(waiting.ok_or_else(other)?).await;
                }
                letter.group_id
            }
            About::Group(group_id) => *group_id,
        };
        let Some(group) = self.archive.letter_group(group_id).await? else {
            let result_id = ResultId::from_uuid(Uuid::from_bytes(group_id));
            if self.archive.origins_of(result_id).await?.is_empty() {
                return Err(senseless("there is no such problem; `scoresync dlq groups` lists them"));
            }
            return self.about_result(result_id).await;
        };
        let (kind, _, value) = chosen(&group.identities, resolution.kind)?;
        let source = (!resolution.all_sources).then(|| group.source.clone());
        let whose = source.as_deref().unwrap_or("all sources");
        Ok(Subject {
            shown: format!("{kind} {} in {whose}", mask(value)),
            subject: AliasSubject::Identity {
                source,
                kind: *kind,
                value: value.clone(),
            },
            group_id: Some(group_id),
            report: None,
        })
    }

    async fn about_result(&self, result_id: ResultId) -> Result<Subject, Unresolved> {
        let report = self.archive.last_naming_report(result_id).await?;
        let is_unknown = report.is_none() && self.archive.origins_of(result_id).await?.is_empty();
        if is_unknown && self.archive.open_letters_about(result_id).await?.is_empty() {
            let text = format!("the archive has nothing of the result {result_id}, and no letter is about it");
            return Err(senseless(text));
        }
        Ok(Subject {
            subject: AliasSubject::Result(result_id),
            shown: format!("result {result_id}"),
            group_id: None,
            report,
        })
    }
}

/// The identity that is meant.
fn chosen(identities: &[IdentityKey], kind: Option<IdentityKind>) -> Result<&IdentityKey, Unresolved> {
    let kinds: Vec<&str> = identities.iter().map(|(kind, _, _)| kind.as_str()).collect();
    match (kind, identities) {
        (_, []) => Err(senseless("the problem is not about a person; `scoresync dlq show` says what to do")),
        (None, [only]) => Ok(only),
        (None, _) => {
            let text = format!(
                "the reports have several identities ({}): say by its kind which of them is decided about",
                kinds.join(", ")
            );
            Err(senseless(text))
        }
        (Some(kind), _) => {
            let found = identities.iter().find(|(known, _, _)| *known == kind);
            found.ok_or_else(|| senseless(format!("the reports have no {kind}, but {}", kinds.join(", "))))
        }
    }
}
