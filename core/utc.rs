//! A moment as people read it: year, month, day and time of day, in UTC.

use std::fmt;

use crate::time::LogTime;

/// A moment by the calendar. For texts and names of files; nothing is computed with it.
///
/// ```
/// use tracetailor_core::time::{LogTime, Utc};
///
/// let moment = Utc::from(LogTime(1_581_452_772_000_000_321));
/// assert_eq!(moment.to_string(), "2020-02-11 20:26:12.000000321 +0000 UTC");
/// assert_eq!((moment.year, moment.month, moment.day), (2020, 2, 11));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc {
    /// The year.
    pub year: u64,
    /// The month, from 1.
    pub month: u64,
    /// The day of the month, from 1.
    pub day: u64,
    /// The hour.
    pub hour: u64,
    /// The minute.
    pub minute: u64,
    /// The second.
    pub second: u64,
    /// Nanoseconds of the second.
    pub nanos: u64,
}

impl From<LogTime> for Utc {
    fn from(time: LogTime) -> Self {
        let (seconds, nanos) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // Howard Hinnant's days from civil, backwards: years begin in March, so that the leap day is the last.
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self { year, month, day, hour: second / 3_600, minute: second / 60 % 60, second: second % 60, nanos }
    }
}

/// As Go writes it, and the Collector's debug exporter with it: no digits behind the point that say nothing.
impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, nanos } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if *nanos > 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_are_easy_to_get_wrong() {
        let at = |seconds: u64| Utc::from(LogTime(seconds * 1_000_000_000)).to_string();
        assert_eq!(at(0), "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(at(951_782_399), "2000-02-28 23:59:59 +0000 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00 +0000 UTC");
        assert_eq!(at(1_709_251_199), "2024-02-29 23:59:59 +0000 UTC");
        assert_eq!(at(4_107_542_399), "2100-02-28 23:59:59 +0000 UTC");
        assert_eq!(at(4_107_542_400), "2100-03-01 00:00:00 +0000 UTC");
        assert_eq!(Utc::from(LogTime(u64::MAX)).to_string(), "2554-07-21 23:34:33.709551615 +0000 UTC");
    }
}
