//! What requests say, and what is meant by it.

use std::{num::NonZeroU32, time::Duration};

use scoresync_archive::LetterId;
use scoresync_domain::{IdentityKind, LetterState};
use scoresync_web::{Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::office::{About, Resolution, Selection, group_id, result_id};

/// Of whatever is looked for, or noted.
const MAX_TEXT_BYTES: usize = 1_000;

/// Which letters are meant. What is left out limits nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// With this reason.
    reason: Option<String>,
    /// Of this source.
    source: Option<String>,
    /// With the problem in this field, by our name: `exam_score`, `finish_timestamp` …
    field: Option<String>,
    /// Of this problem, as `/v1/dead-letters/groups` names it.
    problem: Option<String>,
    /// That name this employee number.
    employee: Option<String>,
    /// With this text in any field, names of fields included. Needs a token with the right `resolve`, too.
    pub(super) text: Option<String>,
    /// That were read by an older version of their source's field mapping than there is now; needs `source`.
    older_mapping: bool,
    /// That first failed so many seconds ago, or longer.
    older_than_seconds: Option<u64>,
    /// That first failed less long ago.
    newer_than_seconds: Option<u64>,
}

impl Which {
    pub(super) fn selection(self) -> Result<Selection, Problem> {
        if self.older_mapping && self.source.is_none() {
            return Err(invalid(
                "`older_mapping` needs `source`: versions of field mappings are those of one source",
            ));
        }
        Ok(Selection {
            reason: said(self.reason)?,
            source: said(self.source)?,
            field: said(self.field)?,
            group: self.problem.as_deref().map(problem).transpose()?,
            employee: said(self.employee)?,
            text: said(self.text)?,
            older_mapping: self.older_mapping,
            older_than: self.older_than_seconds.map(Duration::from_secs),
            newer_than: self.newer_than_seconds.map(Duration::from_secs),
        })
    }
}

/// An empty text would mean everything, which nobody means who leaves a field of a form empty.
fn said(text: Option<String>) -> Result<Option<String>, Problem> {
    match &text {
        Some(text) if text.trim().is_empty() || is_no_text(text) => Err(invalid(
            "a filter is an empty text, or is none that can be looked for: leave it out",
        )),
        Some(_) | None => Ok(text),
    }
}

/// Too long, or with characters that no database, log or terminal takes as they are.
fn is_no_text(text: &str) -> bool {
    text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control)
}

/// Which part of a list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// `open`, `redriven`, `filed`, `discarded` or `all`; `open` where it is left out.
    pub(super) state: String,
    /// At most so many, 1 to 1000; 100 where it is left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: u32,
    /// The `next` of the page before.
    pub(super) after: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            state: LetterState::Open.to_string(),
            limit: 100,
            after: None,
        }
    }
}

impl Page {
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }
}

/// How many of the problems.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct HowMany {
    /// At most so many, 1 to 1000, those with the most letters first; 50 where it is left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: u32,
}

impl Default for HowMany {
    fn default() -> Self {
        Self { limit: 50 }
    }
}

impl HowMany {
    pub(super) fn limit(self) -> Result<u32, Problem> {
        limit(self.limit)
    }
}

fn limit(limit: u32) -> Result<u32, Problem> {
    if (1..=1_000).contains(&limit) {
        return Ok(limit);
    }
    Err(invalid("`limit` is 1 to 1000"))
}

/// `None` for letters of all states.
pub(super) fn state(name: &str) -> Result<Option<LetterState>, Problem> {
    if name == "all" {
        return Ok(None);
    }
    let state = name.parse().map(Some);
    state.map_err(|_| invalid("`state` is one of open, redriven, filed, discarded, all"))
}

pub(super) fn letter(name: &str) -> Result<LetterId, Problem> {
    let how = "a letter is named as the list of letters does it: generation/partition/offset, its slashes written as %2F in an address";
    let id = name.parse().ok().filter(|_| !is_no_text(name));
    id.ok_or_else(|| invalid(how))
}

fn problem(name: &str) -> Result<[u8; 16], Problem> {
    let how = "a problem is named by 32 hexadecimal digits, as /v1/dead-letters/groups does it";
    group_id(name).ok_or_else(|| invalid(how))
}

pub(super) fn invalid(detail: &str) -> Problem {
    Problem::new(Kind::Invalid, detail)
}

/// What is done with open letters. They are named, filtered, or all of them are meant.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Order {
    /// These letters.
    pub(super) letters: Vec<String>,
    /// Or all that are meant by this.
    pub(super) which: Which,
    /// Or all that are open.
    pub(super) all: bool,
    /// Count them; change nothing.
    pub(super) dry_run: bool,
    /// So many in a second at most. The answer comes when all are asked for.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub(super) rate: Option<NonZeroU32>,
    /// Why. Discarding needs it.
    pub(super) because: String,
}

/// Whose an identity or a result is. One of `letter`, `problem` and `result` says what is decided about.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// An identity of the person whom this letter speaks of.
    letter: Option<String>,
    /// An identity of the person whom this problem is about.
    problem: Option<String>,
    /// All versions of this result, filed and refused ones.
    result: Option<String>,
    /// Whose it is. Left out or `null`, the identity is no employee's, and the problem's open letters are discarded.
    pub(super) employee_no: Option<String>,
    /// Which identity is meant, where the reports have several: `employee_no`, `phone`, `email` or `account`.
    kind: Option<String>,
    /// The decision holds for the reports of all sources, not only for those of the letter's.
    #[serde(default)]
    all_sources: bool,
    /// Why it is so.
    pub(super) because: String,
    /// Say what would be decided; change nothing.
    #[serde(default)]
    pub(super) dry_run: bool,
}

impl Decision {
    pub(super) fn resolution(&self) -> Result<Resolution, Problem> {
        let about = match (&self.letter, &self.problem, &self.result) {
            (Some(name), None, None) => About::Letter(letter(name)?),
            (None, Some(name), None) => About::Group(problem(name)?),
            (None, None, Some(name)) => {
                let how = "a result is named by a UUID in lower case with hyphens";
                About::Result(result_id(name).ok_or_else(|| invalid(how))?)
            }
            _ => return Err(invalid("say what is decided about, by one of `letter`, `problem` and `result`")),
        };
        let kind = self.kind.as_deref().map(str::parse::<IdentityKind>).transpose();
        Ok(Resolution {
            about,
            employee_no: self.employee_no.clone(),
            kind: kind.map_err(|_| invalid("`kind` is one of employee_no, phone, email, account"))?,
            all_sources: self.all_sources,
        })
    }
}

/// Why somebody looks at personal values.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// The reason; it is noted with the token's name and the moment.
    pub(super) because: String,
}

/// Which letters are forgotten.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forget {
    /// Those that were closed so many seconds ago, or longer.
    pub(super) closed_before_seconds: u64,
    /// Why; it is noted with the token's name and the moment.
    pub(super) because: String,
    /// Count them; change nothing.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// What decision is taken back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TakeBack {
    /// What was decided about, as `/v1/aliases/reveal` names it: `identity/SOURCE/KIND/VALUE` or `result/RESULT_ID`.
    pub(super) subject: String,
    /// Why.
    pub(super) because: String,
}

/// A reason that says something.
pub(super) fn reason(because: &str) -> Result<&str, Problem> {
    match because.trim() {
        "" => Err(invalid("`because` says why, and stays: it must not be empty")),
        because if is_no_text(because) => Err(invalid("`because` is one line of at most 1000 bytes")),
        because => Ok(because),
    }
}
