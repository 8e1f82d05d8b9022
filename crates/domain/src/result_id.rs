//! The identity of a result: the same for every report about it, computed by anyone from the system's own key.

use std::fmt;

use sha1::{Digest as _, Sha1};
use uuid::{Builder, Uuid};

/// RFC 9562 section 5.5 name space of result ids; part of the public contract, never changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x5c0e_5c0e_72e5_5e1d_9a11_7e57_ab1e_0001);

/// Identifies one learner's attempt at one exam of one course, as its system sees it.
///
/// A UUID of version 5 over the system and the normalised parts of the system's own key. Each part is written as its length in bytes, a
/// colon, and its UTF-8 bytes, so that no two keys share a name: `["a", "bc"]` is `1:a2:bc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultId(Uuid);

impl ResultId {
    /// The id of the result that `system` names by `key_parts`, in their configured order.
    #[must_use]
    pub fn from_key<'a>(system: &'a str, key_parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut name = Vec::with_capacity(112);
        name.extend_from_slice(NAMESPACE.as_bytes());
        for part in std::iter::once(system).chain(key_parts) {
            push_decimal(&mut name, part.len());
            name.push(b':');
            name.extend_from_slice(part.as_bytes());
        }
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&Sha1::digest(&name)[..16]);
        Self(Builder::from_sha1_bytes(uuid).into_uuid())
    }

    /// An id that is already known, from a record or a row.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Writes the text form over what `text` held.
    pub fn write_to(&self, text: &mut String) {
        text.clear();
        text.push_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }

    /// The id as a UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

fn push_decimal(text: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(b'0' + (number % 10) as u8);
}

impl fmt::Display for ResultId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(system: &str, key_parts: &[&str], expected: &str) {
        let id = ResultId::from_key(system, key_parts.iter().copied());
        assert_eq!(id.to_string(), expected, "{system} {key_parts:?}");
        let parts = std::iter::once(&system).chain(key_parts);
        let name: String = parts.map(|part| format!("{}:{part}", part.len())).collect();
        assert_eq!(*id.as_uuid(), Uuid::new_v5(&NAMESPACE, name.as_bytes()), "{name}");
        assert_eq!(id.as_uuid().get_version_num(), 5);
    }

    #[test]
    fn an_id_never_changes_between_releases() {
        check("academy", &["E1001", "C-7", "X-1", "1"], "84467e62-ee9e-5037-b33f-01637611c3cf");
        check("bench", &["CJ00012345"], "99694722-3d80-53ba-8e39-c6de5503d3aa");
        check(
            "学院",
            &["员工甲", "消防安全", "考试一", "2"],
            "96037d91-0aa1-50f1-b7d7-76813e1b2a8a",
        );
        check("学院", &[&"消防安全".repeat(40)], "ceafa6cb-9806-5573-a383-1b4e0f83ca46");
    }

    #[test]
    fn parts_that_run_together_are_different_results() {
        assert_ne!(ResultId::from_key("s", ["a", "bc"]), ResultId::from_key("s", ["ab", "c"]));
        assert_ne!(ResultId::from_key("s", ["a", ""]), ResultId::from_key("s", ["a"]));
    }
}
