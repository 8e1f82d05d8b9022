//! What stands in a file, or must, as it is compared.

use scoresync_domain::ResultId;
use serde::{Deserialize, Serialize};

use crate::{
    books::written,
    said::{Hash, Place, Shown},
};

/// What a record is, or must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) head: Hash,
    pub(crate) arrived: Place,
    pub(crate) owner: Option<String>,
    pub(crate) decision: i64,
    pub(crate) shown: Option<Shown>,
}

impl Standing {
    /// What differs, without personal values.
    pub(crate) fn differs_from(&self, is: &Self) -> Option<String> {
        let place = written(self.arrived);
        if (&self.owner, self.decision) != (&is.owner, is.decision) {
            return Some(format!("its record is in another file than it must be by the score at {place}"));
        }
        if self.head != is.head && self.arrived != is.arrived {
            return Some(format!(
                "its record is the score at {}, and must be the one at {place}",
                written(is.arrived)
            ));
        }
        if self.head != is.head {
            return Some(format!("its record tells otherwise where it comes from than the score at {place}"));
        }
        (self.shown != is.shown).then(|| format!("its record shows something else than it must by the score at {place}"))
    }

    /// All of it, to be added to others in any order.
    pub(crate) fn hash(&self, result_id: ResultId) -> u128 {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(result_id.as_uuid().as_bytes())
            .update(&self.head)
            .update(&self.decision.to_le_bytes());
        if let Some(shown) = &self.shown {
            hasher.update(&[shown.status]).update(&shown.content_hash).update(&shown.content);
        }
        hasher.update(self.owner.as_deref().unwrap_or_default().as_bytes());
        let hash = hasher.finalize();
        hash.as_bytes().first_chunk::<16>().map_or(0, |bytes| u128::from_le_bytes(*bytes))
    }
}
