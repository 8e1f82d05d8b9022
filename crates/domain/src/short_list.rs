//! A list that takes no allocation while it is short.

/// Up to `ROOM` elements lie in the list itself, more of them in a vector.
pub(crate) struct ShortList<T, const ROOM: usize> {
    few: [T; ROOM],
    /// How many of `few` are elements, while there are not too many.
    length: usize,
    /// All elements, as soon as there are too many; empty until then.
    many: Vec<T>,
}

impl<T: Copy + Default, const ROOM: usize> ShortList<T, ROOM> {
    pub(crate) fn new() -> Self {
        Self {
            few: [T::default(); ROOM],
            length: 0,
            many: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, element: T) {
        self.extend(&[element]);
    }

    #[inline]
    pub(crate) fn extend(&mut self, elements: &[T]) {
        match self.few[self.length..].get_mut(..elements.len()) {
            Some(room) if self.many.is_empty() => {
                room.copy_from_slice(elements);
                self.length += elements.len();
            }
            Some(_) | None => self.extend_many(elements),
        }
    }

    #[cold]
    fn extend_many(&mut self, elements: &[T]) {
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few[..self.length]);
        }
        self.many.extend_from_slice(elements);
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        if self.many.is_empty() { &self.few[..self.length] } else { &self.many }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_vector_holds(parts in proptest::collection::vec("[a-c]{0,6}", 0..12)) {
            let mut list: ShortList<u8, 16> = ShortList::new();
            for part in &parts {
                list.extend(part.as_bytes());
                list.push(b'.');
            }
            let expected: Vec<u8> = parts.iter().flat_map(|part| format!("{part}.").into_bytes()).collect();
            prop_assert_eq!(list.as_slice(), expected);
        }
    }
}
