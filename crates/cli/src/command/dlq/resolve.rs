//! `scoresync dlq resolve`: a person decides whose an identity or a result is.

use anyhow::{anyhow, bail};
use scoresync_archive::{Access, Archive, LetterFilter, LetterId, LetterPage, Request};
use scoresync_domain::{AliasSubject, IdentityAlias, IdentityKey, LetterState, Origin, ResultId, Timestamp};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::json;

use super::{Context, actor, masking::mask, now, open};
use crate::{
    arguments::DlqResolve,
    command::aliases::{after, with_decisions},
    directory::read_directory,
    failure::Failure,
    surroundings::Surroundings,
};

/// Letters that are discarded in one transaction.
const PAGE: u32 = 500;

/// What is decided about.
struct Subject {
    subject: AliasSubject,
    /// For people, without personal values.
    shown: String,
    /// The problem whose letters it concerns.
    group_id: Option<[u8; 16]>,
    /// A report of the result, to be mapped by the decision.
    report: Option<Origin>,
}

pub(super) async fn run(arguments: DlqResolve, context: &Context) -> Result<Exit, Failure> {
    let archive = open(context, if arguments.dry_run { Access::Reader } else { Access::Desk }).await?;
    let Subject {
        subject,
        shown,
        group_id,
        report,
    } = subject(&arguments, &archive).await?;
    let surroundings = Surroundings::find(&context.configuration, &[Topic::Raw, Topic::Employees, Topic::Aliases]).await?;
    if let Some(number) = &arguments.whose.employee {
        let live = read_directory(context, &surroundings.registry).await?;
        if live.directory().employee(number).is_none() {
            return Err(anyhow!("nobody has the employee number {number}; a decision for somebody unknown would file nothing").into());
        }
    }
    let past = match report {
        Some(origin) => past(&archive, origin).await?,
        None => None,
    };
    if !arguments.dry_run {
        if let Some(origin) = report {
            archive.expect_again(&LetterId::of(origin), now()).await?;
        }
        let (alias, employee_no) = (subject.clone(), arguments.whose.employee.clone());
        let because = arguments.because.clone();
        with_decisions(context, &surroundings, move |decisions| {
            let decided_at = after(decisions.about(&alias));
            if let Some(origin) = report {
                decisions.require(origin)?;
            }
            decisions.write(&IdentityAlias {
                subject: alias,
                employee_no,
                decided_by: actor(),
                decided_at,
                reason: because,
                revocation: None,
            })?;
            match report {
                Some(origin) => {
                    let (attempts, first_failed_at) = past.unwrap_or((0, decided_at));
                    decisions.redrive(origin, attempts, first_failed_at)
                }
                None => Ok(()),
            }
        })
        .await?;
    }
    let discarded = match group_id {
        Some(group_id) if arguments.whose.nobody && !arguments.dry_run => discard(&archive, group_id, &arguments.because).await?,
        Some(_) | None => 0,
    };
    tell((&arguments, context), &shown, (discarded, report))
}

fn tell((arguments, context): (&DlqResolve, &Context), shown: &str, (discarded, report): (u64, Option<Origin>)) -> Result<Exit, Failure> {
    let whose = arguments.whose.employee.as_deref().unwrap_or("nobody");
    let document = json!({
        "dry_run": arguments.dry_run,
        "about": shown,
        "employee_no": arguments.whose.employee,
        "discarded": discarded,
        "sent_again": report.filter(|_| !arguments.dry_run).map(|origin| origin.to_string()),
    });
    context.output.print(&document, |_| {
        let decided = if arguments.dry_run { "would be decided" } else { "is decided" };
        let mut lines = vec![format!("{shown} {decided} to be {whose}'s")];
        lines.extend((discarded > 0).then(|| format!("{discarded} open letters are discarded")));
        if !arguments.dry_run && arguments.whose.employee.is_some() {
            lines.push("what waits for it is filed by itself; `scoresync aliases revoke` takes it back".to_owned());
        }
        lines
    })?;
    Ok(Exit::Ok)
}

/// How often a report was tried, and when that failed first, where it was a letter.
async fn past(archive: &Archive, origin: Origin) -> Result<Option<(u32, Timestamp)>, Failure> {
    let found = archive.letter(&LetterId::of(origin)).await?;
    Ok(found.map(|(letter, _)| (letter.attempt, letter.first_failed_at)))
}

async fn subject(arguments: &DlqResolve, archive: &Archive) -> Result<Subject, Failure> {
    if let Some(result_id) = arguments.about.result {
        return about_result(result_id, archive).await;
    }
    let group_id = match (&arguments.about.letter, arguments.about.group) {
        (Some(id), _) => {
            let found = archive.letter(id).await?;
            found.ok_or_else(|| anyhow!("there is no letter {id}"))?.0.group_id
        }
        (None, Some(group_id)) => group_id,
        (None, None) => return Err(anyhow!("say what is decided about").into()),
    };
    let group = archive.letter_group(group_id).await?;
    let group = group.ok_or_else(|| anyhow!("there is no such problem; `scoresync dlq groups` lists them"))?;
    let (kind, _, value) = chosen(&group.identities, arguments)?;
    let source = (!arguments.all_sources).then(|| group.source.clone());
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

async fn about_result(result_id: ResultId, archive: &Archive) -> Result<Subject, Failure> {
    let origins = archive.origins_of(result_id).await?;
    let report = origins.last().copied();
    if report.is_none() && archive.open_letters_about(result_id).await?.is_empty() {
        return Err(anyhow!("the archive has nothing of the result {result_id}, and no letter is about it").into());
    }
    Ok(Subject {
        subject: AliasSubject::Result(result_id),
        shown: format!("result {result_id}"),
        group_id: None,
        report,
    })
}

/// The identity that is meant.
fn chosen<'g>(identities: &'g [IdentityKey], arguments: &DlqResolve) -> anyhow::Result<&'g IdentityKey> {
    let kinds: Vec<&str> = identities.iter().map(|(kind, _, _)| kind.as_str()).collect();
    match (arguments.kind, identities) {
        (_, []) => bail!("the problem is not about a person; `scoresync dlq show` says what to do"),
        (None, [only]) => Ok(only),
        (None, _) => bail!(
            "the reports have several identities ({}): say by --kind which of them is decided about",
            kinds.join(", ")
        ),
        (Some(kind), _) => {
            let found = identities.iter().find(|(known, _, _)| *known == kind);
            found.ok_or_else(|| anyhow!("the reports have no {kind}, but {}", kinds.join(", ")))
        }
    }
}

async fn discard(archive: &Archive, group_id: [u8; 16], because: &str) -> Result<u64, Failure> {
    let filter = LetterFilter {
        state: Some(LetterState::Open),
        group_id: Some(group_id),
        ..LetterFilter::default()
    };
    let actor = actor();
    let mut discarded = 0;
    loop {
        let page = LetterPage { after: None, limit: PAGE };
        let letters = archive.letters(&filter, &page).await?;
        let ids: Vec<LetterId> = letters.into_iter().map(|letter| letter.id).collect();
        if ids.is_empty() {
            return Ok(discarded);
        }
        let request = Request {
            actor: &actor,
            action: "discard",
            reason: because,
            at: now(),
        };
        discarded += archive.discard_letters(&ids, &request).await?;
    }
}
