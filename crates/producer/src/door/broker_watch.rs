//! Whether the broker acknowledges, for the readiness of the stage, and whether the producer can go on at all.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use scoresync_service::StageReadiness;
use tokio::sync::Notify;

use crate::{
    intake::{Intake, Unacknowledged},
    rest::{Rest, SHORTEST},
};

/// How often the producer is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Tells the readiness of the broker's troubles and of their end.
pub(super) struct BrokerWatch {
    readiness: StageReadiness,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    health: Health,
    rest: Rest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// Since the last trouble.
    Resting(Instant),
    /// The process ends: nothing makes the stage ready any more.
    Ending,
}

/// Waits until the producer cannot go on, and says why.
pub(super) async fn until_dead(intake: &Intake) -> String {
    loop {
        if let Some(cause) = intake.fatal_error() {
            return cause;
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl BrokerWatch {
    pub(super) fn new(readiness: StageReadiness) -> Self {
        Self::resting(readiness, SHORTEST)
    }

    /// One that rests for so long at least.
    pub(super) fn resting(readiness: StageReadiness, shortest: Duration) -> Self {
        Self {
            readiness,
            state: Mutex::new(State {
                health: Health::Well,
                rest: Rest::of(shortest),
            }),
            changed: Notify::new(),
        }
    }

    /// The broker did not acknowledge.
    pub(super) fn note(&self, unacknowledged: &Unacknowledged) {
        match unacknowledged {
            Unacknowledged::TimeOut => self.note_trouble(&mut self.lock(), "the broker does not acknowledge reports".to_owned()),
            Unacknowledged::Refused(failure) => {
                self.note_refusal(&failure.to_string());
            }
        }
    }

    /// The broker, or the client for it, refuses reports: what may well last until a person acts.
    pub(super) fn note_refusal(&self, cause: &str) {
        let mut state = self.lock();
        let is_tried_again = state.health == Health::Well;
        state.rest.refused(is_tried_again);
        self.note_trouble(&mut state, format!("the broker refuses reports: {cause}"));
    }

    /// The broker has acknowledged a report. After time-outs that counts only when the stage has rested a while: of many reports some may
    /// still be acknowledged in time.
    pub(super) fn note_success(&self) {
        let mut state = self.lock();
        let has_rested = match state.health {
            Health::Resting(since) => since.elapsed() >= state.rest.shortest(),
            Health::Well | Health::Ending => false,
        };
        if state.rest.is_refused() || has_rested {
            state.rest.taken();
            self.recover(&mut state);
            self.changed.notify_one();
        }
    }

    fn note_trouble(&self, state: &mut State, reason: String) {
        if state.health != Health::Ending {
            state.health = Health::Resting(Instant::now());
            self.readiness.not_ready(reason);
            self.changed.notify_one();
        }
    }

    /// Makes the stage ready, and ready again once it has rested from the last trouble and all that is queued was settled.
    pub(super) async fn keep(&self, intake: &Intake) -> Infallible {
        self.recover(&mut self.lock());
        loop {
            self.changed.notified().await;
            while let Some((since, length)) = self.rest() {
                if tokio::time::timeout(length, self.changed.notified()).await.is_err() {
                    self.recover_from(since, intake).await;
                }
            }
        }
    }

    /// The last trouble and how long to rest from it; `None` where that is over, or for nothing.
    fn rest(&self) -> Option<(Instant, Duration)> {
        let state = self.lock();
        match state.health {
            Health::Resting(since) => Some((since, state.rest.length())),
            Health::Well | Health::Ending => None,
        }
    }

    /// Waits until all is settled, and makes the stage ready unless something else was noted meanwhile.
    async fn recover_from(&self, trouble: Instant, intake: &Intake) {
        let is_latest = |state: &State| state.health == Health::Resting(trouble);
        while is_latest(&self.lock()) && !intake.settle(Duration::ZERO) {
            tokio::time::sleep(LOOK).await;
        }
        let mut state = self.lock();
        if is_latest(&state) {
            self.recover(&mut state);
        }
    }

    fn recover(&self, state: &mut State) {
        if state.health != Health::Ending {
            state.health = Health::Well;
            self.readiness.ready();
        }
    }

    pub(super) fn shut_down(&self) {
        self.lock().health = Health::Ending;
        self.readiness.in_transition("shutting down");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
