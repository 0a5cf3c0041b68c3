//! How times are written: the `%` directives of `FormatTime` and `Time`.

use std::fmt::Write;

use super::moments::Moment;

/// A layout, read once.
#[derive(Clone, Debug)]
pub(super) struct Layout(Vec<Part>);

/// What a layout is made of.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Text; a run of spaces stands for any run of spaces when a time is read.
    Text(String),
    /// Four digits.
    Year,
    /// Two digits; from 69 on, of the last century.
    YearOfCentury,
    /// Four digits, or two where a time is read.
    AnyYear,
    Month(Digits),
    MonthName(Name),
    Day(Digits),
    WeekdayName(Name),
    Hour,
    /// Of twelve.
    Hour12(Digits),
    /// `AM` or `PM`, or small.
    HalfDay {
        small: bool,
    },
    Minute,
    Second,
    /// A point or comma, and the most digits behind it; all of it is left out where there is nothing to say.
    Fraction {
        mark: char,
        digits: usize,
    },
    ZoneName,
    Offset(Offset),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Digits {
    Two,
    Spaced,
    Bare,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Name {
    Short,
    Long,
}

/// How the distance to UTC is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Offset {
    /// `+0100`, `+01:00`, `+01` or `Z` are read; `Z` is written.
    Any,
    /// `-070000`.
    Seconds,
    /// `-07`.
    Hours,
    /// `-07:00`.
    Colon,
    /// `-07:00:00`.
    ColonSeconds,
}

/// A time as it was read: by the clock of some zone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) moment: Moment,
    /// Whether a year was read.
    pub(super) has_year: bool,
    pub(super) zone: Option<Zone>,
}

/// The zone that a time says it is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Zone {
    /// Seconds east of UTC.
    Offset(i64),
    /// `EST`.
    Named(String),
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Layout {
    /// Reads one, or says in words what is wrong with it.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        if written.is_empty() {
            return Err("is empty".to_owned());
        }
        if written.contains(|sign: char| sign.is_ascii_digit()) {
            return Err("has digits, which the Collector takes for a layout of its own".to_owned());
        }
        let mut parts = vec![];
        let mut rest = written;
        while let Some((before, after)) = rest.split_once('%') {
            put(&mut parts, before);
            let Some(letter) = after.chars().next() else {
                put(&mut parts, "%");
                return Ok(Self(parts));
            };
            directive(letter, &mut parts)?;
            rest = &after[letter.len_utf8()..];
        }
        put(&mut parts, rest);
        Ok(Self(parts))
    }

    /// Whether a time that is read by it has a year.
    pub(super) fn has_year(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Year | Part::YearOfCentury | Part::AnyYear))
    }

    /// A moment, written in UTC.
    pub(super) fn write(&self, at: &Moment) -> String {
        let mut out = String::new();
        for part in &self.0 {
            part.write(&mut out, at);
        }
        out
    }

    /// A time, read; `None` where the text is not like that to its end.
    pub(super) fn read(&self, text: &str) -> Option<Reading> {
        let mut reader = Reader { rest: text, reading: Reading::default(), is_afternoon: None };
        reader.reading.moment.month = 1;
        reader.reading.moment.day = 1;
        for (place, part) in self.0.iter().enumerate() {
            reader.part(part, self.0.get(place + 1))?;
        }
        let is_empty = reader.rest.is_empty();
        is_empty.then(|| reader.finished())?
    }
}

