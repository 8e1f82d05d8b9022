//! What reading costs in memory is bounded by a multiple of what was received, whatever the bytes claim.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unsafe_code, reason = "a global allocator that counts is an unsafe trait by nature")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use proptest::{collection::vec, prelude::*};
use scoresync_domain::{Employee, EnrichedScore, IdentityAlias, ScoreReport};
use scoresync_kafka::{Record, parse_schema, read_datum, read_own};

/// Bytes that may be allocated at one moment for each byte received. The dearest input is a map of names that are all empty: 2 bytes each on
/// the wire, here a pair of pointers with lengths, an invented name, and their places in two hash tables, all in containers that double.
const GREATEST_MULTIPLE: usize = 100;
/// Allowed beside it, for the decoder's own state.
const CONSTANT_BYTES: usize = 1_024;

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn grow(bytes: usize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call goes to the system's allocator unchanged; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().saturating_sub(layout.size()));
        // SAFETY: the caller's promise about `pointer` and `layout` is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that were held at once during `work` beyond those that were held before.
fn peak_bytes(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

type Read = Box<dyn Fn(&[u8]) -> bool>;

/// Both ways to read what our own schema wrote.
struct Reader<R: Record>([Read; 2], std::marker::PhantomData<R>);

impl<R: Record> Reader<R> {
    fn new() -> Self {
        let schema = parse_schema::<R>(R::SCHEMA).unwrap();
        Self(
            [
                Box::new(|datum| read_own::<R>(datum).is_ok()),
                Box::new(move |datum| read_datum::<R>(&schema, datum).is_ok()),
            ],
            std::marker::PhantomData,
        )
    }

    /// How many bytes the dearer way needed for each byte received; says also whether the datum could be read.
    fn check(&self, datum: &[u8]) -> (usize, bool) {
        let [straight, by_library] = self.0.each_ref().map(|read| {
            let mut is_read = false;
            let peak = peak_bytes(|| is_read = read(datum));
            let allowed = datum.len() * GREATEST_MULTIPLE + CONSTANT_BYTES;
            assert!(
                peak <= allowed,
                "{peak} bytes for {} received: {:?}…",
                datum.len(),
                &datum[..datum.len().min(40)]
            );
            (peak / datum.len().max(1), is_read)
        });
        assert_eq!(straight.1, by_library.1);
        straight.max(by_library)
    }
}

fn long(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn string(text: &str) -> Vec<u8> {
    [long(text.len() as i64), text.as_bytes().to_vec()].concat()
}

#[test]
fn a_few_bytes_that_claim_much_cost_little() {
    let report = Reader::<ScoreReport<'static>>::new();
    let employee = Reader::<Employee>::new();
    let alias = Reader::<IdentityAlias>::new();
    for count in [10_000, 10_001, 1 << 20, 1 << 40, i64::MAX, i64::MIN, -10_000] {
        report.check(&[string("s"), long(0), string(""), long(count), long(count)].concat());
        employee.check(&[string("E1"), vec![0; 3], long(count), long(count)].concat());
        report.check(&[long(count), vec![b'a'; 12]].concat());
        employee.check(&[long(count), vec![b'a'; 12]].concat());
        alias.check(&[long(count), vec![b'a'; 12]].concat());
    }
}

#[test]
fn the_dearest_maps_and_lists_cost_no_more_than_is_stated() {
    let report = Reader::<ScoreReport<'static>>::new();
    let map = |names: &mut dyn Iterator<Item = String>| {
        let entries: Vec<Vec<u8>> = names.map(|name| [string(&name), long(0)].concat()).collect();
        let count = long(entries.len() as i64);
        [string("s"), long(0), string(""), count, entries.concat(), long(0), long(0)].concat()
    };
    let mut dearest = 0;
    // Just beyond the sizes at which containers double, and as many as there may be.
    for count in [25, 33, 57, 1_025, 1_793, 4_097, 7_169, 8_193, 10_000] {
        let (multiple, is_read) = report.check(&map(&mut std::iter::repeat_n(String::new(), count)));
        assert!(is_read);
        dearest = dearest.max(multiple);
        assert!(report.check(&map(&mut (0..count).map(|number| format!("{:x}", number / 2)))).1);
        assert!(report.check(&map(&mut (0..count).map(|number| format!("{number:x}")))).1);
    }
    assert!(dearest > GREATEST_MULTIPLE / 2, "the limit is too generous: {dearest}");

    let employee = Reader::<Employee>::new();
    let identity = [string("phone"), long(0), string(""), long(0), long(0)].concat();
    let identities = [string("E1"), vec![0; 3], long(10_000), identity.repeat(10_000), long(0), vec![0; 3]].concat();
    assert!(employee.check(&identities).1);
}

proptest! {
    #[test]
    fn random_bytes_cost_little(bytes in vec(any::<u8>(), 0..300)) {
        Reader::<ScoreReport<'static>>::new().check(&bytes);
        Reader::<EnrichedScore<'static>>::new().check(&bytes);
        Reader::<Employee>::new().check(&bytes);
        Reader::<IdentityAlias>::new().check(&bytes);
    }
}
