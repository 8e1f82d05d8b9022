//! What part of list and archive is compared.

use std::collections::BTreeSet;

use scoresync_domain::{Timestamp, normalise_key_part};

/// Courses and a time; a result is in it where either side says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    courses: BTreeSet<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Scope {
    /// Results of these courses, of any where none is named, that were finished from one moment on and before another.
    #[must_use]
    pub fn new<'c>(courses: impl IntoIterator<Item = &'c str>, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self {
            courses: courses.into_iter().map(|course| normalise_key_part(course).into_owned()).collect(),
            from,
            to,
        }
    }

    /// Whether a result is in it of this course that was finished then. What does not say so is in it.
    #[must_use]
    pub fn holds(&self, course_id: Option<&str>, finished: Option<Timestamp>) -> bool {
        let is_of_course = self.courses.is_empty() || course_id.is_none_or(|course_id| self.courses.contains(course_id));
        let is_late_enough = |finished| self.from.is_none_or(|from| finished >= from);
        let is_early_enough = |finished| self.to.is_none_or(|to| finished < to);
        is_of_course && finished.is_none_or(|finished| is_late_enough(finished) && is_early_enough(finished))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scope: &Scope, (course_id, finished): (Option<&str>, Option<i64>), expected: bool) {
        let held = scope.holds(course_id, finished.map(Timestamp::from_millis));
        assert_eq!(held, expected, "{course_id:?} {finished:?} in {scope:?}");
    }

    #[test]
    fn a_scope_is_of_courses_and_a_half_open_time() {
        let at = |millis| Some(Timestamp::from_millis(millis));
        let scope = Scope::new([" C-1 "], at(10), at(20));
        check(&scope, (Some("C-1"), Some(10)), true);
        check(&scope, (Some("C-1"), Some(20)), false);
        check(&scope, (Some("C-1"), Some(9)), false);
        check(&scope, (Some("C-2"), Some(15)), false);
        check(&scope, (None, None), true);
        check(&Scope::default(), (Some("C-9"), Some(0)), true);
    }
}
