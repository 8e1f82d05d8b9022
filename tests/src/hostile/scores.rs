//! Numbers that are to become scores.

use scoresync_domain::Score;

use super::{Cost, Target};

/// What is shown of a score is read as the same score; a sign changes the sign alone; a letter behind it is refused. Nothing is allocated.
pub const SCORE: Target = Target {
    name: "score",
    check,
    costs: &[Cost {
        read,
        multiple: 0,
        constant_bytes: 0,
    }],
};

fn read(text: &[u8]) {
    // Whatever comes of it.
    let _ = std::str::from_utf8(text).map(Score::parse);
}

fn check(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Ok((score, is_rounded)) = Score::parse(text) else {
        return false;
    };
    assert_eq!(
        Score::parse(&score.to_string()),
        Ok((score, false)),
        "a score is another one when it is shown"
    );
    assert_eq!(
        Score::from_millionths(score.as_millionths()),
        Some(score),
        "a score has too many digits"
    );
    if !text.starts_with(['+', '-']) {
        let negative = Score::from_millionths(-score.as_millionths()).map(|score| (score, is_rounded));
        assert_eq!(
            Score::parse(&format!("-{text}")).ok(),
            negative,
            "the sign changes more than the sign"
        );
    }
    for behind in ["x", " ", "\0", ".", "e", "-1"] {
        let longer = format!("{text}{behind}");
        let is_decimal_point = behind == "." && !text.contains(['.', 'e', 'E']);
        assert!(is_decimal_point || Score::parse(&longer).is_err(), "a score is read of {longer:?}");
    }
    true
}
