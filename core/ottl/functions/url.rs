//! A URL, taken apart as the Collector's language does it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::MOST_VALUES;
use super::given::too_many;
use crate::ottl::problem::EvalError;
use crate::ottl::value::Value;

/// Where in a URL a sign stands: each part has signs of its own that are escaped.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    User,
    Host,
    Zone,
    Path,
    Query,
    Fragment,
}

/// The parts of a URL by their names in the semantic conventions; the parameters of a query that stands alone.
pub(super) fn parts<'a>(text: &str) -> Result<Value<'a>, EvalError> {
    if let Some(query) = text.strip_prefix('?') {
        return parameters(query);
    }
    let url = Url::read(text).ok_or_else(|| EvalError::because("the text is no URL"))?;
    let (host, port) = url.host_and_port();
    let mut parts: Vec<(Cow<'a, str>, Value<'a>)> = vec![];
    let mut put = |key: &'static str, value: String| parts.push((Cow::Borrowed(key), Value::from(value)));
    put("url.original", url.to_string());
    put("url.domain", host.to_owned());
    put("url.scheme", url.scheme.clone());
    put("url.path", url.path.clone());
    if let Some((name, password)) = &url.user {
        put("url.user_info", user_info(name, password.as_deref()));
        if !name.is_empty() {
            put("url.username", name.clone());
        }
        if let Some(password) = password {
            put("url.password", password.clone());
        }
    }
    for (key, value) in [("url.fragment", &url.fragment), ("url.query", &url.query)] {
        if !value.is_empty() {
            put(key, value.clone());
        }
    }
    if let Some((_, extension)) = url.path.rsplit_once('.').filter(|(_, extension)| !extension.is_empty()) {
        put("url.extension", extension.to_owned());
    }
    if !port.is_empty() {
        let port = port.parse().map_err(|_| EvalError::because("the port is no whole number"))?;
        parts.push((Cow::Borrowed("url.port"), Value::Int(port)));
    }
    Ok(Value::map(parts))
}

fn parameters<'a>(query: &str) -> Result<Value<'a>, EvalError> {
    let broken = || EvalError::because("the text is no query");
    let mut parameters: BTreeMap<String, Vec<Value<'a>>> = BTreeMap::new();
    for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count == MOST_VALUES {
            return Err(too_many());
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if pair.contains(';') {
            return Err(broken());
        }
        let (key, value) = (unescaped(key, Part::Query).ok_or_else(broken)?, unescaped(value, Part::Query).ok_or_else(broken)?);
        parameters.entry(key).or_default().push(Value::from(value));
    }
    if parameters.is_empty() {
        return Ok(Value::map(vec![]));
    }
    let parameters = parameters.into_iter().map(|(key, values)| (Cow::Owned(key), Value::list(values))).collect();
    Ok(Value::map(vec![(Cow::Borrowed("query"), Value::map(parameters))]))
}

#[derive(Default)]
struct Url {
    scheme: String,
    /// What follows the scheme where no slash does.
    opaque: String,
    user: Option<(String, Option<String>)>,
    host: String,
    path: String,
    raw_path: String,
    omits_host: bool,
    query: String,
    forces_query: bool,
    fragment: String,
    raw_fragment: String,
}

impl Url {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.contains(|sign: char| sign.is_ascii_control()) {
            return None;
        }
        let mut url = Self::default();
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        fragment.clone_into(&mut url.raw_fragment);
        url.fragment = unescaped(fragment, Part::Fragment)?;
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        url.forces_query = rest.ends_with('?') && rest.matches('?').count() == 1;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        query.clone_into(&mut url.query);
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Some(url);
            }
            // The first part of a path without a slash could be taken for a scheme.
            if rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return None;
            }
        }
        let mut path = rest;
        let has_authority = rest.starts_with("//") && (!url.scheme.is_empty() || !rest.starts_with("///"));
        if has_authority {
            let authority = &rest[2..];
            let end = authority.find('/').unwrap_or(authority.len());
            path = &authority[end..];
            url.read_authority(&authority[..end])?;
        } else if !url.scheme.is_empty() && rest.starts_with('/') {
            url.omits_host = true;
        }
        path.clone_into(&mut url.raw_path);
        url.path = unescaped(path, Part::Path)?;
        Some(url)
    }

    fn read_authority(&mut self, authority: &str) -> Option<()> {
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        self.host = read_host(host)?;
        if let Some(user) = user {
            let is_valid = |sign: char| sign.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(sign);
            if !user.chars().all(is_valid) {
                return None;
            }
            let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
            let password = match password {
                Some(password) => Some(unescaped(password, Part::User)?),
                None => None,
            };
            self.user = Some((unescaped(name, Part::User)?, password));
        }
        Some(())
    }

    fn host_and_port(&self) -> (&str, &str) {
        let at_colon = self.host.rfind(':').filter(|colon| is_port(&self.host[*colon..]));
        let (host, port) = at_colon.map_or((&*self.host, ""), |colon| (&self.host[..colon], &self.host[colon + 1..]));
        (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
    }
}

