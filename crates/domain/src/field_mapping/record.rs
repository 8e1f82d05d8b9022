//! One report's fields, in which the names of the source are looked for again and again.

use crate::Fields;

/// In records with more fields, names are compared with each of them.
const FEW_FIELDS: usize = 64;

/// The fields of one report, with what is asked of them again and again found out once.
pub(crate) struct Record<'a> {
    fields: &'a Fields<'a>,
    /// Of each field's name, in the order of the fields, where they are few.
    digests: [u64; FEW_FIELDS],
    has_repeats: bool,
}

/// A name that the source gives to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    text: String,
    digest: u64,
}

impl<'a> Record<'a> {
    pub(crate) fn new(fields: &'a Fields<'a>) -> Self {
        let mut digests = [0; FEW_FIELDS];
        for (place, (name, _)) in digests.iter_mut().zip(fields.iter()) {
            *place = digest(name);
        }
        let has_repeats = fields.iter().any(|(name, _)| matches!(name.as_bytes(), [.., b'#', b'2']));
        Self {
            fields,
            digests,
            has_repeats,
        }
    }

    /// The value of a field, empty where it is a null. `None` where there is no such field.
    pub(super) fn get(&self, name: &Name) -> Option<&'a str> {
        let Some(digests) = self.digests.get(..self.fields.len()) else {
            return self.fields.get(&name.text).map(Option::unwrap_or_default);
        };
        let alike = digests.iter().enumerate().filter(|(_, digest)| **digest == name.digest);
        let mut fields = alike.filter_map(|(position, _)| self.fields.field(position));
        let (_, value) = fields.find(|(known, _)| *known == name.text)?;
        Some(value.unwrap_or_default())
    }

    pub(super) fn is_repeated(&self, name: &Name) -> bool {
        self.has_repeats && self.fields.is_repeated(&name.text)
    }
}

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Self {
            text: text.clone(),
            digest: digest(text),
        }
    }
}

/// A number that tells nearly all names apart, made of a name's length, first bytes and last bytes. Equal numbers prove nothing.
fn digest(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (head, tail) = match (bytes.first_chunk(), bytes.last_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(head), Some(tail), _, _) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        (_, _, Some(head), Some(tail)) => (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail))),
        _ => bytes.iter().fold((0, 0), |(head, tail), byte| (head << 8 | u64::from(*byte), tail)),
    };
    head ^ tail.rotate_left(31) ^ (bytes.len() as u64) << 48
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_names_have_numbers_of_their_own() {
        let names = "工号 姓名 手机号 邮箱 账号 课程编号 课程名称 考试编号 考试名称 成绩编号 次数 分数 最低分 满分 等级 及格 是否合格 完成时间 状态 \
                     版本 流水号 a id employee_no employee_name course_id course_title exam_id exam_title finish_timestamp";
        let mut digests: Vec<u64> = names.split_whitespace().map(digest).collect();
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }

    proptest! {
        // Of names as short and as much alike as these, some have one number; of the long ones, those that differ in the middle.
        #[test]
        fn a_name_is_found_as_the_fields_themselves_find_it(
            names in proptest::collection::vec("[ab分]{0,3}(abcdefgh.{0,2}abcdefgh)?(#2)?", 0..80),
            sought in "[ab分]{0,3}(abcdefgh.{0,2}abcdefgh)?",
        ) {
            let mut fields = Fields::default();
            for (number, name) in names.iter().enumerate() {
                fields.push(name.as_str(), (number % 3 > 0).then(|| number.to_string()));
            }
            let record = Record::new(&fields);
            for text in names.iter().chain([&sought]) {
                let name = Name::from(text);
                prop_assert_eq!(record.get(&name), fields.get(text).map(Option::unwrap_or_default));
                prop_assert_eq!(record.is_repeated(&name), fields.is_repeated(text));
            }
        }
    }
}
