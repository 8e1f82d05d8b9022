//! The hash of a text under a key that nobody outside can know, so that nobody can make up texts that collide.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::LazyLock,
};

use foldhash::{SharedSeed, quality::SeedableRandomState};

/// The random numbers of the standard library's hash maps, which the operating system gave.
static SEED: LazyLock<SharedSeed> = LazyLock::new(|| SharedSeed::from_u64(RandomState::new().build_hasher().finish()));

/// A key of its own for each directory.
#[derive(Clone)]
pub(super) struct Hashing(SeedableRandomState);

impl Hashing {
    pub(super) fn new() -> Self {
        let key = RandomState::new().build_hasher().finish();
        Self(SeedableRandomState::with_seed(key, &SEED))
    }

    /// The hash of an identity; `kind` is a small number.
    #[inline]
    pub(super) fn of_identity(&self, kind: u8, value: &[u8], system: &str) -> u32 {
        let mut hasher = self.0.build_hasher();
        hasher.write(value);
        if !system.is_empty() {
            hasher.write(system.as_bytes());
        }
        hasher.write_u8(kind);
        hasher.finish() as u32
    }

    /// The hash of a text.
    pub(super) fn of_text(&self, text: &str) -> u32 {
        let mut hasher = self.0.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish() as u32
    }
}