/// Put together again.
impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            let has_user = self.user.is_some();
            let is_local = self.omits_host && self.host.is_empty() && !has_user;
            let is_remote = !self.host.is_empty() || has_user;
            if (!self.scheme.is_empty() || is_remote) && !is_local && (is_remote || !self.path.is_empty()) {
                f.write_str("//")?;
            }
            if let Some((name, password)) = &self.user {
                write!(f, "{}@", user_info(name, password.as_deref()))?;
            }
            f.write_str(&escaped(&self.host, Part::Host))?;
            f.write_str(&kept_or_escaped(&self.raw_path, &self.path, Part::Path))?;
        } else {
            f.write_str(&self.opaque)?;
        }
        if self.forces_query || !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        if !self.fragment.is_empty() {
            write!(f, "#{}", kept_or_escaped(&self.raw_fragment, &self.fragment, Part::Fragment))?;
        }
        Ok(())
    }
}

fn user_info(name: &str, password: Option<&str>) -> String {
    let name = escaped(name, Part::User);
    password.map_or_else(|| name.clone(), |password| format!("{name}:{}", escaped(password, Part::User)))
}

/// The scheme, empty where there is none, and what follows it.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (at, sign) in text.char_indices() {
        match sign {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn read_host(host: &str) -> Option<String> {
    if host.starts_with('[') {
        let end = host.rfind(']').filter(|end| is_port(&host[end + 1..]))?;
        if let Some(zone) = host[..end].find("%25") {
            return Some(
                unescaped(&host[..zone], Part::Host)? + &unescaped(&host[zone..end], Part::Zone)? + &unescaped(&host[end..], Part::Host)?,
            );
        }
    } else if let Some(colon) = host.rfind(':')
        && (!is_port(&host[colon..]) || host[..colon].contains(':'))
    {
        return None;
    }
    unescaped(host, Part::Host)
}

/// Nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unescaped(text: &str, part: Part) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                let code = std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())?;
                // Of a host, only what is not ASCII may be escaped.
                if part == Part::Host && code < 0x80 && digits != b"25" {
                    return None;
                }
                bytes.push(code);
                rest = after;
            }
            b'+' if part == Part::Query => bytes.push(b' '),
            byte if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && is_escaped(byte, part) => return None,
            byte => bytes.push(byte),
        }
    }
    Some(String::from_utf8(bytes).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned()))
}

/// Whether a sign cannot stand in a part as it is.
fn is_escaped(byte: u8, part: Part) -> bool {
    match byte {
        b'-' | b'_' | b'.' | b'~' => false,
        byte if byte.is_ascii_alphanumeric() => false,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'[' | b']' | b'<' | b'>' | b'"'
            if matches!(part, Part::Host | Part::Zone) =>
        {
            false
        }
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            Part::Path => byte == b'?',
            Part::User => matches!(byte, b'@' | b'/' | b'?' | b':'),
            Part::Fragment => false,
            Part::Host | Part::Zone | Part::Query => true,
        },
        b'!' | b'(' | b')' | b'*' => part != Part::Fragment,
        _ => true,
    }
}

fn escaped(text: &str, part: Part) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_escaped(byte, part) { out.push_str(&format!("%{byte:02X}")) } else { out.push(char::from(byte)) }
    }
    out
}

/// As it was written, if that can be read again.
fn kept_or_escaped<'a>(raw: &'a str, text: &str, part: Part) -> Cow<'a, str> {
    let stays = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !is_escaped(byte, part);
    if raw.bytes().all(stays) { Cow::Borrowed(raw) } else { Cow::Owned(escaped(text, part)) }
}
