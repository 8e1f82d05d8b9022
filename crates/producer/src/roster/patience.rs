//! How long whoever wants something from the broker goes on waiting for it.

use std::{
    thread,
    time::{Duration, Instant},
};

use scoresync_service::{Backoff, BackoffLimits, Loudness};

/// How often the one who waits is asked.
pub(super) const BEAT: Duration = Duration::from_millis(50);

/// Whoever waits did not want to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GivenUp;

/// One wait, with somebody who is asked again and again whether to go on.
pub(super) struct Patience<'a> {
    since: Instant,
    backoff: Backoff,
    goes_on: &'a mut dyn FnMut(Duration) -> bool,
}

impl<'a> Patience<'a> {
    /// `goes_on` is told for how long nothing has come.
    pub(super) fn new(goes_on: &'a mut dyn FnMut(Duration) -> bool) -> Self {
        let limits = BackoffLimits {
            longest: Duration::from_secs(5),
            ..BackoffLimits::default()
        };
        Self {
            since: Instant::now(),
            backoff: Backoff::new(limits),
            goes_on,
        }
    }

    /// Something came: the wait begins anew.
    pub(super) fn renew(&mut self) {
        self.since = Instant::now();
        self.backoff.reset();
    }

    /// Asks whether to go on.
    pub(super) fn ask(&mut self) -> Result<(), GivenUp> {
        if (self.goes_on)(self.since.elapsed()) {
            Ok(())
        } else {
            Err(GivenUp)
        }
    }

    /// Waits before the next attempt, after one that failed for `cause`.
    pub(super) fn back_off(&mut self, cause: &dyn std::error::Error) -> Result<(), GivenUp> {
        let until = Instant::now() + self.backoff.next_delay();
        let causes = std::iter::successors(cause.source(), |cause| cause.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        let cause = [vec![cause.to_string()], causes].concat().join(": ");
        match self.backoff.loudness() {
            Loudness::Quiet => tracing::info!("{cause}; trying again"),
            Loudness::Warn => tracing::warn!("{cause}; trying again"),
            Loudness::Error => tracing::error!("{cause}; trying again, but a person should look"),
        }
        while Instant::now() < until {
            self.ask()?;
            thread::sleep(BEAT.min(until.saturating_duration_since(Instant::now())));
        }
        self.ask()
    }
}
