//! What has to be said by a report so that what it comes to now counts, as a pure function of that and of what it said before.

use std::collections::BTreeMap;

use scoresync_archive::Successors;
use scoresync_domain::ResultId;

use crate::items::{Meaning, Report, Said, Verdict};

/// What a report comes to beside what it said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mending {
    /// It says what it said.
    Same,
    /// It was a dead letter, and is one.
    StillRejected,
    /// Nobody can be found for it any more because its employee was erased: that is no matter of a field mapping, and it stays as it is.
    Erased,
    /// Something has to be said.
    Needed(Needed),
}

/// What has to be said by a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Needed {
    /// What it comes to now.
    pub(crate) states_score: bool,
    /// The results that it spoke of and must not speak of any more.
    pub(crate) retracts: Vec<ResultId>,
    /// It says nothing of any result until now: it was never filed, or was taken back, and its letter can be open.
    pub(crate) is_unsaid: bool,
    /// The least mapping version with which it counts, where the present one is not enough.
    pub(crate) least_version: Option<i32>,
}

/// What there is to know beside the report.
pub(crate) struct Present<'a> {
    pub(crate) mapping_version: i32,
    pub(crate) successors: &'a Successors,
    /// Whether the directory has an employee of this number.
    pub(crate) is_known: &'a dyn Fn(&str) -> bool,
}

/// Compares what a report comes to with what it said, given in the order of arrival.
pub(crate) fn mend(report: &Report, said: &[Said], present: &Present<'_>) -> Mending {
    let standing = standing(said);
    let mut needed = Needed {
        is_unsaid: standing.values().all(|said| said.is_retraction),
        ..Needed::default()
    };
    let stated = match &report.verdict {
        Verdict::Score { meaning, .. } => Some(meaning),
        Verdict::Rejected { .. } if said.is_empty() => return Mending::StillRejected,
        Verdict::Rejected { depends_on_directory, .. } => {
            if *depends_on_directory && standing.values().any(|said| names_the_erased(said, present)) {
                return Mending::Erased;
            }
            None
        }
    };
    if let Some(meaning) = stated {
        let before = standing.get(&meaning.result_id());
        needed.states_score = before.is_none_or(|before| before.is_retraction || !is_same(meaning, &before.meaning, present.successors));
        if needed.states_score {
            let names = meaning.employee_no.is_some();
            needed.must_exceed(before.copied(), (present.mapping_version, meaning.decision, names));
        }
    }
    for (result_id, said) in standing {
        if !said.is_retraction && stated.is_none_or(|meaning| meaning.result_id() != result_id) {
            needed.retracts.push(result_id);
            needed.must_exceed(Some(said), (present.mapping_version, 0, false));
        }
    }
    if needed.states_score || !needed.retracts.is_empty() {
        Mending::Needed(needed)
    } else {
        Mending::Same
    }
}

impl Needed {
    /// What is said must take precedence over what was.
    fn must_exceed(&mut self, before: Option<&Said>, precedence: (i32, i64, bool)) {
        let least = before
            .filter(|before| before.precedence() >= precedence)
            .map(|before| before.mapping_version.saturating_add(1));
        self.least_version = self.least_version.max(least);
    }
}

/// Of each result what counts of all that the report said of it.
fn standing(said: &[Said]) -> BTreeMap<ResultId, &Said> {
    let mut standing: BTreeMap<ResultId, &Said> = BTreeMap::new();
    for said in said {
        let kept = standing.entry(said.meaning.result_id()).or_insert(said);
        if said.precedence() > kept.precedence() {
            *kept = said;
        }
    }
    standing
}

fn is_same(now: &Meaning, before: &Meaning, successors: &Successors) -> bool {
    let person = |meaning: &Meaning| meaning.employee_no.as_deref().map(|number| successors.last(number).to_owned());
    now.says_as(before) && person(now) == person(before)
}

