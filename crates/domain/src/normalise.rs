//! One spelling for values that mean the same: identities, names and parts of a result's key.
//!
//! Everything here is total (no text is refused) and settled: normalising what is normalised changes nothing.

mod phone;
mod spelling;

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

pub(crate) use phone::MAINLAND;
pub use phone::{Region, UnknownRegion};
pub(crate) use spelling::Spelling;

use crate::IdentityKind;

/// The spelling by which identities of one kind are compared.
///
/// NFKC (which folds full-width digits and letters) and trimmed, then by kind: employee numbers upper-cased, e-mails case-folded, phones in
/// E.164 with `region` for numbers without a country code, accounts as they are. A phone that cannot be read as a number stays cleaned text.
#[must_use]
pub fn normalise_identity(kind: IdentityKind, value: &str, region: Region) -> Cow<'_, str> {
    match kind {
        IdentityKind::EmployeeNo => map_owned(normalise_key_part(value), u8::is_ascii_lowercase, |text| text.to_uppercase()),
        IdentityKind::Email => fold_case(normalise_key_part(value)),
        IdentityKind::Account => normalise_key_part(value),
        IdentityKind::Phone => phone::normalise(value, region),
    }
}

/// NFKC, trimmed: how a part of a result's key is spelt before it is hashed.
#[must_use]
pub fn normalise_key_part(value: &str) -> Cow<'_, str> {
    if is_nfkc(value) {
        return Cow::Borrowed(value.trim());
    }
    let composed: String = value.nfkc().collect();
    Cow::Owned(composed.trim().to_owned())
}

/// For comparing names: NFKC without white space and middle dots, lower-cased (`阿依·古丽` and `阿依古丽` are one name).
#[must_use]
pub fn normalise_name(value: &str) -> Cow<'_, str> {
    let is_left_out = |character: char| character.is_whitespace() || MIDDLE_DOTS.contains(&character);
    let composed = normalise_key_part(value);
    if !composed.contains(is_left_out) {
        return fold_case(composed);
    }
    // Leaving out a character can bring together two that compose.
    let closed: String = composed.chars().filter(|character| !is_left_out(*character)).nfkc().collect();
    Cow::Owned(fold_case(Cow::Owned(closed)).into_owned())
}

/// U+00B7, U+2022, U+2027, U+2219, U+22C5, U+2E31 and U+30FB: what keyboards offer between the parts of a transcribed name.
const MIDDLE_DOTS: [char; 7] = ['·', '•', '‧', '∙', '⋅', '⸱', '・'];

fn is_nfkc(value: &str) -> bool {
    value.is_ascii() || is_nfkc_quick(value.chars()) == IsNormalized::Yes
}

/// By way of upper case, so that `ß` and `ẞ` equal `ss` and both small sigmas are one.
fn fold_case(value: Cow<'_, str>) -> Cow<'_, str> {
    map_owned(value, u8::is_ascii_uppercase, |text| {
        text.to_lowercase().to_uppercase().to_lowercase()
    })
}

/// Applies `change` unless the text is ASCII without a byte that it `concerns`; what it makes is composed again.
fn map_owned(value: Cow<'_, str>, concerns: fn(&u8) -> bool, change: fn(&str) -> String) -> Cow<'_, str> {
    if value.is_ascii() && !value.bytes().any(|byte| concerns(&byte)) {
        return value;
    }
    let changed = change(&value);
    if is_nfkc(&changed) {
        Cow::Owned(changed)
    } else {
        Cow::Owned(changed.nfkc().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(kind: IdentityKind, written: &[&str], expected: &str) {
        for value in written {
            assert_eq!(normalise_identity(kind, value, Region::CN), expected, "{kind} {value:?}");
        }
    }

    #[test]
    fn every_kind_has_one_spelling() {
        check(
            IdentityKind::EmployeeNo,
            &["E1001", "e1001", " e1001\t", "Ｅ１００１", "ｅ１００１\u{3000}"],
            "E1001",
        );
        check(IdentityKind::EmployeeNo, &["00123", "００１２３"], "00123");
        check(
            IdentityKind::Email,
            &["Li.Lei@Example.com", " li.lei@example.COM", "ｌｉ.lei@example.com"],
            "li.lei@example.com",
        );
        check(
            IdentityKind::Email,
            &["STRASSE@example.com", "straße@example.com"],
            "strasse@example.com",
        );
        check(IdentityKind::Account, &["LiLei", " LiLei ", "ＬiＬei"], "LiLei");
        check(IdentityKind::Account, &["lilei"], "lilei");
    }

    #[test]
    fn names_are_compared_without_spaces_dots_and_case() {
        for written in [
            "阿依·古丽",
            "阿依・古丽",
            "阿依•古丽",
            "阿依 古丽",
            "阿依\u{3000}古丽",
            "阿依･古丽",
            "阿依古丽",
        ] {
            assert_eq!(normalise_name(written), "阿依古丽", "{written}");
        }
        assert_eq!(normalise_name("Han Meimei"), normalise_name("HAN  MEIMEI"));
        assert_ne!(normalise_name("韩梅梅"), normalise_name("韩梅"));
    }

    #[test]
    fn common_values_are_not_copied() {
        let borrowed = |kind, value| matches!(normalise_identity(kind, value, Region::CN), Cow::Borrowed(_));
        assert!(borrowed(IdentityKind::EmployeeNo, " E1001 "));
        assert!(borrowed(IdentityKind::Email, "li.lei@example.com"));
        assert!(borrowed(IdentityKind::Account, "李雷"));
        assert!(borrowed(IdentityKind::Phone, "+8619900000001"));
    }

    fn normalise_all(value: &str) -> Vec<String> {
        let mut all: Vec<String> = IdentityKind::ALL
            .iter()
            .map(|kind| normalise_identity(*kind, value, Region::CN).into_owned())
            .collect();
        all.extend([normalise_name(value).into_owned(), normalise_key_part(value).into_owned()]);
        all
    }

    fn is_settled(value: &str) {
        for (place, once) in normalise_all(value).iter().enumerate() {
            assert_eq!(&normalise_all(once)[place], once, "place {place} of {value:?}");
        }
    }

    #[test]
    fn every_single_character_is_settled_at_once() {
        let all_but_ideographs = ('\0'..='\u{33ff}').chain('\u{a000}'..='\u{abff}').chain('\u{f900}'..='\u{1ffff}');
        for character in all_but_ideographs {
            is_settled(character.encode_utf8(&mut [0; 4]));
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_equals_once(value in "\\PC{0,12}|[ aAsSßſΣσςİıǰΐﬃŉｅＥ１·\u{300}\u{307}\u{345}\u{323}\u{200b}]{0,8}") {
            is_settled(&value);
        }
    }
}
