//! Bytes that somebody wrote to break us. What they may cost in memory, `tests/allocations.rs` measures.

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};
use scoresync_domain::{Employee, EnrichedScore, Fields, Identity, IdentityAlias, IdentityKind, ScoreReport, Timestamp};

use super::{Record, SCHEMA_ID, arbitrary, datum, decode};
use crate::wire::{DatumError, Encoder, parse_schema, read_datum, split};

/// Reads them as whatever they could be; whether the library reads the same, `decode` compares.
fn read_all_kinds(bytes: &[u8]) {
    let _ = split(Some(bytes));
    let _ = decode::<ScoreReport<'static>>(bytes);
    let _ = decode::<EnrichedScore<'static>>(bytes);
    let _ = decode::<Employee>(bytes);
    let _ = decode::<IdentityAlias>(bytes);
}

/// Bytes in the place of others.
#[derive(Clone, Debug)]
struct Damage {
    place: Index,
    removed: usize,
    inserted: Vec<u8>,
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let numbers = vec![0, 1, -1, 2, -2, 63, 64, 9_999, 10_001, 1 << 31, -(1 << 31) - 1, i64::MAX, i64::MIN];
        let longer_than_need_be = vec![
            vec![0x80, 0],
            vec![0x82, 0x80, 0],
            [vec![0x80; 9], vec![2]].concat(),
            vec![0x80; 10],
        ];
        let inserted = prop_oneof![vec(any::<u8>(), 0..3), select(numbers).prop_map(long), select(longer_than_need_be)];
        let removed = prop_oneof![8 => 0..3_usize, 1 => Just(usize::MAX)];
        (any::<Index>(), removed, inserted).prop_map(|(place, removed, inserted)| Self { place, removed, inserted })
    }

    fn strike(&self, bytes: &mut Vec<u8>) {
        let start = self.place.index(bytes.len() + 1);
        let end = start.saturating_add(self.removed).min(bytes.len());
        bytes.splice(start..end, self.inserted.iter().copied());
    }
}

fn check_damaged(mut bytes: Vec<u8>, damages: &[Damage]) {
    for damage in damages {
        damage.strike(&mut bytes);
        read_all_kinds(&bytes);
    }
}

