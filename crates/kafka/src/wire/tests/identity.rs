//! Writing and reading back changes nothing; a datum that is cut short or goes on is refused.

use std::fmt::Debug;

use proptest::prelude::*;
use scoresync_domain::{Employee, EnrichedScore, IdentityAlias, ScoreReport};

use super::{LibraryRecord, SCHEMA_ID, arbitrary, decode, encode};
use crate::wire::{DatumError, HEADER_BYTES, split};

fn check<R: LibraryRecord>(record: &R::Borrowed<'_>, is_same: impl Fn(&R::Borrowed<'_>) -> bool) -> Result<(), TestCaseError>
where
    for<'a> R::Borrowed<'a>: Debug + PartialEq,
{
    let value = encode::<R>(record);
    let (schema_id, datum) = split(Some(&value)).unwrap();
    prop_assert_eq!(schema_id, SCHEMA_ID);
    prop_assert_eq!(value.len(), HEADER_BYTES + datum.len());
    let read = decode::<R>(datum).unwrap();
    prop_assert!(is_same(&read), "{read:?}");
    for length in 0..datum.len() {
        prop_assert!(decode::<R>(&datum[..length]).is_err(), "cut to {length} of {} bytes", datum.len());
    }
    for extra in [&[0][..], &[255, 1], datum] {
        let longer = [datum, extra].concat();
        prop_assert!(matches!(decode::<R>(&longer), Err(DatumError::LeftOver(bytes)) if bytes == extra.len()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_score_report_reads_back(report in arbitrary::report()) {
        check::<ScoreReport<'static>>(&report, |read| *read == report)?;
    }

    #[test]
    fn an_enriched_score_reads_back(score in arbitrary::enriched_score()) {
        check::<EnrichedScore<'static>>(&score, |read| *read == score)?;
    }

    #[test]
    fn an_employee_reads_back(employee in arbitrary::employee()) {
        check::<Employee>(&employee, |read| *read == employee)?;
    }

    #[test]
    fn an_alias_reads_back(alias in arbitrary::identity_alias()) {
        check::<IdentityAlias>(&alias, |read| *read == alias)?;
    }
}

#[test]
fn texts_and_bytes_are_borrowed_from_the_message() {
    let mut report = ScoreReport {
        source: "academy".into(),
        received_at: scoresync_domain::Timestamp::from_millis(0),
        content_type: "text/csv".into(),
        fields: scoresync_domain::Fields::default(),
        unparsed: Some(b"1;2".into()),
    };
    report.fields.push("分数", Some("85.5"));
    let value = encode::<ScoreReport<'static>>(&report);
    let read = decode::<ScoreReport<'static>>(&value[HEADER_BYTES..]).unwrap();
    let inside = value.as_ptr_range();
    assert!(inside.contains(&read.source.as_ptr()));
    assert!(inside.contains(&read.fields.get("分数").unwrap().unwrap().as_ptr()));
    assert!(inside.contains(&read.unparsed.as_deref().unwrap().as_ptr()));
}