fn put(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

fn directive(letter: char, parts: &mut Vec<Part>) -> Result<(), String> {
    let part = match letter {
        'Y' => Part::Year,
        'y' => Part::YearOfCentury,
        'm' => Part::Month(Digits::Two),
        'q' => Part::Month(Digits::Bare),
        // The Collector means a space and writes an underscore.
        'o' => {
            put(parts, "_");
            Part::Month(Digits::Spaced)
        }
        'b' | 'h' => Part::MonthName(Name::Short),
        'B' => Part::MonthName(Name::Long),
        'd' => Part::Day(Digits::Two),
        'e' => Part::Day(Digits::Spaced),
        'g' => Part::Day(Digits::Bare),
        'a' => Part::WeekdayName(Name::Short),
        'A' => Part::WeekdayName(Name::Long),
        'H' => Part::Hour,
        'I' => Part::Hour12(Digits::Two),
        'l' => Part::Hour12(Digits::Bare),
        'p' => Part::HalfDay { small: false },
        'P' => Part::HalfDay { small: true },
        'M' => Part::Minute,
        'S' => Part::Second,
        'L' | 'f' | 's' => return fraction(letter, parts),
        'Z' => Part::ZoneName,
        'z' => Part::Offset(Offset::Any),
        'w' => Part::Offset(Offset::Seconds),
        'i' => Part::Offset(Offset::Hours),
        'j' => Part::Offset(Offset::Colon),
        'k' => Part::Offset(Offset::ColonSeconds),
        'n' | 't' | '%' => {
            put(
                parts,
                if letter == 'n' {
                    "\n"
                } else if letter == 't' {
                    "\t"
                } else {
                    "%"
                },
            );
            return Ok(());
        }
        'D' | 'x' => {
            directives("m/d/", parts)?;
            Part::AnyYear
        }
        'F' => return directives("Y-m-d", parts),
        'T' | 'X' => return directives("H:M:S", parts),
        'r' => return directives("I:M:S P", parts),
        'R' => return directives("H:M", parts),
        'c' => return directives("a b d H:M:S Y", parts),
        other => return Err(format!("has the directive %{other}, which there is not")),
    };
    parts.push(part);
    Ok(())
}

/// Several directives, with what stands between them.
fn directives(letters: &str, parts: &mut Vec<Part>) -> Result<(), String> {
    for letter in letters.chars() {
        if letter.is_ascii_alphabetic() { directive(letter, parts)? } else { put(parts, &letter.to_string()) }
    }
    Ok(())
}

/// A fraction takes the mark before it along.
fn fraction(letter: char, parts: &mut Vec<Part>) -> Result<(), String> {
    let digits = match letter {
        'L' => 3,
        'f' => 6,
        _ => 9,
    };
    let mark = match parts.last_mut() {
        Some(Part::Text(text)) => text.pop().filter(|mark| matches!(mark, '.' | ',')),
        _ => None,
    };
    parts.retain(|part| *part != Part::Text(String::new()));
    let mark = mark.ok_or_else(|| format!("has %{letter} where no . or , stands before it"))?;
    parts.push(Part::Fraction { mark, digits });
    Ok(())
}

impl Part {
    fn write(&self, out: &mut String, at: &Moment) {
        let digits = |out: &mut String, number: u32, digits: Digits| match digits {
            Digits::Two => write!(out, "{number:02}"),
            Digits::Spaced if matches!(self, Part::Day(_)) => write!(out, "{number:2}"),
            Digits::Spaced | Digits::Bare => write!(out, "{number}"),
        };
        let name = |name: &'static str, length: Name| if length == Name::Short { &name[..3] } else { name };
        let hour12 = if at.hour.is_multiple_of(12) { 12 } else { at.hour % 12 };
        let _ = match *self {
            Part::Text(ref text) => write!(out, "{text}"),
            Part::Year | Part::AnyYear => write!(out, "{:04}", at.year),
            Part::YearOfCentury => write!(out, "{:02}", at.year.rem_euclid(100)),
            Part::Month(length) => digits(out, at.month, length),
            Part::MonthName(length) => write!(out, "{}", name(MONTHS[at.month.saturating_sub(1) as usize % 12], length)),
            Part::Day(length) => digits(out, at.day, length),
            Part::WeekdayName(length) => write!(out, "{}", name(WEEKDAYS[at.weekday() as usize % 7], length)),
            Part::Hour => write!(out, "{:02}", at.hour),
            Part::Hour12(length) => digits(out, hour12, length),
            Part::HalfDay { small } => out.write_str(match (at.hour < 12, small) {
                (true, false) => "AM",
                (true, true) => "am",
                (false, false) => "PM",
                (false, true) => "pm",
            }),
            Part::Minute => write!(out, "{:02}", at.minute),
            Part::Second => write!(out, "{:02}", at.second),
            Part::Fraction { mark, digits } => {
                let all = format!("{:09}", at.nano);
                let said = all[..digits].trim_end_matches('0');
                if said.is_empty() { Ok(()) } else { write!(out, "{mark}{said}") }
            }
            Part::ZoneName => out.write_str("UTC"),
            Part::Offset(offset) => out.write_str(match offset {
                Offset::Any => "Z",
                Offset::Seconds => "+000000",
                Offset::Hours => "+00",
                Offset::Colon => "+00:00",
                Offset::ColonSeconds => "+00:00:00",
            }),
        };
    }
}

struct Reader<'a> {
    rest: &'a str,
    reading: Reading,
    is_afternoon: Option<bool>,
}