proptest! {
    #[test]
    fn random_bytes_are_the_same_to_both(bytes in vec(any::<u8>(), 0..200)) {
        read_all_kinds(&bytes);
    }

    #[test]
    fn damaged_reports_are_the_same_to_both(report in arbitrary::report(), damages in vec(Damage::any(), 1..4)) {
        check_damaged(datum::<ScoreReport<'static>>(&report), &damages);
    }

    #[test]
    fn damaged_scores_are_the_same_to_both(score in arbitrary::enriched_score(), damages in vec(Damage::any(), 1..4)) {
        check_damaged(datum::<EnrichedScore<'static>>(&score), &damages);
    }

    #[test]
    fn damaged_employees_are_the_same_to_both(employee in arbitrary::employee(), damages in vec(Damage::any(), 1..4)) {
        check_damaged(datum::<Employee>(&employee), &damages);
    }

    #[test]
    fn damaged_aliases_are_the_same_to_both(alias in arbitrary::identity_alias(), damages in vec(Damage::any(), 1..4)) {
        check_damaged(datum::<IdentityAlias>(&alias), &damages);
    }

    #[test]
    fn a_map_may_come_in_any_blocks(blocks in vec((option::of(any::<i64>()), vec("[ab]{0,2}", 1..5)), 0..5)) {
        let mut map = Vec::new();
        let mut fields = Fields::default();
        for (stated_bytes, names) in &blocks {
            let count = names.len() as i64;
            map.extend(stated_bytes.map_or_else(|| vec![long(count)], |bytes| vec![long(-count), long(bytes)]));
            for name in names {
                map.extend([string(name), long(1), string("1")]);
                fields.push(name.clone(), Some("1"));
            }
        }
        map.push(long(0));
        let bytes = report_with_map(&map);
        prop_assert_eq!(decode::<ScoreReport<'static>>(&bytes).unwrap().fields, fields);
    }
}

/// A number as Avro writes it: zig-zag, then seven bits a byte (Avro specification, "Binary Encoding").
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

/// A report whose map consists of these bytes.
fn report_with_map(map: &[Vec<u8>]) -> Vec<u8> {
    [string("s"), long(0), string(""), map.concat(), long(0)].concat()
}

fn names(bytes: &[u8]) -> Result<Vec<String>, DatumError> {
    let report = decode::<ScoreReport<'static>>(bytes)?;
    Ok(report.fields.iter().map(|(name, value)| format!("{name}={value:?}")).collect())
}

fn check_refused(bytes: &[u8]) {
    let read = names(bytes);
    assert!(matches!(read, Err(DatumError::Malformed)), "{bytes:?}: {read:?}");
}

#[test]
fn a_count_that_the_bytes_cannot_hold_is_refused() {
    for count in [2, 10_000, 10_001, 1 << 31, i64::MAX, i64::MIN, -2] {
        check_refused(&report_with_map(&[long(count), string("a"), long(0), long(0)]));
    }
    check_refused(&report_with_map(&[long(i64::MAX), vec![0; 8]]));
    check_refused(&[string("s"), long(0), long(1 << 40), vec![0; 8]].concat());
    check_refused(&[long(-1), long(0), long(0), long(0), long(0)].concat());
}

#[test]
fn blocks_may_be_several_and_may_state_their_size() {
    let entry = |name| [string(name), long(1), string("1")].concat();
    let (a, b) = (entry("a"), entry("b"));
    let several = report_with_map(&[long(1), a.clone(), long(-1), long(b.len() as i64), b, long(0)]);
    assert_eq!(names(&several).unwrap(), [r#"a=Some("1")"#, r#"b=Some("1")"#]);
}

#[test]
fn blocks_without_end_are_refused() {
    let entry = [long(1), string(""), long(0)].concat();
    let mut within: Vec<Vec<u8>> = vec![entry; 10_000];
    within.push(long(0));
    assert_eq!(names(&report_with_map(&within)).unwrap().len(), 10_000);
    within.insert(0, [long(1), string("one more"), long(0)].concat());
    check_refused(&report_with_map(&within));
}

#[test]
fn a_number_without_end_is_refused() {
    check_refused(&[255; 22]);
    check_refused(&[&string("s")[..], &[0x80; 12]].concat());
}

#[test]
fn a_union_branch_that_does_not_exist_is_refused() {
    for branch in [2, 3, -1, i64::MAX, i64::MIN] {
        check_refused(&report_with_map(&[long(1), string("a"), long(branch), long(0)]));
    }
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let bad = [long(2), vec![0xc3, 0x28]].concat();
    check_refused(&[bad.clone(), long(0), long(0), long(0), long(0)].concat());
    check_refused(&report_with_map(&[long(1), bad.clone(), long(0), long(0)]));
    check_refused(&report_with_map(&[long(1), string("a"), long(1), bad, long(0)]));
}

#[test]
fn a_text_that_ends_inside_a_character_is_refused() {
    let half = |text: &str| [long(text.len() as i64 - 1), text.as_bytes().to_vec()].concat();
    check_refused(&report_with_map(&[long(1), half("é"), long(0)]));
    check_refused(&report_with_map(&[long(1), string("a"), long(1), half("及格"), long(0)]));
}

#[test]
fn a_name_that_a_foreign_producer_wrote_twice_is_kept_as_its_second() {
    let entry = |value| [string("分数"), long(1), string(value)].concat();
    let bytes = report_with_map(&[long(3), entry("1"), entry("2"), entry("3"), long(0)]);
    assert_eq!(
        names(&bytes).unwrap(),
        [r#"分数=Some("1")"#, r#"分数#2=Some("2")"#, r#"分数#3=Some("3")"#]
    );
}

#[test]
fn nesting_is_bounded_whatever_the_schema_allows() {
    let link = r#"{"name": "inner", "type": ["null", "RawScore"], "default": null}"#;
    let schema = ScoreReport::SCHEMA.replace(r#""fields": ["#, &format!(r#""fields": [{link},"#));
    let schema = parse_schema::<ScoreReport<'static>>(&schema).unwrap();
    let nested = |depth: usize| {
        let innermost = [long(0), report_with_map(&[long(0)])].concat();
        let rest = report_with_map(&[long(0)]);
        [vec![2; depth], innermost, rest.repeat(depth)].concat()
    };
    assert!(read_datum::<ScoreReport<'static>>(&schema, &nested(3)).is_ok());
    for depth in [100, 100_000] {
        let datum = nested(depth);
        let read = read_datum::<ScoreReport<'static>>(&schema, &datum);
        assert!(matches!(read, Err(DatumError::Malformed)), "{depth}: {read:?}");
    }
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let mut buffer = Vec::new();
    let fields = Fields::from_unique((0..10_001).map(|number: u32| (number.to_string().into(), None)).collect());
    let report = ScoreReport {
        source: "s".into(),
        received_at: Timestamp::from_millis(0),
        content_type: "".into(),
        fields,
        unparsed: None,
    };
    let written = Encoder::<ScoreReport<'static>>::new(SCHEMA_ID).encode(&report, &mut buffer);
    assert!(matches!(written, Err(DatumError::Unwritable)));
    let identity = Identity {
        kind: IdentityKind::Phone,
        system: None,
        value: String::new(),
        valid_from: None,
        valid_to: None,
    };
    let employee = Employee {
        employee_no: "E1".to_owned(),
        name: None,
        department: None,
        position: None,
        identities: vec![identity; 10_001],
        left_at: None,
        replaced_by: None,
        as_of: Timestamp::from_millis(0),
    };
    let written = Encoder::<Employee>::new(SCHEMA_ID).encode(&employee, &mut buffer);
    assert!(matches!(written, Err(DatumError::Unwritable)));
}
