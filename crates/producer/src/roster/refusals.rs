//! Whether the broker takes what is written of employees, for the readiness of the stage.

use std::time::Instant;

use scoresync_service::StageReadiness;

use super::table::{Outcome, StatementError};
use crate::rest::{Rest, SHORTEST};

/// The broker's refusals. After each the stage rests, not ready, so that another instance is tried; then this one is tried again.
pub(super) struct Refusals {
    rest: Rest,
    /// The last one and when it was, while the stage rests.
    last: Option<(String, Instant)>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            rest: Rest::of(SHORTEST),
            last: None,
        }
    }
}

impl Refusals {
    /// Takes in what became of updates that were written together.
    pub(super) fn note(&mut self, outcomes: &[Outcome]) {
        let refusal = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Failed(StatementError::Refused(failure)) => Some(failure.to_string()),
            Outcome::Failed(_) | Outcome::Changed(_) | Outcome::Unchanged | Outcome::Stale => None,
        });
        if let Some(refusal) = refusal {
            self.refused(refusal);
        } else if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Changed(_))) {
            self.taken();
        }
    }

    fn refused(&mut self, refusal: String) {
        self.rest.refused(self.last.is_none());
        self.last = Some((format!("the broker refuses updates of employees: {refusal}"), Instant::now()));
    }

    fn taken(&mut self) {
        self.rest.taken();
        self.last = None;
    }

    /// Makes the stage ready unless it rests.
    pub(super) fn tell(&mut self, readiness: &StageReadiness) {
        let length = self.rest.length();
        self.last = self.last.take().filter(|(_, since)| since.elapsed() < length);
        match &self.last {
            Some((reason, _)) => readiness.not_ready(reason.as_str()),
            None => readiness.ready(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus::Registry;
    use scoresync_service::{ProcessMetrics, Readiness};

    use super::*;
    use crate::roster::statement::Change;

    fn resting(shortest: Duration) -> Refusals {
        Refusals {
            rest: Rest::of(shortest),
            last: None,
        }
    }

    /// Why the stage is not ready after the refusals were told.
    fn obstacle(refusals: &mut Refusals) -> Option<String> {
        let readiness = Readiness::new(ProcessMetrics::register(&Registry::new(), "1").unwrap());
        refusals.tell(&readiness.stage("roster"));
        readiness.report().remove(0).reason
    }

    #[test]
    fn after_a_refusal_the_stage_is_not_ready_until_something_is_written() {
        let mut refusals = resting(Duration::from_secs(600));
        assert_eq!(obstacle(&mut refusals), None);
        refusals.refused("no right".to_owned());
        refusals.note(&[Outcome::Unchanged, Outcome::Stale]);
        let expected = "the broker refuses updates of employees: no right";
        assert_eq!(obstacle(&mut refusals).as_deref(), Some(expected));
        refusals.note(&[Outcome::Unchanged, Outcome::Changed(Change::New)]);
        assert_eq!(obstacle(&mut refusals), None);
    }

    #[test]
    fn after_a_rest_the_broker_is_tried_again_and_another_refusal_makes_the_next_rest_longer() {
        let mut refusals = resting(Duration::ZERO);
        refusals.refused("no right".to_owned());
        assert_eq!(obstacle(&mut refusals), None);
        let mut refusals = resting(SHORTEST);
        refusals.refused("no right".to_owned());
        refusals.last = None;
        refusals.refused("no right".to_owned());
        assert!(refusals.rest.length() > SHORTEST && obstacle(&mut refusals).is_some());
    }
}
