//! Texts that many employees share (departments, positions, systems), each kept once and as long as somebody uses it.

use super::{hashing::Hashing, index::Index};

/// The texts, by the ids that rows name.
pub(super) struct Texts {
    texts: Vec<Text>,
    /// Ids that are free again.
    vacant: Vec<u32>,
    index: Index,
    hashing: Hashing,
}

struct Text {
    text: Box<str>,
    uses: usize,
}

impl Texts {
    pub(super) fn new(hashing: Hashing) -> Self {
        Self {
            texts: Vec::new(),
            vacant: Vec::new(),
            index: Index::default(),
            hashing,
        }
    }

    /// The text of an id that is in use.
    pub(super) fn get(&self, id: u32) -> &str {
        &self.texts[id as usize].text
    }

    /// Begins a use of a text.
    pub(super) fn acquire(&mut self, text: &str) -> u32 {
        let hash = self.hashing.of_text(text);
        let known = self.index.get(hash).find(|id| self.get(*id) == text);
        let id = known.unwrap_or_else(|| self.add(text, hash));
        self.texts[id as usize].uses += 1;
        id
    }

    /// Ends a use of a text.
    pub(super) fn release(&mut self, id: u32) {
        let held = &mut self.texts[id as usize];
        held.uses -= 1;
        if held.uses > 0 {
            return;
        }
        let text = std::mem::take(&mut held.text);
        self.index.remove(self.hashing.of_text(&text), id);
        self.vacant.push(id);
        if self.vacant.len() == self.texts.len() {
            (self.texts, self.vacant) = (Vec::new(), Vec::new());
        }
    }

    fn add(&mut self, text: &str, hash: u32) -> u32 {
        let held = Text {
            text: text.into(),
            uses: 0,
        };
        let id = match self.vacant.pop() {
            Some(id) => {
                self.texts[id as usize] = held;
                id
            }
            None => {
                self.texts.push(held);
                // Each of them takes more than 24 bytes: memory ends long before the ids do.
                (self.texts.len() - 1) as u32
            }
        };
        self.index.insert(hash, id);
        id
    }

    #[cfg(test)]
    pub(super) fn uses(&self) -> std::collections::BTreeMap<&str, usize> {
        let used = self.texts.iter().filter(|text| text.uses > 0);
        used.map(|text| (&*text.text, text.uses)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_as_long_as_it_is_used() {
        let mut texts = Texts::new(Hashing::new());
        let (sales, again, plant) = (texts.acquire("销售部"), texts.acquire("销售部"), texts.acquire("生产部"));
        assert_eq!(sales, again);
        assert_ne!(sales, plant);
        texts.release(sales);
        assert_eq!((texts.get(sales), texts.get(plant)), ("销售部", "生产部"));
        texts.release(again);
        assert_eq!(texts.acquire("财务部"), sales);
        assert_eq!(texts.uses().into_iter().collect::<Vec<_>>(), [("生产部", 1), ("财务部", 1)]);
        texts.release(sales);
        texts.release(plant);
        assert!(texts.texts.is_empty() && texts.vacant.is_empty());
        assert_eq!(texts.acquire(""), 0);
    }
}
