//! The text form of what an alias decides about; it is the key of the record in `employees.aliases`.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::{AliasSubject, ResultId};

impl fmt::Display for AliasSubject {
    /// `identity/<source or *>/<kind>/<value>` or `result/<uuid>`. In a source's name `%` and `/`, and a lone `*`, are percent-encoded.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(result_id) => write!(formatter, "result/{result_id}"),
            Self::Identity { source, kind, value } => {
                let source = source.as_deref().map_or_else(|| ANY_SOURCE.to_owned(), encode_source);
                write!(formatter, "identity/{source}/{kind}/{value}")
            }
        }
    }
}

const ANY_SOURCE: &str = "*";

fn encode_source(name: &str) -> String {
    if name == ANY_SOURCE {
        return "%2A".to_owned();
    }
    name.replace('%', "%25").replace('/', "%2F")
}

fn decode_source(text: &str) -> String {
    text.replace("%2F", "/").replace("%2A", "*").replace("%25", "%")
}

/// The text is no key of `employees.aliases`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an alias is about identity/<source or *>/<kind>/<value> or result/<uuid in lower case with hyphens>")]
pub struct ParseAliasSubjectError;

impl FromStr for AliasSubject {
    type Err = ParseAliasSubjectError;

    /// Reads exactly what is shown, so that no subject has two keys.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = match text.split_once('/') {
            Some(("result", uuid)) => read_result(uuid),
            Some(("identity", rest)) => read_identity(rest),
            _ => None,
        };
        read.filter(|subject| subject.to_string() == text).ok_or(ParseAliasSubjectError)
    }
}

fn read_result(uuid: &str) -> Option<AliasSubject> {
    Uuid::try_parse(uuid).ok().map(ResultId::from_uuid).map(AliasSubject::Result)
}

fn read_identity(text: &str) -> Option<AliasSubject> {
    let (source, rest) = text.split_once('/')?;
    let (kind, value) = rest.split_once('/')?;
    Some(AliasSubject::Identity {
        source: (source != ANY_SOURCE).then(|| decode_source(source)),
        kind: kind.parse().ok()?,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::IdentityKind;

    fn identity(source: Option<&str>, kind: IdentityKind, value: &str) -> AliasSubject {
        AliasSubject::Identity {
            source: source.map(str::to_owned),
            kind,
            value: value.to_owned(),
        }
    }

    fn check(subject: &AliasSubject, text: &str) {
        assert_eq!(subject.to_string(), text);
        assert_eq!(text.parse().as_ref(), Ok(subject));
    }

    #[test]
    fn a_subject_is_written_as_its_key() {
        check(
            &identity(None, IdentityKind::Phone, "+8619900000001"),
            "identity/*/phone/+8619900000001",
        );
        check(
            &identity(Some("academy"), IdentityKind::Account, "a/b c"),
            "identity/academy/account/a/b c",
        );
        check(&identity(Some("*"), IdentityKind::Email, ""), "identity/%2A/email/");
        check(&identity(Some("a/b%2F"), IdentityKind::Email, "x"), "identity/a%2Fb%252F/email/x");
        check(
            &AliasSubject::Result(ResultId::from_uuid(Uuid::from_u128(0xa))),
            "result/00000000-0000-0000-0000-00000000000a",
        );
    }

    #[test]
    fn text_that_is_no_key_is_refused() {
        for text in [
            "",
            "identity",
            "identity/*/phone",
            "identity/*/fax/1",
            "identity/%2f/phone/1",
            "result/",
            "result/0000000000000000000000000000000a",
            "result/00000000-0000-0000-0000-00000000000A",
            "Result/00000000-0000-0000-0000-00000000000a",
        ] {
            assert_eq!(text.parse::<AliasSubject>(), Err(ParseAliasSubjectError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_subject_reads_back(
            source in proptest::option::of("[a*/%25AF]{0,6}|\\PC{0,6}"),
            kind in proptest::sample::select(IdentityKind::ALL),
            value in "[a/*%]{0,6}|\\PC{0,6}",
        ) {
            let subject = identity(source.as_deref(), kind, &value);
            prop_assert_eq!(subject.to_string().parse(), Ok(subject));
        }
    }
}