fn names_the_erased(said: &Said, present: &Present<'_>) -> bool {
    let named = said.meaning.employee_no.as_deref();
    !said.is_retraction && named.is_some_and(|number| !(present.is_known)(present.successors.last(number)))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::borrow::Cow;

    use scoresync_domain::{Origin, Reason, Rejection, Retraction, Score, Timestamp};

    use super::*;

    /// What a report says of a result: an employee, and points.
    pub(crate) fn meaning(key: &str, named: Option<(&str, i64)>) -> Meaning {
        let mut score = Retraction {
            result_id: result(key),
            source: "academy",
            system: "academy",
            mapping_version: 1,
            received_at: Timestamp::from_millis(0),
            origin: Origin {
                generation: 1,
                partition: 0,
                offset: 1,
            },
        }
        .score();
        if let Some((employee_no, points)) = named {
            score.employee_no = Some(Cow::Owned(employee_no.to_owned()));
            score.exam_score = Score::from_millionths(points);
            score.revision_scheme = 1;
            score.content_hash = score.hash_content();
        }
        Meaning::of(&score)
    }

    fn result(key: &str) -> ResultId {
        ResultId::from_key("academy", [key])
    }

    fn said(key: &str, named: Option<(&str, i64)>, mapping_version: i32) -> Said {
        Said {
            meaning: meaning(key, named),
            mapping_version,
            is_retraction: named.is_none(),
        }
    }

    fn report(verdict: Verdict) -> Report {
        Report {
            received_ms: 0,
            traceparent: None,
            verdict,
        }
    }

    fn score(key: &str, named: Option<(&str, i64)>) -> Report {
        report(Verdict::Score {
            meaning: meaning(key, named),
            value: Vec::new(),
        })
    }

    fn rejected(reason: Reason) -> Report {
        let rejection = Rejection {
            reason,
            message: String::new(),
        };
        report(Verdict::rejected(rejection))
    }

    /// E1 was replaced by E2; E9 was erased; the mapping's version is 2.
    fn check(report: &Report, before: &[Said], expected: &Mending) {
        let mut successors = Successors::default();
        successors.add("E1".to_owned(), "E2".to_owned());
        let present = Present {
            mapping_version: 2,
            successors: &successors,
            is_known: &|number| number != "E9",
        };
        assert_eq!(mend(report, before, &present), *expected, "{report:?} {before:?}");
    }

    fn stated() -> Needed {
        Needed {
            states_score: true,
            ..Needed::default()
        }
    }

    fn retracted(keys: &[&str]) -> Needed {
        let mut retracts: Vec<ResultId> = keys.iter().map(|key| result(key)).collect();
        retracts.sort_unstable();
        Needed {
            retracts,
            ..Needed::default()
        }
    }

    #[test]
    fn what_says_the_same_needs_nothing() {
        check(&score("a", Some(("E1", 80))), &[said("a", Some(("E1", 80)), 1)], &Mending::Same);
        check(&score("a", Some(("E2", 80))), &[said("a", Some(("E1", 80)), 1)], &Mending::Same);
        check(&rejected(Reason::MissingField), &[], &Mending::StillRejected);
    }

    #[test]
    fn another_content_or_employee_is_stated() {
        let before = [said("a", Some(("E1", 80)), 1)];
        check(&score("a", Some(("E1", 90))), &before, &Mending::Needed(stated()));
        check(&score("a", Some(("E3", 80))), &before, &Mending::Needed(stated()));
        let letter = Needed {
            is_unsaid: true,
            ..stated()
        };
        check(&score("a", Some(("E1", 90))), &[], &Mending::Needed(letter));
    }

    #[test]
    fn what_is_refused_now_is_retracted_wherever_it_stands_and_once() {
        let before = [said("a", Some(("E1", 80)), 1), said("b", Some(("E1", 80)), 1)];
        check(&rejected(Reason::InvalidField), &before, &Mending::Needed(retracted(&["a", "b"])));
        let done = [said("a", Some(("E1", 80)), 1), said("a", None, 2)];
        check(&rejected(Reason::InvalidField), &done, &Mending::Same);
    }

    #[test]
    fn what_speaks_of_another_result_now_is_retracted_from_the_first() {
        let moved = Needed {
            states_score: true,
            ..retracted(&["a"])
        };
        let before = said("a", Some(("E1", 80)), 1);
        check(
            &score("b", Some(("E1", 80))),
            std::slice::from_ref(&before),
            &Mending::Needed(moved),
        );
        // Half of it was done when somebody was killed.
        let half = [before, said("b", Some(("E1", 80)), 2)];
        check(&score("b", Some(("E1", 80))), &half, &Mending::Needed(retracted(&["a"])));
    }

    #[test]
    fn without_a_greater_version_nothing_counts_and_the_least_is_named() {
        let behind = |needed, least| {
            Mending::Needed(Needed {
                least_version: Some(least),
                ..needed
            })
        };
        check(
            &score("a", Some(("E1", 90))),
            &[said("a", Some(("E1", 80)), 2)],
            &behind(stated(), 3),
        );
        check(
            &rejected(Reason::InvalidField),
            &[said("a", Some(("E1", 80)), 7)],
            &behind(retracted(&["a"]), 8),
        );
        // Whoever can be named by now counts against a retraction of the same version.
        let unsaid = Needed {
            is_unsaid: true,
            ..stated()
        };
        check(&score("a", Some(("E1", 80))), &[said("a", None, 2)], &Mending::Needed(unsaid));
    }

    #[test]
    fn a_report_of_somebody_who_was_erased_stays_as_it_is() {
        let before = [said("a", Some(("E9", 80)), 1)];
        check(&rejected(Reason::UnmatchedEmployee), &before, &Mending::Erased);
        check(&rejected(Reason::InvalidField), &before, &Mending::Needed(retracted(&["a"])));
        check(
            &rejected(Reason::UnmatchedEmployee),
            &[said("a", Some(("E3", 80)), 1)],
            &Mending::Needed(retracted(&["a"])),
        );
    }
}
