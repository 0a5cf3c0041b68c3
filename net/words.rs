//! Text that comes from others, made fit for a log line.

/// Longer than this nothing is repeated that somebody else has said.
const LONGEST: usize = 512;

/// What somebody else said: on one line, without what a terminal would act upon, and cut to a length.
pub fn cut(text: &str) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let space = usize::from(!out.is_empty());
        if out.len() + space + word.len() > LONGEST {
            let room = LONGEST.saturating_sub(out.len() + space);
            let end = (0..=room).rev().find(|end| word.is_char_boundary(*end)).unwrap_or(0);
            out.push_str(&" "[..space]);
            out.push_str(&word[..end]);
            out.push('…');
            return out;
        }
        out.push_str(&" "[..space]);
        out.push_str(word);
    }
    out
}

/// A date as HTTP writes it (`Sun, 06 Nov 1994 08:49:37 GMT`), in seconds since 1970. Its two older forms nobody writes any more.
pub fn http_date(text: &str) -> Option<u64> {
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.strip_suffix(" GMT")?.split([' ', ':']);
    let mut number = |most: u64| parts.next()?.parse::<u64>().ok().filter(|number| *number <= most);
    let day = number(31)?;
    let month = MONTHS.iter().position(|month| date.get(3..6) == Some(*month))? as u64 + 1;
    number(0);
    let (year, hour, minute, second) = (number(9999)?, number(23)?, number(59)?, number(60)?);
    // Days since 1 March of the year 0, when leap days stand at the end of their years.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day.checked_sub(1)?;
    Some(days.checked_sub(719_468)? * 86_400 + hour * 3600 + minute * 60 + second)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::{cut, http_date};

    #[test]
    fn dates_are_read() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for wrong in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "x, 00 Jan 0000 00:00:00 GMT", "x, 1 é 2 GMT"] {
            assert_eq!(http_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn it_is_one_line_of_bounded_length() {
        assert_eq!(cut("  said\n\tno\u{1b}[31m  "), "said no [31m");
        assert_eq!(cut(""), "");
        let long = cut(&"ä".repeat(1000));
        assert!(long.len() <= 515 && long.ends_with('…'), "{}", long.len());
        assert!(cut(&"ten bytes ".repeat(100)).len() <= 515);
    }
}
