//! Tokens as people configure them (`[tokens.NAME]`), and everything that can be wrong with them.

use std::collections::BTreeMap;

use scoresync_domain::Problem;
use serde::{Deserialize, Serialize};

use super::{Right, SourceScope, Token, Tokens};

/// Stands for every source.
const ALL: &str = "*";

/// All tokens by name: the table `[tokens]`.
pub type TokensSettings = BTreeMap<String, TokenSettings>;

/// One token: the table `[tokens.NAME]`. The name stands in logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSettings {
    /// SHA-256 of the token, in 64 hexadecimal digits; `scoresync token new` makes both. Required.
    pub sha256: String,
    /// Names of the sources that it may speak for; `["*"]` is every source. Default: none.
    pub sources: Vec<String>,
    /// What it may do: `"reports"` (send reports of its sources), `"employees"` (send employees), `"look"` (look at dead letters),
    /// `"resolve"` (act upon them, and see what they hold). Default: `["reports"]`.
    pub rights: Vec<String>,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            sha256: String::new(),
            sources: Vec::new(),
            rights: vec![Right::Reports.as_str().to_owned()],
        }
    }
}

impl Tokens {
    /// Checks and compiles the settings of all tokens; `is_source` knows the configured sources by name.
    ///
    /// # Errors
    /// Everything that is wrong, of all tokens, in the order of their names.
    pub fn compile(settings: &TokensSettings, is_source: impl Fn(&str) -> bool) -> Result<Self, Vec<Problem>> {
        let (mut tokens, mut problems) = (Vec::<Token>::new(), Vec::new());
        for (name, token) in settings {
            problems.extend(unknown_sources(name, token, &is_source));
            let Some(compiled) = compile(name, token, &mut problems) else {
                continue;
            };
            match tokens.iter().find(|earlier| earlier.sha256 == compiled.sha256) {
                Some(earlier) => {
                    let explanation = format!("is also the hash of tokens.{}: make a token for each", earlier.name);
                    problems.push(problem(name, "sha256", explanation));
                }
                None => tokens.push(compiled),
            }
        }
        if problems.is_empty() { Ok(Self(tokens)) } else { Err(problems) }
    }
}

fn compile(name: &str, settings: &TokenSettings, problems: &mut Vec<Problem>) -> Option<Token> {
    let sha256 = read_hash(&settings.sha256);
    if sha256.is_none() {
        let explanation = "is required: the 64 hexadecimal digits that `scoresync token new` shows as the token's hash";
        problems.push(problem(name, "sha256", explanation));
    }
    let mut rights = Vec::new();
    for text in &settings.rights {
        match text.parse() {
            Ok(right) => rights.push(right),
            Err(error) => problems.push(problem(name, "rights", format!("`{text}` is unknown: {error}"))),
        }
    }
    Some(Token {
        name: name.to_owned(),
        sha256: sha256?,
        sources: match settings.sources.iter().any(|source| source == ALL) {
            true => SourceScope::All,
            false => SourceScope::Listed(settings.sources.clone()),
        },
        rights,
    })
}

fn unknown_sources<'a>(
    name: &'a str,
    settings: &'a TokenSettings,
    is_source: &'a impl Fn(&str) -> bool,
) -> impl Iterator<Item = Problem> + 'a {
    let unknown = settings.sources.iter().filter(|source| *source != ALL && !is_source(source));
    unknown.map(move |source| {
        let explanation = format!("`{source}` is no source: name one of the tables [sources.NAME], or \"{ALL}\" for all");
        problem(name, "sources", explanation)
    })
}

fn problem(token: &str, setting: &str, explanation: impl Into<String>) -> Problem {
    Problem {
        setting: format!("tokens.{token}.{setting}"),
        explanation: explanation.into(),
    }
}

fn read_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(hash)
}
