//! Texts that are to have one spelling: phones, employee numbers, e-mails, names.

use scoresync_domain::{
    IdentityKind, Region, meant_employee_no, normalise_employee_no, normalise_identity, normalise_key_part, normalise_name,
};

use super::{Cost, Target};

/// Normalised twice is normalised once, in every region; what names its country means the same in all of them.
pub const PHONE: Target = Target {
    name: "phone",
    check: check_phone,
    costs: &[Cost {
        read: |text| {
            for region in regions() {
                drop(normalise_identity(IdentityKind::Phone, &text_of(text), region));
            }
        },
        multiple: MULTIPLE,
        constant_bytes: 16 * 1_024,
    }],
};
/// Normalised twice is normalised once, and whoever has the number in either spelling is meant by both.
pub const EMPLOYEE_NO: Target = Target {
    name: "employee_no",
    check: check_employee_no,
    costs: &[cost(|text| drop(normalise_employee_no(&text_of(text))))],
};
/// Normalised twice is normalised once, and case does not matter.
pub const EMAIL: Target = Target {
    name: "email",
    check: |text| check_identity(text, IdentityKind::Email) && check_identity(text, IdentityKind::Account),
    costs: &[cost(|text| {
        drop(normalise_identity(IdentityKind::Email, &text_of(text), Region::CN))
    })],
};
/// Names and parts of a result's key: normalised twice is normalised once.
pub const NAME: Target = Target {
    name: "name",
    check: check_name,
    costs: &[cost(|text| drop(normalise_name(&text_of(text))))],
};

/// U+FDFA is 3 bytes and stands for 18 characters of 33; some copies are held at once, in texts that double, and with them the input as text.
const MULTIPLE: usize = 64;

const fn cost(read: fn(&[u8])) -> Cost {
    Cost {
        read,
        multiple: MULTIPLE,
        constant_bytes: 1_024,
    }
}

/// Regions whose plans differ in trunk, carrier and international prefixes.
const REGIONS: [&str; 10] = ["CN", "US", "GB", "IT", "AR", "BR", "MX", "RU", "HK", "AU"];

fn regions() -> impl Iterator<Item = Region> {
    REGIONS.iter().filter_map(|region| region.parse().ok())
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check_phone(bytes: &[u8]) -> bool {
    let text = text_of(bytes);
    let mut is_number = false;
    for region in regions() {
        let once = normalise_identity(IdentityKind::Phone, &text, region);
        let is_international = once.len() > 1 && once.starts_with('+') && once[1..].bytes().all(|byte| byte.is_ascii_digit());
        for other in regions().filter(|other| is_international || *other == region) {
            let twice = normalise_identity(IdentityKind::Phone, &once, other);
            assert_eq!(
                once, twice,
                "{text:?} of {region} is another phone in {other} when it is normalised again"
            );
        }
        assert!(!once.contains(char::is_whitespace), "{once:?} has white space");
        is_number |= is_international;
    }
    is_number
}

fn check_employee_no(bytes: &[u8]) -> bool {
    let text = text_of(bytes);
    let once = normalise_employee_no(&text);
    assert_eq!(normalise_employee_no(&once), once, "{text:?}");
    assert_eq!(
        meant_employee_no(&text, |number| number == text),
        text,
        "a number as it is written is another one"
    );
    assert_eq!(
        meant_employee_no(&text, |number| number == once),
        once,
        "a number in its normal form is another one"
    );
    check_identity(bytes, IdentityKind::EmployeeNo)
}

fn check_identity(bytes: &[u8], kind: IdentityKind) -> bool {
    let text = text_of(bytes);
    let once = normalise_identity(kind, &text, Region::CN);
    assert_eq!(normalise_identity(kind, &once, Region::CN), once, "{kind} {text:?}");
    assert_eq!(once.trim(), once, "{kind} {text:?} is not trimmed");
    if text.is_ascii() && kind != IdentityKind::Account {
        let other_case: String = text.chars().map(turned).collect();
        assert_eq!(
            normalise_identity(kind, &other_case, Region::CN),
            once,
            "{kind}: the case matters in {text:?}"
        );
    }
    !once.is_empty()
}

fn turned(character: char) -> char {
    if character.is_ascii_lowercase() {
        character.to_ascii_uppercase()
    } else {
        character.to_ascii_lowercase()
    }
}

fn check_name(bytes: &[u8]) -> bool {
    let text = text_of(bytes);
    let (name, part) = (normalise_name(&text), normalise_key_part(&text));
    assert_eq!(normalise_name(&name), name, "{text:?}");
    assert_eq!(normalise_key_part(&part), part, "{text:?}");
    assert_eq!(
        normalise_name(&part),
        name,
        "{text:?}: a name that was normalised as a key's part is another one"
    );
    !name.is_empty()
}
