//! Phone numbers in E.164. The tables of the `phonenumber` crate say what a number can look like; what they cannot confirm is never cut.

use std::{borrow::Cow, fmt, str::FromStr};

use phonenumber::{
    Metadata,
    country::{self, Id},
    metadata::DATABASE,
};

use super::normalise_key_part;

/// Where a phone number without a country code belongs: an ISO 3166-1 code of two letters, such as `CN`, that has a numbering plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(Id);

/// The text is no region with a numbering plan.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a region is written as the two capital letters of ISO 3166-1, such as CN")]
pub struct UnknownRegion;

impl Region {
    /// Mainland China.
    pub const CN: Self = Self(country::CN);

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    fn numbering_plan(self) -> Option<&'static Metadata> {
        DATABASE.by_id(self.as_str())
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let region = Self(text.parse().map_err(|_| UnknownRegion)?);
        region.numbering_plan().map(|_| region).ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A calling code and the digits that follow it.
struct Number<'a> {
    calling_code: u16,
    national: Cow<'a, str>,
}

/// E.164 allows 15 digits; trunk, carrier and international prefixes can stand before them.
const MAX_DIALLED_DIGITS: usize = 24;

/// What stands before a number of mainland China in E.164.
pub(crate) const MAINLAND: &str = "+86";

pub(super) fn normalise(value: &str, region: Region) -> Cow<'_, str> {
    let trimmed = value.trim();
    if let Some(mobile) = mainland_mobile(trimmed, region) {
        return if trimmed.starts_with('+') {
            Cow::Borrowed(trimmed)
        } else {
            Cow::Owned(format!("{MAINLAND}{mobile}"))
        };
    }
    let text = cleaned(trimmed);
    let Some(dialled) = dialled_digits(&text) else {
        return Cow::Owned(text);
    };
    if let Some(mobile) = mainland_mobile(&dialled, region) {
        return Cow::Owned(format!("{MAINLAND}{mobile}"));
    }
    Cow::Owned(read(&dialled, region).map_or(text, |number| format!("+{}{}", number.calling_code, number.national)))
}

/// What nearly every number in a Chinese company is, without asking the tables: its eleven digits.
pub(super) fn mainland_mobile(text: &str, region: Region) -> Option<&str> {
    let number = match text.strip_prefix(MAINLAND) {
        Some(number) => number,
        None if region == Region::CN => text.strip_prefix("0086").unwrap_or(text),
        None => return None,
    };
    let is_mobile =
        number.len() == 11 && number.bytes().all(|byte| byte.is_ascii_digit()) && matches!(number.as_bytes(), [b'1', b'3'..=b'9', ..]);
    is_mobile.then_some(number)
}

/// NFKC and lower-cased, without white space, invisible characters and the scheme of a `tel:` URI (RFC 3966).
fn cleaned(value: &str) -> String {
    let mut text = normalise_key_part(value).to_lowercase();
    text.retain(|character| !character.is_whitespace() && !is_invisible(character));
    // Leaving out a character can bring together two that compose.
    normalise_key_part(text.trim_start_matches("tel:")).into_owned()
}

