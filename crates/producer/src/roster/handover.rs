//! Somebody new with something that others had before, such as a phone that was given on: it is theirs from the hand-over on, so that what
//! arrives late about the time before still belongs to those who had it.

use scoresync_domain::{Employee, Identity, Region, RosterEntry, Timestamp};

/// Dates what the entry of an employee who is not known yet states without a start: from when the last of the others had it no more, and at
/// the latest from `as_of` on.
///
/// What one of `others` has without an end is shared, and is left undated: two candidates are better than a guess. After that one nobody else
/// is asked for, as a placeholder may be shared by everybody.
pub(super) fn date<E, I>(entry: &mut RosterEntry, as_of: Timestamp, others: impl Fn(&Identity) -> I) -> Result<(), E>
where
    I: Iterator<Item = Result<Identity, E>>,
{
    for identity in entry.identities.iter_mut().filter(|identity| identity.valid_from.is_none()) {
        let Some(last) = last_end(others(identity))? else { continue };
        let start = last.min(as_of);
        let ends_before = |end: Option<Timestamp>| end.is_some_and(|end| end <= start);
        if !ends_before(identity.valid_to) && !ends_before(entry.left_at) {
            identity.valid_from = Some(start);
        }
    }
    Ok(())
}

/// When the last of those who held something held it no more; `None` where there are none, or one has no end.
fn last_end<E>(held: impl Iterator<Item = Result<Identity, E>>) -> Result<Option<Timestamp>, E> {
    let mut last = None;
    for held in held {
        let Some(end) = held?.valid_to else { return Ok(None) };
        last = last.max(Some(end));
    }
    Ok(last)
}

/// When an employee has or had an identity, those times left out that are none.
pub(super) fn held_by(employee: Employee, identity: &Identity, region: Region) -> Vec<Identity> {
    let key = identity.key(region);
    let is_some_time = |held: &Identity| held.valid_to.is_none_or(|to| held.valid_from.is_none_or(|from| from < to));
    let held = employee.identities.into_iter();
    held.filter(|held| held.key(region) == key && is_some_time(held)).collect()
}

/// One by one, or the error alone.
pub(super) fn one_by_one<E>(held: Result<Vec<Identity>, E>) -> impl Iterator<Item = Result<Identity, E>> {
    let (held, error) = match held {
        Ok(held) => (held, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    held.into_iter().map(Ok).chain(error.map(Err))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::fixtures::{REGION, employee, entry, millis, phone};

    fn dated(from: Option<i64>, to: Option<i64>) -> Identity {
        Identity {
            valid_from: from.map(millis),
            valid_to: to.map(millis),
            ..phone(1)
        }
    }

    /// The start of what an entry of the moment 20 states.
    fn check_entry(mut entry: RosterEntry, others: &[Identity], expected: Option<i64>) {
        let others = employee("E1", others.to_vec(), 10);
        let held = |identity: &Identity| held_by(others.clone(), identity, REGION).into_iter().map(Ok::<_, ()>);
        date(&mut entry, millis(20), held).unwrap();
        assert_eq!(entry.identities[0].valid_from, expected.map(millis), "{others:?}");
    }

    fn check(others: &[Identity], expected: Option<i64>) {
        check_entry(entry("E2", vec![phone(1)]), others, expected);
    }

    #[test]
    fn what_others_gave_on_begins_where_they_ended() {
        check(&[], None);
        check(&[phone(2)], None);
        check(&[dated(None, Some(15))], Some(15));
        check(&[dated(None, Some(5)), dated(Some(8), Some(15))], Some(15));
        check(&[dated(None, Some(20))], Some(20));
        check(&[dated(None, Some(5)), dated(Some(7), Some(7))], Some(5));
    }

    #[test]
    fn what_others_are_about_to_give_on_begins_with_the_statement() {
        check(&[dated(None, Some(90))], Some(20));
    }

    #[test]
    fn what_is_shared_is_nobody_s_alone() {
        check(&[phone(1)], None);
        check(&[dated(None, Some(15)), dated(Some(18), None)], None);
    }

    #[test]
    fn after_somebody_who_shares_it_without_an_end_nobody_else_is_asked_for() {
        let asked = std::cell::Cell::new(0);
        let everybody = |_: &Identity| {
            let ask = |held| Ok::<_, ()>((held, asked.set(asked.get() + 1)).0);
            [dated(None, Some(15)), phone(1)].into_iter().cycle().take(10_000).map(ask)
        };
        date(&mut entry("E2", vec![phone(1)]), millis(20), everybody).unwrap();
        assert_eq!(asked.get(), 2);
    }

    #[test]
    fn an_end_before_the_hand_over_leaves_the_start_open() {
        let others = [dated(None, Some(15))];
        check_entry(entry("E2", vec![dated(None, Some(12))]), &others, None);
        check_entry(entry("E2", vec![dated(None, Some(16))]), &others, Some(15));
        let leaver = RosterEntry {
            left_at: Some(millis(12)),
            ..entry("E2", vec![phone(1)])
        };
        check_entry(leaver, &others, None);
    }

    #[test]
    fn a_start_that_is_stated_stays() {
        check_entry(entry("E2", vec![dated(Some(3), None)]), &[dated(None, Some(15))], Some(3));
    }
}
