//! `scoresync dlq resolve`: a person decides whose an identity or a result is.

use anyhow::anyhow;
use scoresync_desk::office::{About, Act, Resolution, Resolved, Unresolved};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::json;

use super::{Context, actor, office, reach};
use crate::{arguments::DlqResolve, failure::Failure};

pub(super) async fn run(arguments: &DlqResolve, context: &Context) -> Result<Exit, Failure> {
    let office = office(context, !arguments.dry_run).await?;
    let resolution = Resolution {
        about: about(arguments).ok_or_else(|| anyhow!("say what is decided about"))?,
        employee_no: arguments.whose.employee.clone(),
        kind: arguments.kind,
        all_sources: arguments.all_sources,
    };
    let actor = actor();
    let act = Act {
        actor: &actor,
        because: &arguments.because,
        dry_run: arguments.dry_run,
        rate: None,
    };
    let reach = reach(context, &[Topic::Raw, Topic::Employees, Topic::Aliases]).await?;
    match office.resolve(&resolution, &act, &reach).await {
        Ok(resolved) => tell((arguments, context), &resolved),
        Err(error @ (Unresolved::NoLetter(_) | Unresolved::Senseless(_))) => Err(anyhow!(error.to_string()).into()),
        Err(Unresolved::Archive(error)) => Err(error.into()),
        Err(Unresolved::Reach(error)) => Err(anyhow::Error::new(error).into()),
    }
}

fn about(arguments: &DlqResolve) -> Option<About> {
    let about = &arguments.about;
    let letter = about.letter.clone().map(About::Letter);
    letter.or(about.group.map(About::Group)).or(about.result.map(About::Result))
}

fn tell((arguments, context): (&DlqResolve, &Context), resolved: &Resolved) -> Result<Exit, Failure> {
    let whose = arguments.whose.employee.as_deref().unwrap_or("nobody");
    let Resolved {
        about,
        discarded,
        sent_again,
    } = resolved;
    let document = json!({
        "dry_run": arguments.dry_run,
        "about": about,
        "employee_no": arguments.whose.employee,
        "discarded": discarded,
        "sent_again": sent_again.filter(|_| !arguments.dry_run).map(|origin| origin.to_string()),
    });
    context.output.print(&document, |_| {
        let decided = if arguments.dry_run { "would be decided" } else { "is decided" };
        let mut lines = vec![format!("{about} {decided} to be {whose}'s")];
        lines.extend((*discarded > 0).then(|| format!("{discarded} open letters are discarded")));
        if !arguments.dry_run && arguments.whose.employee.is_some() {
            lines.push("what waits for it is filed by itself; `scoresync aliases revoke` takes it back".to_owned());
        }
        lines
    })?;
    Ok(Exit::Ok)
}