/// Soft hyphen, zero-width and direction marks: address books put them around numbers that are copied.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The digits, behind a plus sign if there is one, without what is written to group them; `None` where there is anything else.
fn dialled_digits(text: &str) -> Option<String> {
    let is_grouping = |character: char| matches!(character, '-' | '.' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let dialled: String = text.chars().filter(|character| !is_grouping(*character)).collect();
    let digits = dialled.strip_prefix('+').unwrap_or(&dialled);
    let is_number = (2..=MAX_DIALLED_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(dialled)
}

fn read(dialled: &str, region: Region) -> Option<Number<'_>> {
    if let Some(digits) = dialled.strip_prefix('+') {
        // `+0086` is a common slip for `+86` or `0086`; no calling code begins with 0.
        return international(digits.strip_prefix("00").unwrap_or(digits));
    }
    let plan = region.numbering_plan()?;
    let dialled_abroad = after_international_prefix(plan, dialled)
        .and_then(international)
        .filter(|number| can_exist(number.calling_code, &number.national));
    Some(dialled_abroad.unwrap_or_else(|| Number {
        calling_code: plan.country_code(),
        national: without_trunk_prefix(plan.country_code(), Some(region.0), dialled),
    }))
}

/// Calling codes have up to three digits, and none begins another one (ITU-T E.164, annex A).
fn international(digits: &str) -> Option<Number<'_>> {
    let (calling_code, national) = (1..=digits.len().saturating_sub(1).min(3)).find_map(|length| {
        let calling_code = digits[..length].parse().ok().filter(|code| DATABASE.region(code).is_some())?;
        Some((calling_code, &digits[length..]))
    })?;
    let main_region = DATABASE.region(&calling_code).and_then(|regions| regions.first()?.parse().ok());
    Some(Number {
        calling_code,
        national: without_trunk_prefix(calling_code, main_region, national),
    })
}

fn after_international_prefix<'a>(plan: &Metadata, dialled: &'a str) -> Option<&'a str> {
    let prefix = plan.international_prefix()?.find(dialled).filter(|found| found.start() == 0)?;
    Some(&dialled[prefix.end()..]).filter(|digits| digits.len() > 1)
}

/// Leaves out a trunk or carrier prefix, or a calling code without a plus sign, only where that makes a number that can exist of one that
/// cannot: cutting short internal numbers would make two of them equal.
fn without_trunk_prefix(calling_code: u16, region: Option<Id>, dialled: &str) -> Cow<'_, str> {
    if region.is_none() || can_exist(calling_code, dialled) {
        return Cow::Borrowed(dialled);
    }
    phonenumber::parse(region, dialled)
        .ok()
        .filter(|number| number.code().value() == calling_code)
        .map(|number| number.national().to_string())
        .filter(|national| can_exist(calling_code, national))
        .map_or(Cow::Borrowed(dialled), Cow::Owned)
}

/// Whether a numbering plan of the calling code has room for the number.
fn can_exist(calling_code: u16, national: &str) -> bool {
    let fits = |plan: &&Metadata| {
        let found = plan.descriptors().general().national_number().find(national);
        found.is_some_and(|found| found.start() == 0 && found.end() == national.len())
    };
    DATABASE.by_code(&calling_code).is_some_and(|plans| plans.iter().any(fits))
}

#[cfg(test)]
mod tests {
    use phonenumber::Mode;
    use proptest::prelude::*;

    use super::*;

    fn check(region: &str, written: &[&str], expected: &str) {
        let region: Region = region.parse().unwrap();
        for value in written {
            assert_eq!(normalise(value, region), expected, "{value:?} in {region}");
        }
    }

    #[test]
    fn a_mainland_mobile_has_one_spelling() {
        let written = [
            "19900000001",
            "+8619900000001",
            "008619900000001",
            "8619900000001",
            "019900000001",
            "+86 199 0000 0001",
            "0086-199-0000-0001",
            "+0086 19900000001",
            "(+86) 19900000001",
            "１９９０００００００１",
            "＋８６ １９９０００００００１",
            " 199\u{3000}0000 0001 ",
            "\u{202d}199 0000 0001\u{202c}",
            "tel:+86-199-0000-0001",
        ];
        check("CN", &written, "+8619900000001");
        check("DE", &["+8619900000001", "0086 199 0000 0001"], "+8619900000001");
    }

