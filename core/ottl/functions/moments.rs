//! Moments by the calendar, before and after 1970.

use std::fmt;

use crate::ottl::text::date;

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

/// A moment as people read it, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nano: u32,
}

impl Moment {
    /// That of so many nanoseconds since 1970.
    pub(super) fn at(nanos: i64) -> Self {
        let seconds = nanos.div_euclid(NANOS);
        let (year, month, day) = date(seconds.div_euclid(DAY));
        let second = small(seconds.rem_euclid(DAY));
        let nano = small(nanos.rem_euclid(NANOS));
        Self { year, month, day, hour: second / 3_600, minute: second / 60 % 60, second: second % 60, nano }
    }

    /// Its nanoseconds since 1970; `None` where a date does not exist, or lies before 1677 or after 2262.
    pub(super) fn nanos(&self) -> Option<i64> {
        let exists = (1..=12).contains(&self.month) && (1..=days_of(self.year, self.month)).contains(&self.day);
        let within = self.hour < 24 && self.minute < 60 && self.second < 60;
        let days = (exists && within).then(|| days_before(self.year, self.month, self.day))?;
        let seconds = days * DAY + i64::from(self.hour * 3_600 + self.minute * 60 + self.second);
        i64::try_from(i128::from(seconds) * i128::from(NANOS) + i128::from(self.nano)).ok()
    }

    /// The day of the week, from Sunday as 0.
    pub(super) fn weekday(&self) -> u32 {
        small((days_before(self.year, self.month, self.day) + 4).rem_euclid(7))
    }
}

/// As Go writes it: no digits behind the point that say nothing.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, nano } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if *nano > 0 {
            write!(f, ".{}", format!("{nano:09}").trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn days_of(year: i64, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a date: years begin in March, so that leap days come last.
fn days_before(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back() {
        proptest::proptest!(|(nanos: i64)| {
            proptest::prop_assert_eq!(Moment::at(nanos).nanos(), Some(nanos));
        });
        assert_eq!(Moment::at(0).weekday(), 4);
        assert_eq!(Moment::at(-1).to_string(), "1969-12-31 23:59:59.999999999 +0000 UTC");
    }

    #[test]
    fn dates_that_do_not_exist_have_no_nanoseconds() {
        let date = |year, month, day| Moment { year, month, day, ..Moment::default() }.nanos();
        assert!(date(2024, 2, 29).is_some());
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2023, 13, 1), (2023, 0, 1), (2023, 4, 31), (2023, 1, 0), (2263, 1, 1), (1677, 1, 1)]
        {
            assert_eq!(date(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}
