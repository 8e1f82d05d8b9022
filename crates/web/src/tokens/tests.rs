//! Tokens: who gets in, who does not, and what is wrong with settings.

use axum::http::{HeaderValue, StatusCode};

use super::*;

/// The hash of a token, as in settings.
fn sha256(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn compile(text: &str) -> Result<Tokens, Vec<String>> {
    let settings: TokensSettings = toml::from_str(text).unwrap();
    let shown = |problems: Vec<scoresync_domain::Problem>| problems.iter().map(ToString::to_string).collect();
    Tokens::compile(&settings, |name| ["academy", "campus"].contains(&name)).map_err(shown)
}

fn tokens() -> Tokens {
    let (lms, hr) = (sha256("ss_lms"), sha256("ss_hr"));
    let text = format!("lms = {{ sha256 = '{lms}', sources = ['academy'] }}\nhr = {{ sha256 = '{hr}', rights = ['employees'] }}");
    compile(&text).unwrap()
}

/// The name of the token that is let in, or the status that is answered.
fn enter(authorization: &[&str], right: Right) -> Result<String, StatusCode> {
    let mut headers = HeaderMap::new();
    for value in authorization {
        headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    let tokens = tokens();
    let entered = tokens.authorise(&headers, right).map(|token| token.name().to_owned());
    entered.map_err(|problem| problem.kind().status())
}

#[test]
fn a_token_opens_what_it_has_the_right_for() {
    let allowed = |name: &str| Ok(name.to_owned());
    assert_eq!(enter(&["Bearer ss_lms"], Right::Reports), allowed("lms"));
    assert_eq!(enter(&["bearer  ss_hr"], Right::Employees), allowed("hr"));
    assert_eq!(enter(&["Bearer ss_hr"], Right::Reports), Err(StatusCode::FORBIDDEN));
    assert_eq!(enter(&["Bearer ss_lms"], Right::Employees), Err(StatusCode::FORBIDDEN));
}

#[test]
fn without_a_known_token_nobody_enters() {
    let hash = format!("Bearer {}", sha256("ss_lms"));
    let almost = [
        "Bearer ss_lm",
        "Bearer ss_lmss",
        "Bearer SS_LMS",
        "Basic ss_lms",
        "Bearer",
        "Bearer ",
        "ss_lms",
        "",
        &hash,
    ];
    for value in almost {
        assert_eq!(enter(&[value], Right::Reports), Err(StatusCode::UNAUTHORIZED), "{value:?}");
    }
    assert_eq!(enter(&[], Right::Reports), Err(StatusCode::UNAUTHORIZED));
    assert_eq!(
        enter(&["Bearer ss_lms", "Bearer ss_lms"], Right::Reports),
        Err(StatusCode::UNAUTHORIZED)
    );
}

#[test]
fn a_token_speaks_for_the_sources_that_it_lists() {
    let check = |sources: &str, expected: [bool; 3]| {
        let text = format!("t = {{ sha256 = '{}', sources = {sources} }}", sha256("t"));
        let tokens = compile(&text).unwrap();
        let token = &tokens.0[0];
        let actual = [
            token.may_speak_for("academy"),
            token.may_speak_for("campus"),
            token.may_speak_for_some(),
        ];
        assert_eq!(actual, expected, "{sources}");
    };
    check("[]", [false, false, false]);
    check("['academy']", [true, false, true]);
    check("['academy', 'campus']", [true, true, true]);
    check("['*']", [true, true, true]);
}

#[test]
fn everything_that_is_wrong_with_tokens_is_listed_at_once() {
    let hash = sha256("t");
    let text = format!(
        "a = {{ sources = ['academy', 'acadmy'] }}\nb = {{ sha256 = '{hash}', rights = ['reports', 'rule'] }}\n\
         c = {{ sha256 = '{}' }}\nd = {{ sha256 = '{hash}' }}\ne = {{ sha256 = 'ss_a-token-and-no-hash' }}",
        &hash[1..]
    );
    let problems = compile(&text).unwrap_err();
    let begins = [
        "tokens.a.sources: `acadmy` is no source",
        "tokens.a.sha256: is required",
        "tokens.b.rights: `rule` is unknown",
        "tokens.c.sha256: is required",
        "tokens.d.sha256: is also the hash of tokens.b",
        "tokens.e.sha256: is required",
    ];
    assert_eq!(problems.len(), begins.len(), "{problems:#?}");
    for (problem, begin) in problems.iter().zip(begins) {
        assert!(problem.starts_with(begin), "{problem}");
        assert!(!problem.contains("ss_a-token"), "{problem}");
    }
}

#[test]
fn a_new_token_is_let_in_by_its_hash_and_no_two_are_the_same() {
    let [one, another] = [new_token(), new_token()];
    assert_ne!(one.text, another.text);
    assert_eq!((one.text.len(), &one.text[..3]), (67, "ss_"));
    let tokens = compile(&format!("new = {{ sha256 = '{}' }}", one.sha256)).unwrap();
    let headers = |token: &NewToken| {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.text)).unwrap();
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    };
    assert!(tokens.authorise(&headers(&one), Right::Reports).is_ok());
    assert!(tokens.authorise(&headers(&another), Right::Reports).is_err());
}