    #[test]
    fn landlines_and_foreign_numbers_lose_their_trunk_prefix() {
        check(
            "CN",
            &[
                "010-5550 0001",
                "(010) 55500001",
                "+86 10 55500001",
                "+86 (0)10 55500001",
                "00861055500001",
            ],
            "+861055500001",
        );
        check("GB", &["0121 496 0001", "+44 121 496 0001", "+44 (0)121 496 0001"], "+441214960001");
        check("CN", &["+44 121 496 0001", "0044 121 496 0001"], "+441214960001");
        check("US", &["(212) 555-0101", "1-212-555-0101", "+1 212 555 0101"], "+12125550101");
        check("CN", &["+1 212 555 0101", "001 212 555 0101"], "+12125550101");
        check("CN", &["+852 5550 0001", "00852 55500001"], "+85255500001");
        check("CN", &["+86 0044 2055500001"], "+8600442055500001");
        check("IT", &["06 5550 0001", "+39 06 5550 0001"], "+390655500001");
    }

    #[test]
    fn internal_numbers_compare_equal_and_stay_apart() {
        check("CN", &["8001", "80-01", "８００１", " 8001 "], "+868001");
        check("CN", &["8"], "8");
        check("CN", &["8001A", "8001 a"], "8001a");
        let apart = [
            "8001",
            "08001",
            "868001",
            "8001a",
            "8001b",
            "*8001",
            "8001#1",
            "8001/2",
            "80012",
            "17911001234",
            "17922001234",
        ];
        for (place, one) in apart.iter().enumerate() {
            for other in &apart[place + 1..] {
                assert_ne!(normalise(one, Region::CN), normalise(other, Region::CN), "{one} {other}");
            }
        }
    }

    #[test]
    fn an_extension_does_not_vanish() {
        assert_ne!(
            normalise("010-55500001 ext. 801", Region::CN),
            normalise("010-55500001 ext. 802", Region::CN)
        );
        assert_ne!(normalise("010-55500001转801", Region::CN), normalise("010-55500001", Region::CN));
    }

    #[test]
    fn what_is_no_number_is_cleaned_text() {
        check("CN", &["", " ", "\u{feff}"], "");
        check("CN", &["n/a", " N/A", "Ｎ／Ａ"], "n/a");
        let endless = "1".repeat(100_000);
        check("CN", &[&endless], &endless);
        check("CN", &["+999 1234567"], "+9991234567");
    }

    #[test]
    fn only_regions_with_a_numbering_plan_are_known() {
        assert_eq!("CN".parse(), Ok(Region::CN));
        assert_eq!(Region::CN.to_string(), "CN");
        for text in ["", "cn", "CHN", "ZZ", "AQ", "86"] {
            assert_eq!(text.parse::<Region>(), Err(UnknownRegion), "{text}");
        }
    }

    fn by_library(text: &str) -> String {
        phonenumber::parse(Some(country::CN), text)
            .unwrap()
            .format()
            .mode(Mode::E164)
            .to_string()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        // The library takes 179xx for a carrier's prefix and leaves six digits: the one place where it is not followed.
        #[test]
        fn the_short_way_for_mobiles_is_the_library_s(prefix in "(\\+86|0086)?", mobile in "1[3-9][0-9]{9}") {
            prop_assume!(!mobile.starts_with("179"));
            let text = format!("{prefix}{mobile}");
            let short_way = mainland_mobile(&text, Region::CN).map(|mobile| format!("+86{mobile}"));
            prop_assert_eq!(short_way, Some(by_library(&text)));
        }

        #[test]
        fn the_short_way_for_mobiles_is_the_long_way(prefix in "(\\+86|0086)?", mobile in "1[3-9][0-9]{9}") {
            let number = read(&format!("{prefix}{mobile}"), Region::CN).map(|number| format!("+{}{}", number.calling_code, number.national));
            prop_assert_eq!(number, Some(format!("+86{mobile}")));
        }

        #[test]
        fn normalising_a_number_twice_equals_once(
            text in "(tel:)?[(]?(\\+|\\+00|00|011)?(86|1|44|39|54|55|852|7)?[)]?(0|12|179|15|9)?[-0-9. ]{0,14}(x[0-9])?",
            region in "CN|US|GB|IT|AR|BR|MX|RU|HK",
        ) {
            let region = region.parse().unwrap();
            let once = normalise(&text, region).into_owned();
            prop_assert_eq!(normalise(&once, region), once.as_str());
        }
    }
}
