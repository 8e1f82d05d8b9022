//! What is known about results, by the hash of the result.

use std::{collections::BTreeMap, io, path::Path};

use scoresync_domain::ResultId;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::parts::{Part, Parts};

/// What is known about results, in files of which one at a time is enough.
pub struct Spill<T>(Parts<[u8; 16], T>);

/// All that is known of the results of one file, of each in the order in which it was put.
pub type Results<T> = BTreeMap<ResultId, Vec<T>>;

impl<T: Serialize + DeserializeOwned> Spill<T> {
    /// For about so many items.
    ///
    /// # Errors
    /// Where the folder takes no files.
    pub fn new(folder: &Path, items: i64) -> io::Result<Self> {
        Parts::new(folder, items).map(Self)
    }

    /// Writes down something about a result.
    ///
    /// # Errors
    /// Where there is no room.
    pub fn put(&mut self, result_id: ResultId, item: &T) -> io::Result<()> {
        // The id is a hash itself.
        let number = result_id.as_uuid().as_u128() % self.0.count() as u128;
        self.0.put(number as usize, result_id.as_uuid().as_bytes(), item)
    }

    /// One file after the other.
    pub fn read(self) -> impl ExactSizeIterator<Item = io::Result<Results<T>>> {
        let by_result = |part: Part<[u8; 16], T>| {
            part.into_iter()
                .map(|(result_id, items)| (ResultId::from_uuid(Uuid::from_bytes(result_id)), items))
                .collect()
        };
        self.0.read().map(move |part| part.map(by_result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_by_result() {
        let mut spill = Spill::new(&std::env::temp_dir(), 200_000).unwrap();
        let result = |number: i32| ResultId::from_key("academy", [number.to_string().as_str()]);
        for number in 0..100 {
            spill.put(result(number % 10), &format!("item {number}")).unwrap();
        }
        let files: Vec<Results<String>> = spill.read().map(Result::unwrap).collect();
        assert_eq!(files.len(), 4);
        let all: Results<String> = files.into_iter().flatten().collect();
        assert_eq!((all.len(), all[&result(3)].len()), (10, 10));
        assert_eq!(all[&result(3)][1], "item 13");
    }
}
