//! The normalised spelling of an identity in two parts, so that the usual mobile number needs no new text.

use std::borrow::Cow;

use super::{
    normalise_identity,
    phone::{self, MAINLAND},
};
use crate::{IdentityKind, Region};

/// What [`normalise_identity`] makes of an identity; two are equal where those texts and the kinds are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelling<'a> {
    pub(crate) kind: IdentityKind,
    /// Whether `+86` stands before `rest`; so in every phone number that begins with it, and never in another identity.
    pub(crate) is_mainland: bool,
    pub(crate) rest: Cow<'a, str>,
}

impl<'a> Spelling<'a> {
    #[inline]
    pub(crate) fn of(kind: IdentityKind, value: &'a str, region: Region) -> Self {
        match kind {
            IdentityKind::Phone => Self::of_phone(value, region),
            IdentityKind::EmployeeNo | IdentityKind::Email | IdentityKind::Account => Self {
                kind,
                is_mainland: false,
                rest: normalise_identity(kind, value, region),
            },
        }
    }

    #[inline]
    fn of_phone(value: &'a str, region: Region) -> Self {
        let mobile = phone::mainland_mobile(value.trim(), region).map(Cow::Borrowed);
        let (is_mainland, rest) = match mobile {
            Some(mobile) => (true, mobile),
            None => match phone::normalise(value, region) {
                Cow::Borrowed(text) => text
                    .strip_prefix(MAINLAND)
                    .map_or((false, Cow::Borrowed(text)), |rest| (true, Cow::Borrowed(rest))),
                Cow::Owned(mut text) => {
                    let is_mainland = text.starts_with(MAINLAND);
                    if is_mainland {
                        text.drain(..MAINLAND.len());
                    }
                    (is_mainland, Cow::Owned(text))
                }
            },
        };
        Self {
            kind: IdentityKind::Phone,
            is_mainland,
            rest,
        }
    }

    /// Blank identities point to nobody.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty() && !self.is_mainland
    }

    /// The normalised text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        if self.is_mainland {
            Cow::Owned([MAINLAND, &self.rest].concat())
        } else {
            Cow::Borrowed(&self.rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(kind: IdentityKind, value: &str, region: &str) {
        let region = region.parse().unwrap();
        let normal = normalise_identity(kind, value, region);
        let spelling = Spelling::of(kind, value, region);
        assert_eq!(spelling.text(), normal, "{kind} {value:?}");
        assert_eq!(spelling.is_empty(), normal.is_empty(), "{kind} {value:?}");
        assert_eq!(Spelling::of(kind, &normal, region), spelling, "{kind} {value:?}");
    }

    #[test]
    fn a_mainland_mobile_is_not_copied() {
        for value in ["19900000001", " 19900000001 ", "008619900000001", "+8619900000001"] {
            let spelling = Spelling::of(IdentityKind::Phone, value, Region::CN);
            assert!(matches!(spelling.rest, Cow::Borrowed("19900000001")), "{value}");
        }
    }

    #[test]
    fn what_begins_like_a_mainland_number_has_one_spelling() {
        for value in ["+86", "+8", "86", "+86 8001", "8001", "", " ", "+86x"] {
            IdentityKind::ALL.iter().for_each(|kind| check(*kind, value, "CN"));
            check(IdentityKind::Phone, value, "DE");
        }
    }

    proptest! {
        #[test]
        fn both_parts_together_are_the_normalised_text(
            value in "(\\+86|0086|\\+|00)?[ -]?(1[3-9][0-9]{9}|[0-9]{0,12}|[a-zA-ZＥ１@]{0,4})( |x)?",
            region in "CN|US|DE|HK",
        ) {
            IdentityKind::ALL.iter().for_each(|kind| check(*kind, &value, &region));
        }
    }
}
