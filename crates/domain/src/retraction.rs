//! Taking back what a report said of a result: what is written where a report that was filed must say nothing of the result any more.

use std::borrow::Cow;

use crate::{ContentHash, EnrichedScore, Origin, Repeat, ResultId, Status, Timestamp};

/// The revision scheme of retractions; those of sources begin at 1. What has it ranks below everything else that is said of a result.
pub(crate) const SCHEME: i32 = 0;

/// What is taken back.
#[derive(Clone, Copy, Debug)]
pub struct Retraction<'a> {
    /// The result of which the report must say nothing.
    pub result_id: ResultId,
    /// Name of the report's source.
    pub source: &'a str,
    /// The training system behind it.
    pub system: &'a str,
    /// Version of the field mapping that reads the report otherwise; greater than that of what is taken back.
    pub mapping_version: i32,
    /// When the producer received the report.
    pub received_at: Timestamp,
    /// Where the report first appeared.
    pub origin: Origin,
}

impl<'a> Retraction<'a> {
    /// As an enriched score: a withdrawal that replaces what its report said, and ranks below whatever other reports say.
    ///
    /// So what stands is what those say, as if the report had never been filed; where there are none, the result is withdrawn and shows nothing.
    #[must_use]
    pub fn score(&self) -> EnrichedScore<'a> {
        let mut score = EnrichedScore {
            result_id: self.result_id,
            source: Cow::Borrowed(self.source),
            system: Cow::Borrowed(self.system),
            status: Status::Withdrawn,
            employee_no: None,
            employee_name: None,
            department: None,
            position: None,
            course_id: None,
            course_title: None,
            exam_id: None,
            exam_title: None,
            attempt: None,
            exam_score: None,
            min_score: None,
            max_score: None,
            grade: None,
            passed: None,
            finish_timestamp: None,
            revision: None,
            revision_scheme: SCHEME,
            mapping_version: self.mapping_version,
            repeat: Repeat::Redelivery,
            decision: 0,
            matched_by: None,
            rounded: false,
            received_at: self.received_at,
            origin: self.origin,
            content_hash: ContentHash([0; 16]),
        };
        score.content_hash = score.hash_content();
        score
    }
}

impl EnrichedScore<'_> {
    /// Whether it takes back what its report said of the result.
    #[must_use]
    pub fn is_retraction(&self) -> bool {
        self.revision_scheme == SCHEME && self.status == Status::Withdrawn
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;
    use crate::rule::{Statement, judge};

    fn retraction(offset: i64) -> Statement {
        let retraction = Retraction {
            result_id: ResultId::from_key("academy", ["a"]),
            source: "academy",
            system: "academy",
            mapping_version: 2,
            received_at: Timestamp::from_millis(0),
            origin: origin(offset),
        };
        assert!(retraction.score().is_retraction());
        retraction.score().statement()
    }

    const fn origin(offset: i64) -> Origin {
        Origin {
            generation: 1,
            partition: 0,
            offset,
        }
    }

    fn said(offset: i64, status: Status, revision: Option<i64>) -> Statement {
        Statement {
            mapping_version: 1,
            employee_no: Some("E1".to_owned()),
            status,
            revision_scheme: 1,
            revision,
            content_hash: ContentHash([offset as u8; 16]),
            ..retraction(offset)
        }
    }

    /// The numbers of the record and of what it shows.
    fn check(statements: &[Statement], expected: (Option<usize>, Option<usize>)) {
        let judged = judge(statements);
        assert_eq!((judged.record, judged.shown), expected, "{statements:#?}");
    }

    #[test]
    fn what_other_reports_say_stands_as_if_the_retracted_one_had_never_been() {
        let first = said(1, Status::Final, Some(1));
        let second = said(2, Status::Final, Some(2));
        check(&[first.clone(), second.clone(), retraction(2)], (Some(0), Some(0)));
        check(&[first.clone(), second, retraction(1)], (Some(1), Some(1)));
        let provisional = said(1, Status::Provisional, None);
        check(&[provisional, said(2, Status::Final, None), retraction(2)], (Some(0), Some(0)));
        let withdrawal = said(2, Status::Withdrawn, None);
        check(&[first, withdrawal, retraction(2)], (Some(0), Some(0)));
    }

    #[test]
    fn a_result_all_of_whose_reports_are_retracted_is_withdrawn_and_shows_nothing() {
        check(&[said(1, Status::Final, None), retraction(1)], (Some(1), None));
    }

    #[test]
    fn what_the_report_says_under_a_greater_mapping_replaces_its_retraction() {
        let anew = Statement {
            mapping_version: 3,
            ..said(1, Status::Final, None)
        };
        check(&[said(1, Status::Final, None), retraction(1), anew], (Some(2), Some(2)));
        // Under the same, whoever can be named by now counts.
        let found = Statement {
            mapping_version: 2,
            ..said(1, Status::Final, None)
        };
        check(&[retraction(1), found], (Some(1), Some(1)));
    }

    /// Of each report what it said under the first mapping, and what it says under the second, where that can read it.
    fn any_mappings() -> impl Strategy<Value = Vec<(Statement, Option<Statement>)>> {
        let saying = || {
            (
                select(Status::ALL),
                select(vec![None, Some(1), Some(2)]),
                0..3_u8,
                select(Repeat::ALL),
            )
        };
        vec((saying(), option::of(saying())), 1..8).prop_map(|sayings| {
            let stated = |offset, (status, revision, content, repeat), mapping_version| Statement {
                mapping_version,
                content_hash: ContentHash([content; 16]),
                repeat,
                ..said(offset, status, revision)
            };
            let both = (1..).zip(sayings).map(|(offset, (first, second))| {
                let second = second.map(|second| stated(offset, second, 2));
                (stated(offset, first, 1), second)
            });
            both.collect()
        })
    }

    proptest! {
        #[test]
        fn what_stands_is_what_would_if_only_the_second_mapping_had_ever_read_the_reports(reports in any_mappings()) {
            let all: Vec<Statement> = reports
                .iter()
                .flat_map(|(first, second)| {
                    let anew = second.clone().unwrap_or_else(|| retraction(first.origin.offset));
                    [first.clone(), anew]
                })
                .collect();
            let fresh: Vec<Statement> = reports.into_iter().filter_map(|(_, second)| second).collect();
            let (judged, expected) = (judge(&all), judge(&fresh));
            prop_assert_eq!(judged.shown.map(|number| &all[number]), expected.shown.map(|number| &fresh[number]));
            match expected.record {
                Some(number) => prop_assert_eq!(judged.record.map(|number| &all[number]), Some(&fresh[number])),
                None => prop_assert!(judged.record.is_some_and(|number| all[number].revision_scheme == SCHEME)),
            }
        }
    }
}
