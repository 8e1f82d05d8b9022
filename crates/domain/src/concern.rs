//! What a report that became a dead letter is about: letters that are about the same are one problem, however many they are.

use crate::{
    Field, IdentityKey, IdentityKind, MappedScore, Reason, ResultId, ScoreReport, Source, Sources, normalise_identity, normalise_key_part,
};

/// What is known of a report that could not be filed, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// The result that it speaks of.
    pub result_id: Option<ResultId>,
    /// Version of the field mapping that read it.
    pub mapping_version: Option<i32>,
    /// What it is about.
    pub about: About,
}

/// What a letter is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The person with these identities, sorted; never empty.
    Person(Vec<IdentityKey>),
    /// A field of ours that could not be read.
    Field(Field),
    /// The record as a whole.
    Record,
}

impl Concern {
    /// Reads a report by the mapping of its source.
    #[must_use]
    pub fn of(report: &ScoreReport<'_>, sources: &Sources) -> Self {
        let Some(source) = sources.get(&report.source) else {
            return Self::unreadable();
        };
        let (result_id, about) = match source.map(report) {
            Ok(mapped) => (Some(mapped.result_id), identities(source, &mapped)),
            Err(error) => (
                source.result_key(&report.fields).ok(),
                error.field.map_or(About::Record, About::Field),
            ),
        };
        Self {
            result_id,
            mapping_version: Some(source.mapping_version),
            about,
        }
    }

    /// Of what cannot even be read as a report, or whose source nobody knows.
    #[must_use]
    pub const fn unreadable() -> Self {
        Self {
            result_id: None,
            mapping_version: None,
            about: About::Record,
        }
    }

    /// The same for all letters that are one problem: the same person of a source, or the same reason and field.
    #[must_use]
    pub fn group_id(&self, source: &str, reason: &str) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        add(&mut hasher, source);
        match &self.about {
            About::Person(identities) if is_about_people(reason) => {
                add(&mut hasher, "person");
                for (kind, system, value) in identities {
                    [kind.as_str(), system.as_deref().unwrap_or_default(), value]
                        .into_iter()
                        .for_each(|part| add(&mut hasher, part));
                }
            }
            About::Field(field) => [reason, "field", field.as_str()]
                .into_iter()
                .for_each(|part| add(&mut hasher, part)),
            About::Person(_) | About::Record => [reason, "record"].into_iter().for_each(|part| add(&mut hasher, part)),
        }
        short(&hasher)
    }

    /// The identities by whose owner appearing the letter can be filed.
    #[must_use]
    pub fn sought(&self) -> &[IdentityKey] {
        match &self.about {
            About::Person(identities) => identities,
            About::Field(_) | About::Record => &[],
        }
    }
}

/// Then the letters of one person are one problem, whichever of these reasons they have.
fn is_about_people(reason: &str) -> bool {
    reason.parse().is_ok_and(Reason::depends_on_directory)
}

fn identities(source: &Source, mapped: &MappedScore<'_>) -> About {
    let sought = IdentityKind::ALL.iter().filter_map(|kind| {
        let value = normalise_identity(*kind, mapped.identities.get(*kind)?, source.region);
        let system = (*kind == IdentityKind::Account).then(|| normalise_key_part(&source.system).into_owned());
        (!value.is_empty()).then(|| (*kind, system, value.into_owned()))
    });
    let mut sought: Vec<IdentityKey> = sought.collect();
    sought.sort();
    if sought.is_empty() { About::Record } else { About::Person(sought) }
}

/// Stands for an identity where its value need not be known: 16 bytes, however long the value is. Accounts of the same name are the same in
/// all systems here, as an employee's account can be one without a system.
#[must_use]
pub fn identity_hash((kind, _, value): &IdentityKey) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    [kind.as_str(), value].into_iter().for_each(|part| add(&mut hasher, part));
    short(&hasher)
}

/// With its length, so that no two lists of texts are summed up alike.
fn add(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn short(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Fields, Timestamp,
        source::testing::{ACADEMY, compile},
    };

    fn concern(changes: &[(&str, Option<&str>)]) -> Concern {
        let mut fields: Vec<(&str, Option<&str>)> = vec![
            ("employee_no", Some(" e1001 ")),
            ("phone", Some("138 0000 0001")),
            ("course_id", Some("C-7")),
            ("exam_id", Some("X-1")),
            ("attempt", Some("1")),
            ("exam_score", Some("85")),
            ("finish_timestamp", Some("2026-11-01 09:00:00")),
        ];
        for (name, value) in changes {
            fields
                .iter_mut()
                .filter(|field| field.0 == *name)
                .for_each(|field| field.1 = *value);
        }
        let mut report = ScoreReport {
            source: "academy".into(),
            received_at: Timestamp::from_millis(1_794_000_000_000),
            content_type: "application/json".into(),
            fields: Fields::default(),
            unparsed: None,
        };
        fields.into_iter().for_each(|(name, value)| report.fields.push(name, value));
        Concern::of(&report, &compile(ACADEMY).unwrap())
    }

    fn group(changes: &[(&str, Option<&str>)], reason: Reason) -> [u8; 16] {
        concern(changes).group_id("academy", reason.as_str())
    }

    #[test]
    fn all_letters_of_one_person_are_one_problem_however_the_identities_are_written() {
        let person = group(&[], Reason::UnmatchedEmployee);
        let same = [
            ("employee_no", Some("Ｅ１００１")),
            ("phone", Some("+86 13800000001")),
            ("exam_score", Some("12")),
        ];
        assert_eq!(person, group(&same, Reason::UnmatchedEmployee));
        assert_eq!(person, group(&[("exam_id", Some("X-2"))], Reason::ConflictingIdentity));
        assert_ne!(person, group(&[("employee_no", Some("E1002"))], Reason::UnmatchedEmployee));
        assert_ne!(person, concern(&[]).group_id("other", Reason::UnmatchedEmployee.as_str()));
        assert_eq!(concern(&[]).sought().len(), 2);
    }

    #[test]
    fn letters_of_one_field_are_one_problem_whoever_they_are_about() {
        let invalid = |employee_no| {
            group(
                &[("exam_score", Some("many")), ("employee_no", Some(employee_no))],
                Reason::InvalidField,
            )
        };
        assert_eq!(invalid("E1001"), invalid("E1002"));
        assert_ne!(invalid("E1001"), group(&[("finish_timestamp", Some("soon"))], Reason::InvalidField));
        assert_ne!(invalid("E1001"), group(&[("exam_score", Some("many"))], Reason::AmbiguousField));
        assert!(concern(&[("exam_score", Some("many"))]).sought().is_empty());
    }

    #[test]
    fn the_result_is_known_where_its_key_can_be_read() {
        let whole = concern(&[]).result_id;
        assert!(whole.is_some());
        assert_eq!(concern(&[("exam_score", Some("many"))]).result_id, whole);
        assert_eq!(concern(&[("exam_id", None)]).result_id, None);
    }

    #[test]
    fn an_account_stands_for_itself_in_every_system() {
        let account = |system: Option<&str>| (IdentityKind::Account, system.map(str::to_owned), "li.lei".to_owned());
        assert_eq!(identity_hash(&account(None)), identity_hash(&account(Some("lms"))));
        let phone = (IdentityKind::Phone, None, "li.lei".to_owned());
        assert_ne!(identity_hash(&account(None)), identity_hash(&phone));
    }
}
