//! Moments: read, taken apart, written.

use jiff::tz::TimeZone;

use super::given::{nanos, text};
use super::layouts::{Layout, Reading, Zone};
use super::moments::Moment;
use super::{Arguments, Converter, Parameter, Refusal, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[
    DAY,
    FORMAT_TIME,
    HOUR,
    MINUTE,
    MONTH,
    NANOSECOND,
    NOW,
    SECOND,
    TIME,
    TRUNCATE_TIME,
    UNIX,
    UNIX_MICRO,
    UNIX_MILLI,
    UNIX_NANO,
    UNIX_SECONDS,
    WEEKDAY,
    YEAR,
];

const DAY: Converter = of_time("Day", |_| field(|moment| moment.day.into()));
const HOUR: Converter = of_time("Hour", |_| field(|moment| moment.hour.into()));
const MINUTE: Converter = of_time("Minute", |_| field(|moment| moment.minute.into()));
const MONTH: Converter = of_time("Month", |_| field(|moment| moment.month.into()));
const NANOSECOND: Converter = of_time("Nanosecond", |_| field(|moment| moment.nano.into()));
const SECOND: Converter = of_time("Second", |_| field(|moment| moment.second.into()));
/// From Sunday as 0.
const WEEKDAY: Converter = of_time("Weekday", |_| field(|moment| moment.weekday().into()));
const YEAR: Converter = of_time("Year", |_| field(|moment| moment.year));

const UNIX_MICRO: Converter = of_time("UnixMicro", |_| unix(1_000));
const UNIX_MILLI: Converter = of_time("UnixMilli", |_| unix(1_000_000));
const UNIX_NANO: Converter = of_time("UnixNano", |_| unix(1));
const UNIX_SECONDS: Converter = of_time("UnixSeconds", |_| unix(1_000_000_000));

const OF_TIME: &[Parameter] = &[Parameter::needed("time", Takes::Time)];

const fn of_time(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: OF_TIME, gives: Type::Int, make }
}

fn field(of: fn(&Moment) -> i64) -> Result<Run, Refusal> {
    Ok(Run::values(move |values| Ok(Value::Int(of(&Moment::at(nanos(values, 0)))))))
}

/// How many units of so many nanoseconds since 1970.
fn unix(unit: i64) -> Result<Run, Refusal> {
    Ok(Run::values(move |values| Ok(Value::Int(nanos(values, 0).div_euclid(unit)))))
}

/// `FormatTime(start_time, "%Y-%m-%d")`: written in UTC.
const FORMAT_TIME: Converter = Converter {
    name: "FormatTime",
    parameters: &[Parameter::needed("time", Takes::Time), Parameter::known("format", Takes::String)],
    gives: Type::String,
    make: |arguments| {
        let layout = layout(arguments)?;
        Ok(Run::values(move |values| Ok(Value::from(layout.write(&Moment::at(nanos(values, 0)))))))
    },
};

fn layout(arguments: &Arguments<'_>) -> Result<Layout, Refusal> {
    let wrong = |wrong| Refusal::of("format", wrong, "write directives such as %Y-%m-%d %H:%M:%S");
    Layout::new(arguments.text("format").unwrap_or_default()).map_err(wrong)
}

/// `Now()`: the gateway's time.
const NOW: Converter = Converter {
    name: "Now",
    parameters: &[],
    gives: Type::Time,
    make: |_| Ok(Run::scene(|scene, _| Ok(Value::Time(i64::try_from(scene.clock().now().0).unwrap_or(i64::MAX))))),
};

/// `Time("2023-11-14", "%Y-%m-%d", "Europe/Berlin")`: a time that is read. Without a location, and without a zone in the text, it is of UTC.
const TIME: Converter = Converter {
    name: "Time",
    parameters: &[
        Parameter::needed("time", Takes::String),
        Parameter::known("format", Takes::String),
        Parameter::option("location", Takes::String),
        Parameter::option("locale", Takes::String),
    ],
    gives: Type::Time,
    make: |arguments| {
        let layout = layout(arguments)?;
        let location = location(arguments.text("location").unwrap_or_default())?;
        if let Some(locale) = arguments.text("locale")
            && !locale.split(['-', '_']).next().unwrap_or_default().eq_ignore_ascii_case("en")
        {
            return Err(Refusal::of("locale", format!("is \"{locale}\", and only English is read yet"), "leave it out"));
        }
        if layout.has_year() {
            return Ok(Run::values(move |values| of_reading(read(&layout, text(values, 0))?, &location)));
        }
        Ok(Run::scene(move |scene, values| {
            let now = i64::try_from(scene.clock().now().0).unwrap_or(i64::MAX);
            of_reading(in_year_of(read(&layout, text(values, 0))?, now), &location)
        }))
    },
};

