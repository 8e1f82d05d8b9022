//! How long a stage stays not ready after the broker refused something: one that gets no requests could otherwise never show that it is well
//! again, and one that gets them all the time would only alternate.

use std::time::Duration;

/// How long a rest is at least.
pub(crate) const SHORTEST: Duration = Duration::from_secs(5);
/// And at most, after refusals without a success in between; each of them makes the rest longer.
const LONGEST: Duration = Duration::from_secs(600);
const LONGER: u32 = 4;

/// The length of a rest, which grows with refusals and shrinks with a success.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    shortest: Duration,
    length: Duration,
    /// Something was refused, and nothing was taken since.
    is_refused: bool,
}

impl Rest {
    /// One that is so long at least.
    pub(crate) const fn of(shortest: Duration) -> Self {
        Self {
            shortest,
            length: shortest,
            is_refused: false,
        }
    }

    pub(crate) const fn shortest(&self) -> Duration {
        self.shortest
    }

    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    pub(crate) const fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// The broker refused something; `is_tried_again` where that was after a rest.
    pub(crate) fn refused(&mut self, is_tried_again: bool) {
        if is_tried_again && self.is_refused {
            self.length = (self.length * LONGER).min(LONGEST);
        }
        self.is_refused = true;
    }

    /// The broker took something.
    pub(crate) const fn taken(&mut self) {
        *self = Self::of(self.shortest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_grows_with_each_trial_that_fails_until_one_succeeds() {
        let mut rest = Rest::of(SHORTEST);
        let mut refused = |is_tried_again| {
            rest.refused(is_tried_again);
            rest.length().as_secs()
        };
        // What was sent before the first refusal was known is no trial.
        assert_eq!([refused(true), refused(false)], [5, 5]);
        assert_eq!([(); 5].map(|()| refused(true)), [20, 80, 320, 600, 600]);
        rest.taken();
        assert_eq!((rest.length(), rest.is_refused()), (SHORTEST, false));
    }
}
