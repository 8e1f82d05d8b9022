//! The identity of a result: the same for every report about it, computed by anyone from the system's own key.

use std::fmt;

use uuid::Uuid;

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
        let mut name = String::with_capacity(96);
        for part in std::iter::once(system).chain(key_parts) {
            name.push_str(&part.len().to_string());
            name.push(':');
            name.push_str(part);
        }
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
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

impl fmt::Display for ResultId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_changes_between_releases() {
        let id = ResultId::from_key("academy", ["E1001", "C-7", "X-1", "1"]);
        assert_eq!(
            id.to_string(),
            Uuid::new_v5(&NAMESPACE, b"7:academy5:E10013:C-73:X-11:1").to_string()
        );
        assert_eq!(id.as_uuid().get_version_num(), 5);
    }

    #[test]
    fn parts_that_run_together_are_different_results() {
        assert_ne!(ResultId::from_key("s", ["a", "bc"]), ResultId::from_key("s", ["ab", "c"]));
        assert_ne!(ResultId::from_key("s", ["a", ""]), ResultId::from_key("s", ["a"]));
    }
}
