//! What the trace state says of sampling: `ot=th:…;rv:…`, among the members of others.

use std::fmt;

use super::{Randomness, Threshold};

/// A trace state, with its OpenTelemetry member taken apart. Members of others are kept as they are, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtelState<'a> {
    randomness: Option<Randomness>,
    threshold: Option<Threshold>,
    /// What else the member says: `p:8`.
    rest: Vec<&'a str>,
    others: Vec<&'a str>,
}

/// Why a text is no trace state, or its OpenTelemetry member none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadState {
    /// It is longer than a trace state may be, or has more members.
    #[error("too long for a trace state")]
    TooLong,
    /// A member is not `key=value`.
    #[error("a member of the trace state is not key=value")]
    Member,
    /// Something within `ot` is not `key:value`.
    #[error("a part of the member ot is not key:value")]
    Part,
    /// `th` is not one to fourteen hexadecimal digits.
    #[error("th is not one to fourteen hexadecimal digits")]
    Threshold,
    /// `rv` is not fourteen hexadecimal digits.
    #[error("rv is not fourteen hexadecimal digits")]
    Randomness,
}

/// What the W3C allows at least, and the Collector at most.
const MOST_BYTES: usize = 1_024;
const MOST_MEMBERS: usize = 32;
/// What OpenTelemetry allows its member.
const MOST_BYTES_OF_OT: usize = 256;

impl<'a> OtelState<'a> {
    /// Takes a trace state apart.
    pub fn read(state: &'a str) -> Result<Self, BadState> {
        if state.len() > MOST_BYTES {
            return Err(BadState::TooLong);
        }
        let mut read = Self::default();
        for member in state.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty()) {
            let (key, value) = member.split_once('=').ok_or(BadState::Member)?;
            if key.is_empty() || !key.bytes().all(is_of_key) || !value.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'=') {
                return Err(BadState::Member);
            }
            match key {
                "ot" => read.read_member(value)?,
                _ => read.others.push(member),
            }
        }
        if read.others.len() > MOST_MEMBERS { Err(BadState::TooLong) } else { Ok(read) }
    }

    fn read_member(&mut self, value: &'a str) -> Result<(), BadState> {
        if value.len() > MOST_BYTES_OF_OT {
            return Err(BadState::TooLong);
        }
        for part in value.split(';') {
            let (key, value) = part.split_once(':').ok_or(BadState::Part)?;
            let has_key = key.starts_with(|letter: char| letter.is_ascii_lowercase())
                && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            if !has_key || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
                return Err(BadState::Part);
            }
            match key {
                "th" => self.threshold = Some(Threshold::parse(value).ok_or(BadState::Threshold)?),
                "rv" => self.randomness = Some(Randomness::parse(value).ok_or(BadState::Randomness)?),
                _ => self.rest.push(part),
            }
        }
        Ok(())
    }

    /// The randomness that it names, which is to be used in place of the trace id's.
    pub fn randomness(&self) -> Option<Randomness> {
        self.randomness
    }

    /// The threshold of who sampled before.
    pub fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// Names a randomness. One that is there is never to be changed.
    pub fn set_randomness(&mut self, randomness: Randomness) {
        self.randomness.get_or_insert(randomness);
    }

    /// Raises the threshold; a higher one stays.
    pub fn set_threshold(&mut self, threshold: Threshold) {
        self.threshold = Some(self.threshold.map_or(threshold, |known| known.max(threshold)));
    }

    /// Takes the threshold away: whoever cannot state a probability must.
    pub fn erase_threshold(&mut self) {
        self.threshold = None;
    }
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte)
}

/// As it travels: the OpenTelemetry member first, since it changed last.
impl fmt::Display for OtelState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut divide = "ot=";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            f.write_str(std::mem::replace(&mut divide, ";"))?;
            f.write_fmt(text)
        };
        if let Some(randomness) = self.randomness {
            part(f, format_args!("rv:{randomness}"))?;
        }
        if let Some(threshold) = self.threshold {
            part(f, format_args!("th:{threshold}"))?;
        }
        for rest in &self.rest {
            part(f, format_args!("{rest}"))?;
        }
        let mut divide = if divide == ";" { "," } else { "" };
        for other in &self.others {
            f.write_str(std::mem::replace(&mut divide, ","))?;
            f.write_str(other)?;
        }
        Ok(())
    }
}
