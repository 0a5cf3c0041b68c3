//! JSON as `ParseJSON` reads it: all numbers have a fraction, and what other readers are strict about is taken as meant.

use std::borrow::Cow;

use super::MOST_VALUES;
use super::given::too_many;
use crate::ottl::problem::EvalError;
use crate::ottl::value::Value;
use crate::telemetry::MOST_VALUE_LEVELS;

/// Reads an object or a list. Half a surrogate pair becomes U+FFFD, of a key that comes twice the last counts, and white space in a text may stand as it is.
pub(super) fn parsed(text: &str) -> Result<Value<'static>, EvalError> {
    let mut reader = Reader { rest: text, values: 0 };
    let value = reader.value(1)?;
    reader.space();
    match value {
        Value::Map(_) | Value::List(_) if reader.rest.is_empty() => Ok(value),
        Value::Map(_) | Value::List(_) => Err(no_json()),
        _ => Err(EvalError::because("the JSON is neither object nor list")),
    }
}

fn no_json() -> EvalError {
    EvalError::because("the text is no JSON")
}

struct Reader<'a> {
    rest: &'a str,
    values: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, level: u32) -> Result<Value<'static>, EvalError> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(too_many());
        }
        if level > MOST_VALUE_LEVELS {
            return Err(EvalError::because(format!("the JSON is more than {MOST_VALUE_LEVELS} levels deep")));
        }
        self.space();
        if self.takes("{") {
            return self.object(level);
        }
        if self.takes("[") {
            return self.list(level);
        }
        if self.takes("\"") {
            return self.text().map(Value::from);
        }
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Nil)] {
            if self.takes(word) {
                return Ok(value);
            }
        }
        self.number()
    }

    fn object(&mut self, level: u32) -> Result<Value<'static>, EvalError> {
        let mut entries: Vec<(Cow<'static, str>, Value<'static>)> = vec![];
        let mut places = std::collections::HashMap::new();
        self.space();
        if self.takes("}") {
            return Ok(Value::map(entries));
        }
        loop {
            self.space();
            if !self.takes("\"") {
                return Err(no_json());
            }
            let key = self.text()?;
            self.space();
            if !self.takes(":") {
                return Err(no_json());
            }
            let value = self.value(level + 1)?;
            let place = *places.entry(key.clone()).or_insert(entries.len());
            if place < entries.len() {
                entries[place].1 = value;
            } else {
                entries.push((Cow::Owned(key), value));
            }
            self.space();
            if self.takes("}") {
                return Ok(Value::map(entries));
            }
            if !self.takes(",") {
                return Err(no_json());
            }
        }
    }

    fn list(&mut self, level: u32) -> Result<Value<'static>, EvalError> {
        let mut values = vec![];
        self.space();
        if self.takes("]") {
            return Ok(Value::list(values));
        }
        loop {
            values.push(self.value(level + 1)?);
            self.space();
            if self.takes("]") {
                return Ok(Value::list(values));
            }
            if !self.takes(",") {
                return Err(no_json());
            }
        }
    }

    fn number(&mut self) -> Result<Value<'static>, EvalError> {
        let end = self.rest.find(|sign: char| !matches!(sign, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let begins = digits.strip_prefix('-').unwrap_or(digits).starts_with(|first: char| first.is_ascii_digit());
        let number = digits.parse::<f64>().ok().filter(|number| begins && number.is_finite() && !digits.ends_with('.'));
        self.rest = rest;
        // There is no zero below zero in what the Collector makes of it.
        number.map(|number| Value::Float(number + 0.0)).ok_or_else(no_json)
    }

    /// A text, whose first quote is read.
    fn text(&mut self) -> Result<String, EvalError> {
        let mut text = String::new();
        loop {
            let end = self.rest.find(['"', '\\']).ok_or_else(no_json)?;
            text.push_str(&self.rest[..end]);
            let is_end = self.rest[end..].starts_with('"');
            self.rest = &self.rest[end + 1..];
            if is_end {
                return Ok(text);
            }
            let sign = self.rest.chars().next().ok_or_else(no_json)?;
            self.rest = &self.rest[sign.len_utf8()..];
            text.push(match sign {
                '"' | '\\' | '/' => sign,
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.code_point()?,
                _ => return Err(no_json()),
            });
        }
    }

    fn code_point(&mut self) -> Result<char, EvalError> {
        let first = self.unit()?;
        if (0xd800..0xdc00).contains(&first) {
            let before = self.rest;
            if self.takes("\\u") {
                let second = self.unit()?;
                if (0xdc00..0xe000).contains(&second) {
                    let point = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                self.rest = before;
            }
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Result<u32, EvalError> {
        let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or_else(no_json)?;
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).map_err(|_| no_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deep_or_large_is_refused() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(parsed(&deep).unwrap_err().to_string().contains("levels deep"));
        let large = format!("[{}0]", "0,".repeat(MOST_VALUES));
        assert_eq!(parsed(&large), Err(too_many()));
    }

    #[test]
    fn strict_json_reads_as_serde_reads_it() {
        proptest::proptest!(|(text in r#"[\[\]{},:"0-9a-c\\.eE+\- tfn]{0,40}"#)| {
            if let Ok(known) = serde_json::from_str::<serde_json::Value>(&text)
                && (known.is_array() || known.is_object())
            {
                proptest::prop_assert!(parsed(&text).is_ok(), "{text}");
            }
        });
        let mut json = String::new();
        let text = r#"{"a":[true,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":1.5}}"#;
        crate::ottl::text::put_json(&mut json, &parsed(text).unwrap());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