impl Reader<'_> {
    fn part(&mut self, part: &Part, next: Option<&Part>) -> Option<()> {
        match part {
            Part::Text(text) => return self.text(text),
            Part::AnyYear if self.rest.bytes().take(4).take_while(u8::is_ascii_digit).count() < 4 => {
                return self.part(&Part::YearOfCentury, next);
            }
            Part::Year | Part::AnyYear => {
                let digits = self.digits(4, 4)?;
                self.reading.moment.year = i64::from(digits);
                self.reading.has_year = digits > 0;
            }
            Part::YearOfCentury => {
                let digits = i64::from(self.digits(2, 2)?);
                self.reading.moment.year = if digits >= 69 { 1_900 + digits } else { 2_000 + digits };
                self.reading.has_year = true;
            }
            Part::Month(_) => self.reading.moment.month = self.digits(1, 2)?,
            Part::MonthName(length) => self.reading.moment.month = self.name(&MONTHS, *length)? + 1,
            Part::Day(_) => self.reading.moment.day = self.digits(1, 2)?,
            Part::WeekdayName(length) => drop(self.name(&WEEKDAYS, *length)?),
            Part::Hour => self.reading.moment.hour = self.digits(1, 2)?,
            Part::Hour12(_) => self.reading.moment.hour = self.digits(1, 2).filter(|hour| *hour <= 12)?,
            Part::HalfDay { small } => self.half_day(*small)?,
            Part::Minute => self.reading.moment.minute = self.digits(1, 2)?,
            Part::Second => {
                self.reading.moment.second = self.digits(1, 2)?;
                // A fraction may follow though the layout does not say so.
                if !matches!(next, Some(Part::Fraction { .. })) {
                    self.fraction();
                }
            }
            Part::Fraction { .. } => self.fraction(),
            Part::ZoneName => self.zone_name()?,
            Part::Offset(offset) => self.offset(*offset)?,
        }
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        let mut text = text;
        while let Some(sign) = text.chars().next() {
            if sign == ' ' {
                if !self.rest.is_empty() && !self.rest.starts_with(' ') {
                    return None;
                }
                text = text.trim_start_matches(' ');
                self.rest = self.rest.trim_start_matches(' ');
            } else {
                self.rest = self.rest.strip_prefix(sign)?;
                text = &text[sign.len_utf8()..];
            }
        }
        Some(())
    }

    /// A number of so many digits; white space before it says nothing.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let rest = self.rest.trim_start();
        let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at(count);
        self.rest = rest;
        if count < least { None } else { digits.parse().ok() }
    }

    fn name(&mut self, names: &[&'static str], length: Name) -> Option<u32> {
        let place = names.iter().position(|name| {
            let name = if length == Name::Short { &name[..3] } else { name };
            self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })?;
        let length = if length == Name::Short { 3 } else { names[place].len() };
        self.rest = &self.rest[length..];
        u32::try_from(place).ok()
    }

    fn half_day(&mut self, small: bool) -> Option<()> {
        let (morning, afternoon) = if small { ("am", "pm") } else { ("AM", "PM") };
        let half = self.rest.get(..2)?;
        if half != morning && half != afternoon {
            return None;
        }
        self.is_afternoon = Some(half == afternoon);
        self.rest = &self.rest[2..];
        Some(())
    }

    /// Digits behind a point or a comma; those beyond the ninth say nothing.
    fn fraction(&mut self) {
        let Some(digits) = self.rest.strip_prefix(['.', ',']).filter(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit())) else {
            return;
        };
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let said: String = digits[..count].chars().chain(std::iter::repeat('0')).take(9).collect();
        self.reading.moment.nano = said.parse().unwrap_or(0);
        self.rest = &digits[count..];
    }

    /// An abbreviation of three or four capitals, `UTC` and `GMT` among them.
    fn zone_name(&mut self) -> Option<()> {
        let count = self.rest.bytes().take_while(u8::is_ascii_uppercase).count();
        let (name, rest) = self.rest.split_at(count);
        if !(count == 3 || (count == 4 && (name.ends_with('T') || name == "WITA"))) {
            return None;
        }
        self.rest = rest;
        let is_utc = matches!(name, "UTC" | "GMT");
        self.reading.zone = Some(if is_utc { Zone::Offset(0) } else { Zone::Named(name.to_owned()) });
        Some(())
    }

    fn offset(&mut self, offset: Offset) -> Option<()> {
        if offset == Offset::Any {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix('Z') {
                self.rest = rest;
                self.reading.zone = Some(Zone::Offset(0));
                return Some(());
            }
        }
        let sign = match self.rest.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours = self.pair()?;
        let (minutes, seconds) = match offset {
            Offset::Hours => (0, 0),
            Offset::Any if !self.rest.starts_with(|sign: char| sign == ':' || sign.is_ascii_digit()) => (0, 0),
            Offset::Any => {
                self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
                (self.pair()?, 0)
            }
            Offset::Colon => (self.colon_pair()?, 0),
            Offset::ColonSeconds => (self.colon_pair()?, self.colon_pair()?),
            Offset::Seconds => (self.pair()?, self.pair()?),
        };
        let within = hours <= 24 && minutes <= 60 && seconds <= 60;
        self.reading.zone = Some(Zone::Offset(sign * (hours * 3_600 + minutes * 60 + seconds)));
        within.then_some(())
    }

    fn pair(&mut self) -> Option<i64> {
        let pair = self.rest.get(..2).filter(|pair| pair.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.rest = &self.rest[2..];
        pair.parse().ok()
    }

    fn colon_pair(&mut self) -> Option<i64> {
        self.rest = self.rest.strip_prefix(':')?;
        self.pair()
    }

    fn finished(mut self) -> Option<Reading> {
        let hour = &mut self.reading.moment.hour;
        match self.is_afternoon {
            Some(true) if *hour < 12 => *hour += 12,
            Some(false) if *hour == 12 => *hour = 0,
            _ => {}
        }
        Some(self.reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let at = Moment::at(1_700_000_000_123_456_789);
        for layout in ["%Y-%m-%dT%H:%M:%S.%s", "%d/%b/%Y %I:%M:%S,%s %p", "%A %e %B %y %T.%s", "%F %X.%s %z"] {
            let layout = Layout::new(layout).unwrap();
            assert_eq!(layout.read(&layout.write(&at)).unwrap().moment, at, "{layout:?}");
        }
    }

    #[test]
    fn layouts_that_are_none_say_why() {
        for (layout, wrong) in [
            ("", "is empty"),
            ("2006", "has digits, which the Collector takes for a layout of its own"),
            ("%Q", "has the directive %Q, which there is not"),
            ("%S%L", "has %L where no . or , stands before it"),
            ("%s", "has %s where no . or , stands before it"),
        ] {
            assert_eq!(Layout::new(layout).unwrap_err(), wrong);
        }
    }
}
