//! The beginnings of an input that stand for all of them.

/// Up to so many bytes every beginning is tried.
const ALL_UP_TO: usize = 256;
/// Of longer inputs so many are, evenly spread, and all that end shortly before the end.
const SPREAD: usize = 64;

/// Beginnings shorter than the whole.
pub(super) fn strict_prefixes(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let step = if bytes.len() <= ALL_UP_TO { 1 } else { bytes.len() / SPREAD };
    let last = bytes.len().saturating_sub(SPREAD / 4);
    (0..bytes.len())
        .filter(move |length| length % step == 0 || *length >= last)
        .map(|length| &bytes[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_inputs_have_all_their_beginnings_and_long_ones_their_last() {
        assert_eq!(strict_prefixes(b"abc").collect::<Vec<_>>(), [&b""[..], b"a", b"ab"]);
        assert_eq!(strict_prefixes(b"").count(), 0);
        let long = vec![0; 100_000];
        assert!(strict_prefixes(&long).count() < 100);
        assert_eq!(strict_prefixes(&long).last().map(<[u8]>::len), Some(99_999));
    }
}
