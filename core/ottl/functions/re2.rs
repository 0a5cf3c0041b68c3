//! Regular expressions as the Collector understands them, written for the crate that runs them.
//!
//! Both are linear and nearly the same language. What differs is translated: `\d`, `\w`, `\s` and `\b` mean ASCII, `\<` is a sign and no beginning of a
//! word, `[a&&b]` is a list of three signs, `a{,2}` is literal text, `\Q…\E` quotes. What the Collector refuses is refused here too.

use std::iter::Peekable;
use std::str::Chars;

/// The most repetitions that a pattern may ask for.
const MOST_REPEATS: u32 = 1_000;

/// The pattern in the crate's own words.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let mut translation = Translation { rest: pattern.chars().peekable(), out: String::with_capacity(pattern.len() + 16), repeats: false };
    translation.run()?;
    Ok(translation.out)
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// Whether what was written last is a repetition, which cannot be repeated.
    repeats: bool,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(sign) = self.rest.next() {
            let repeated = std::mem::take(&mut self.repeats);
            match sign {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => self.repeat(&sign.to_string(), repeated)?,
                '{' => match self.counts()? {
                    Some(counts) => self.repeat(&counts, repeated)?,
                    None => self.out.push_str("\\{"),
                },
                '}' | ']' => self.literal(sign),
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    fn literal(&mut self, sign: char) {
        // In the crate's own words, \< and \> are where a word begins and ends.
        if sign.is_ascii_punctuation() && !matches!(sign, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(sign);
    }

    /// A repetition, lazy or not.
    fn repeat(&mut self, written: &str, repeated: bool) -> Result<(), String> {
        if repeated {
            return Err(format!("{written} repeats what is a repetition already"));
        }
        self.out.push_str(written);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        self.repeats = true;
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,3}`, whose brace is read; anything else is literal text.
    fn counts(&mut self) -> Result<Option<String>, String> {
        let ahead: String = self.rest.clone().take(16).collect();
        let Some((inside, _)) = ahead.split_once('}') else { return Ok(None) };
        let (least, most) = inside.split_once(',').map_or((inside, None), |(least, most)| (least, Some(most)));
        let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_count(least) || !most.is_none_or(|most| most.is_empty() || is_count(most)) {
            return Ok(None);
        }
        let too_many = |text: &str| !text.is_empty() && text.parse::<u32>().is_ok_and(|count| count > MOST_REPEATS);
        if too_many(least) || most.is_some_and(too_many) {
            return Err(format!("repeats more than {MOST_REPEATS} times"));
        }
        self.rest.by_ref().take(inside.len() + 1).for_each(drop);
        Ok(Some(format!("{{{inside}}}")))
    }

    /// What follows the opening of a group. Its flags are those of the Collector only; names and kinds are judged by the crate.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        while let Some(sign) = self.rest.next_if(|sign| matches!(sign, 'a'..='z' | 'A'..='Z' | '-')) {
            if sign == 'P' {
                self.out.push('P');
                return Ok(());
            }
            if !matches!(sign, 'i' | 'm' | 's' | 'U' | '-') {
                return Err(format!("there is no flag {sign}"));
            }
            self.out.push(sign);
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let sign = self.rest.next().ok_or("ends with a backslash")?;
        match sign {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.push_str("[\\t\\n\\f\\r ]"),
            'S' => self.out.push_str("[^\\t\\n\\f\\r ]"),
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => self.out.push_str("(?-u:\\B)"),
            'A' | 'z' => self.out.extend(['\\', sign]),
            'Q' => self.quoted(),
            'p' | 'P' => self.property(sign),
            other => {
                let letter = self.sign(other)?;
                self.put(letter);
            }
        }
        Ok(())
    }

    /// Up to `\E` or the end, all is literal.
    fn quoted(&mut self) {
        while let Some(sign) = self.rest.next() {
            if sign == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(sign);
        }
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}`.
    fn property(&mut self, sign: char) {
        let braced = self.rest.next_if_eq(&'{').is_some();
        let negated = braced && self.rest.next_if_eq(&'^').is_some();
        self.out.extend(['\\', if negated == (sign == 'p') { 'P' } else { 'p' }]);
        if braced {
            self.out.push('{');
            for letter in self.rest.by_ref() {
                self.out.push(letter);
                if letter == '}' {
                    break;
                }
            }
        } else {
            self.out.extend(self.rest.next());
        }
    }

    /// The one sign that an escape means.
    fn sign(&mut self, escaped: char) -> Result<char, String> {
        let code = match escaped {
            'a' => 0x07,
            'f' => 0x0c,
            't' => 0x09,
            'n' => 0x0a,
            'r' => 0x0d,
            'v' => 0x0b,
            '0' => self.octal(0, 2),
            '1'..='7' if self.rest.peek().is_some_and(|next| ('0'..='7').contains(next)) => self.octal(escaped as u32 - '0' as u32, 2),
            '1'..='9' => return Err(format!("\\{escaped} would look back, and that is not linear")),
            'x' => self.hexadecimal()?,
            sign if sign.is_ascii() && !sign.is_ascii_alphanumeric() => sign as u32,
            other => return Err(format!("there is no escape \\{other}")),
        };
        char::from_u32(code).ok_or_else(|| "names no character".to_owned())
    }

    fn octal(&mut self, first: u32, most: usize) -> u32 {
        let mut code = first;
        for _ in 0..most {
            let Some(digit) = self.rest.peek().and_then(|sign| sign.to_digit(8)) else { break };
            code = code * 8 + digit;
            self.rest.next();
        }
        code
    }

    fn hexadecimal(&mut self) -> Result<u32, String> {
        let no_code = || "\\x is followed by two hexadecimal digits, or by some in braces".to_owned();
        let digits: String = if self.rest.next_if_eq(&'{').is_some() {
            let digits = std::iter::from_fn(|| self.rest.next_if(char::is_ascii_hexdigit)).collect();
            self.rest.next_if_eq(&'}').ok_or_else(no_code)?;
            digits
        } else {
            let two: String = self.rest.by_ref().take(2).collect();
            if two.len() == 2 { two } else { return Err(no_code()) }
        };
        u32::from_str_radix(&digits, 16).map_err(|_| no_code())
    }

    /// One sign, whatever it is.
    fn put(&mut self, sign: char) {
        if sign.is_ascii_control() { self.out.push_str(&format!("\\x{:02x}", sign as u32)) } else { self.literal(sign) }
    }

    /// A class, whose bracket is read.
    fn class(&mut self) -> Result<(), String> {
        const OPEN: &str = "the bracket [ is never closed";
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let sign = self.rest.next().ok_or(OPEN)?;
            match sign {
                ']' if !is_first => break,
                '[' if self.rest.peek() == Some(&':') && self.named_class()? => {}
                '\\' => {
                    let escaped = self.rest.next().ok_or(OPEN)?;
                    match escaped {
                        'd' => self.out.push_str("0-9"),
                        'w' => self.out.push_str("0-9A-Za-z_"),
                        's' => self.out.push_str("\\t\\n\\f\\r "),
                        'D' => self.out.push_str("[^0-9]"),
                        'W' => self.out.push_str("[^0-9A-Za-z_]"),
                        'S' => self.out.push_str("[^\\t\\n\\f\\r ]"),
                        'p' | 'P' => self.property(escaped),
                        other => {
                            let low = self.sign(other)?;
                            self.range(low)?;
                        }
                    }
                }
                low => self.range(low)?,
            }
            is_first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:alpha:]`, whose first bracket is read; false where it is none.
    fn named_class(&mut self) -> Result<bool, String> {
        let ahead: String = self.rest.clone().skip(1).take_while(|sign| *sign != ']').collect();
        let Some(name) = ahead.strip_suffix(':') else { return Ok(false) };
        const NAMES: [&str; 14] =
            ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"];
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("there is no class [:{name}:]"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest.by_ref().take(name.chars().count() + 3).for_each(drop);
        Ok(true)
    }

    /// A sign of a class, or the range that begins with it.
    fn range(&mut self, low: char) -> Result<(), String> {
        self.put(low);
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.next(), None | Some(']')) {
            return Ok(());
        }
        self.rest.next();
        let high = match self.rest.next() {
            Some('\\') => {
                let escaped = self.rest.next().ok_or("ends with a backslash")?;
                self.sign(escaped)?
            }
            Some(sign) => sign,
            None => return Ok(()),
        };
        if high < low {
            return Err(format!("the range {low}-{high} runs backwards"));
        }
        self.out.push('-');
        self.put(high);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_translated() {
        for (pattern, written) in [
            ("^GET /[0-9]+$", "^GET /[0-9]+$"),
            (r"\d\w\s", r"[0-9][0-9A-Za-z_][\t\n\f\r ]"),
            (r"[\d\w-]", r"[0-90-9A-Za-z_\-]"),
            (r"\ba\B", r"(?-u:\b)a(?-u:\B)"),
            (r"\<a\/\>", r"<a\/>"),
            ("[a&&b]", r"[a\&\&b]"),
            ("[[]", r"[\[]"),
            ("[]a]", r"[\]a]"),
            ("[[:alpha:]_]", r"[[:alpha:]\_]"),
            ("a{,2}b{1,2}c{3}d{4,}", r"a\{,2\}b{1,2}c{3}d{4,}"),
            (r"\Qa.b\Ec", r"a\.bc"),
            (r"\Qa.b", r"a\.b"),
            (r"\x41\x{1F600}\101\0", r"A😀A\x00"),
            (r"\pL\PL\p{Greek}\p{^Greek}\P{^Greek}", r"\pL\PL\p{Greek}\P{Greek}\p{Greek}"),
            ("(?i)a(?P<n>b)(?<m>c)(?:d)(?s-U:e)", "(?i)a(?P<n>b)(?<m>c)(?:d)(?s-U:e)"),
            (r"[\]\-a-c\x41-\x43]", r"[\]\-a-cA-C]"),
        ] {
            assert_eq!(translated(pattern).as_deref(), Ok(written), "{pattern}");
        }
    }

    #[test]
    fn what_the_collector_refuses_is_refused() {
        for pattern in [
            r"(x)\1", r"\8", r"\u0061", r"\C", "x**", "x+*", "x{2}{3}", "x{1001}", "(?x)a", "(?R)a", "[a--]", "[", "[a", "[:x:", "\\",
            "[[:x:]]", r"\é",
        ] {
            let written = translated(pattern);
            assert!(written.as_deref().map_or(true, |written| regex::Regex::new(written).is_err()), "{pattern}: {written:?}");
        }
    }

    /// Quick signs beside each other make all the mistakes there are.
    #[test]
    fn arbitrary_patterns_do_not_panic() {
        proptest::proptest!(|(pattern in r"([a-c\\\[\]\^\-{}()?*+|&~<>,0-9:dDwWsSbBQEpPxz.]|é){0,24}")| {
            let _ = translated(&pattern);
        });
    }
}
