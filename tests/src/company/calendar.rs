//! When things happen in the company: all of it in 2025, in Shanghai, around one change of the roster.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::dice::Dice;

const FIRST_DAY: NaiveDate = const { NaiveDate::from_ymd_opt(2025, 2, 1).unwrap() };
const FIRST_DAY_AFTER: NaiveDate = const { NaiveDate::from_ymd_opt(2025, 7, 10).unwrap() };
const DAYS: u64 = 140;

/// The moment that the first roster speaks of.
pub(super) const FIRST_ROSTER: &str = "2025-01-01T00:00:00+08:00";
/// The moment that the later roster speaks of: leavers leave, phones change hands, numbers change.
pub(super) const LATER_ROSTER: &str = "2025-07-01T00:00:00+08:00";

/// A local time well before the later roster.
pub(super) fn before_the_change(dice: &mut Dice) -> NaiveDateTime {
    at(dice, FIRST_DAY)
}

/// A local time well after the later roster.
pub(super) fn after_the_change(dice: &mut Dice) -> NaiveDateTime {
    at(dice, FIRST_DAY_AFTER)
}

/// Either.
pub(super) fn any_time(dice: &mut Dice) -> NaiveDateTime {
    if dice.heads() {
        before_the_change(dice)
    } else {
        after_the_change(dice)
    }
}

/// A working time on one of the days from `first` on.
fn at(dice: &mut Dice, first: NaiveDate) -> NaiveDateTime {
    let day = first + Days::new(dice.number(0..DAYS));
    day.and_time(NaiveTime::MIN) + TimeDelta::seconds(dice.number(8 * 3600..20 * 3600).cast_signed())
}
