//! Points in time as people write them.

use std::fmt;

use tracetailor_core::time::LogTime;

/// `2026-11-21T15:04:05.006Z`: shown in UTC, to the millisecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rfc3339(pub(crate) LogTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.0 / 1_000_000;
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z", second / 3_600, second / 60 % 60, second % 60)
    }
}

/// The date that is so many days after 1 January 1970. Years are counted from March, so that the day that some of them have more is their
/// last; 400 years are 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Rfc3339(LogTime(seconds * 1_000_000_000)).to_string(), shown);
        }
        assert_eq!(Rfc3339(LogTime(1_006_999_999)).to_string(), "1970-01-01T00:00:01.006Z");
    }
}