fn location(name: &str) -> Result<TimeZone, Refusal> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        name => TimeZone::get(name)
            .map_err(|_| Refusal::of("location", format!("there is no location \"{name}\""), "write one such as Europe/Berlin, or UTC")),
    }
}

fn read(layout: &Layout, text: &str) -> Result<Reading, EvalError> {
    layout.read(text).ok_or_else(|| EvalError::because("the text is no time of that format"))
}

/// Where no year is written, this one is meant, or the last where that would be more than a week ahead.
fn in_year_of(mut reading: Reading, now: i64) -> Reading {
    const WEEK: i64 = 7 * 86_400 * 1_000_000_000;
    reading.moment.year = Moment::at(now).year;
    if reading.moment.nanos().is_some_and(|nanos| nanos > now.saturating_add(WEEK)) {
        reading.moment.year -= 1;
    }
    reading
}

fn of_reading<'a>(reading: Reading, location: &TimeZone) -> Result<Value<'a>, EvalError> {
    let no_time = || EvalError::because("there is no such time, or it is not between 1677 and 2262");
    let by_its_clock = reading.moment.nanos().ok_or_else(no_time)?;
    let named;
    let zone = match &reading.zone {
        Some(Zone::Offset(seconds)) => {
            return by_its_clock.checked_sub(seconds * 1_000_000_000).map(Value::Time).ok_or_else(no_time);
        }
        Some(Zone::Named(name)) => {
            named = TimeZone::get(name).map_err(|_| EvalError::because("the text names a zone that is not known"))?;
            &named
        }
        None => location,
    };
    let moment = &reading.moment;
    let small = |number: u32| i8::try_from(number).unwrap_or(0);
    let local = jiff::civil::DateTime::new(
        i16::try_from(moment.year).unwrap_or(0),
        small(moment.month),
        small(moment.day),
        small(moment.hour),
        small(moment.minute),
        small(moment.second),
        i32::try_from(moment.nano).unwrap_or(0),
    );
    let instant = local.ok().and_then(|local| zone.to_timestamp(local).ok()).ok_or_else(no_time)?;
    i64::try_from(instant.as_nanosecond()).map(Value::Time).map_err(|_| no_time())
}

/// `TruncateTime(start_time, Duration("1h"))`: cut down to whole durations since the year 1.
const TRUNCATE_TIME: Converter = Converter {
    name: "TruncateTime",
    parameters: &[Parameter::needed("time", Takes::Time), Parameter::needed("duration", Takes::Duration)],
    gives: Type::Time,
    make: |_| {
        Ok(Run::values(|values| {
            const SINCE_YEAR_ONE: i128 = 62_135_596_800_000_000_000;
            let (time, duration) = (nanos(values, 0), nanos(values, 1));
            if duration <= 0 {
                return Ok(Value::Time(time));
            }
            let over = (i128::from(time) + SINCE_YEAR_ONE).rem_euclid(i128::from(duration));
            let cut = i64::try_from(i128::from(time) - over);
            cut.map(Value::Time).map_err(|_| EvalError::because("the time would be before 1677"))
        }))
    },
};

/// `Unix(1700000000, 5)`: a time of seconds since 1970, and nanoseconds.
const UNIX: Converter = Converter {
    name: "Unix",
    parameters: &[Parameter::needed("seconds", Takes::Int), Parameter::optional("nanoseconds", Takes::Int)],
    gives: Type::Time,
    make: |_| {
        Ok(Run::values(|values| {
            let nanos = i128::from(super::given::int(values, 0)) * 1_000_000_000 + i128::from(super::given::int(values, 1));
            i64::try_from(nanos).map(Value::Time).map_err(|_| EvalError::because("the time is not between 1677 and 2262"))
        }))
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_year_is_of_this_one_or_the_last() {
        let layout = Layout::new("%b %d").unwrap();
        let now = Moment { year: 2024, month: 1, day: 3, ..Moment::default() }.nanos().unwrap();
        for (text, year) in [("Jan 02", 2024), ("Jan 09", 2024), ("Jan 11", 2023), ("Dec 31", 2023)] {
            assert_eq!(in_year_of(layout.read(text).unwrap(), now).moment.year, year, "{text}");
        }
    }
}
