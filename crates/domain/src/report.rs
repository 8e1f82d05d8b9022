//! A score report: what a source said, before anybody interpreted it.

use std::borrow::Cow;

use crate::Timestamp;

/// One message from a source about one result (a value of `scores.raw`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreReport<'a> {
    /// Name of the configured source.
    pub source: Cow<'a, str>,
    /// When the producer received it.
    pub received_at: Timestamp,
    /// Media type that it arrived in.
    pub content_type: Cow<'a, str>,
    /// What the source called its fields, and their values.
    pub fields: Fields<'a>,
    /// The bytes of a row that could not be read; `fields` is empty then.
    pub unparsed: Option<Cow<'a, [u8]>>,
}

/// Names and values in the source's order. Every name occurs once: see [`Fields::push`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>);

/// The media type of a report that withdraws the result which its fields identify, whatever else they say. Only scoresync makes them: no door
/// takes one.
pub const WITHDRAWAL: &str = "application/vnd.scoresync.withdrawal";

impl ScoreReport<'_> {
    /// Whether it withdraws its result by its media type, not by a field.
    #[must_use]
    pub fn is_withdrawal(&self) -> bool {
        self.content_type == WITHDRAWAL
    }
}

impl<'a> Fields<'a> {
    /// Appends a field. A name that is there already gets `#2`, `#3` … appended, so that nothing vanishes.
    ///
    /// This says how names are made unique; each call looks at all names that are there. What others send is named the same way in linear
    /// time where it is read, and taken over with [`Fields::from_unique`].
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: Option<impl Into<Cow<'a, str>>>) {
        let name = name.into();
        let free = if self.get(&name).is_none() { name } else { self.free_name(&name) };
        self.0.push((free, value.map(Into::into)));
    }

    fn free_name(&self, name: &str) -> Cow<'a, str> {
        (2_usize..)
            .map(|number| format!("{name}#{number}"))
            .find(|candidate| self.get(candidate).is_none())
            .map_or_else(|| Cow::Owned(name.to_owned()), Cow::Owned)
    }

    /// The value of a field; the inner `None` is a null. `None` where there is no such field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_deref())
    }

    /// A field by its place in the source's order.
    pub(crate) fn field(&self, position: usize) -> Option<(&str, Option<&str>)> {
        self.0.get(position).map(|(name, value)| (name.as_ref(), value.as_deref()))
    }

    /// Whether the source's record had this name more than once.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.strip_prefix(name) == Some("#2"))
    }

    /// All fields in the source's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_deref()))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Empties it, keeping its room for the next record.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The same fields, borrowed from nobody.
    #[must_use]
    pub fn into_owned(self) -> Fields<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Fields(self.0.into_iter().map(|(name, value)| (owned(name), value.map(owned))).collect())
    }

    /// Takes over fields as they are on the wire, names already unique.
    #[must_use]
    pub fn from_unique(fields: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>) -> Self {
        Self(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_occurs_again_is_kept_beside_the_first() {
        let mut fields = Fields::default();
        for value in ["1", "2", "3"] {
            fields.push("分数", Some(value));
        }
        let names: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .collect();
        let expected = [("分数", "1"), ("分数#2", "2"), ("分数#3", "3")].map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        assert_eq!(names, expected);
        assert!(fields.is_repeated("分数"));
        assert!(!fields.is_repeated("分"));
    }

    #[test]
    fn a_null_is_not_an_absent_field() {
        let mut fields = Fields::default();
        fields.push("score", None::<&str>);
        assert_eq!(fields.get("score"), Some(None));
        assert_eq!(fields.get("grade"), None);
    }
}
