//! Reading cells that hold one of a few agreed words: passed or not, final or provisional or withdrawn.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::{Column, MappingError, Record};

/// A column whose cells say one of a few things. Case and width of the letters do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words<T> {
    column: Column,
    /// Folded; every word once.
    meanings: Box<[(String, T)]>,
}

impl<T: Copy + PartialEq> Words<T> {
    /// All words with what they mean; the error is the first word that means two things.
    pub(crate) fn new<'w>(column: Column, words: impl IntoIterator<Item = (&'w str, T)>) -> Result<Self, String> {
        let mut meanings: Vec<(String, T)> = Vec::new();
        for (word, meaning) in words {
            let folded = fold_word(word);
            match meanings.iter().find(|(known, _)| *known == folded) {
                Some((_, known)) if *known != meaning => return Err(word.to_owned()),
                Some(_) => {}
                None => meanings.push((folded.into_owned(), meaning)),
            }
        }
        Ok(Self {
            column,
            meanings: meanings.into_boxed_slice(),
        })
    }

    pub(crate) fn read(&self, record: &Record<'_>) -> Result<Option<T>, MappingError> {
        let Some(cell) = self.column.read(record)? else { return Ok(None) };
        let meaning = self.meaning(cell.text).or_else(|| self.meaning(&fold_word(cell.text)));
        match meaning {
            Some(meaning) => Ok(Some(meaning)),
            None => Err(cell.invalid("it is none of the words that the mapping lists for this field")),
        }
    }

    pub(crate) fn column(&self) -> &Column {
        &self.column
    }

    fn meaning(&self, text: &str) -> Option<T> {
        self.meanings.iter().find(|(word, _)| word == text).map(|(_, meaning)| *meaning)
    }
}

fn fold_word(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().collect::<String>().to_lowercase().nfkc().collect())
}
