//! What stands in place of what was found.

use ring::hmac;

use super::Action;
use super::collector::{Masking, hex};
use super::config::{Config, Hmac};
use super::detectors::{ipv4_bucket, ipv6_bucket};

/// Four stars: the same for every length, so that the length does not tell.
pub(super) const MASK: &str = "****";
/// What a digest begins with: the first way in which digests are made.
const DIGEST: &str = "h1:";
/// Half of the digest is enough to tell two apart, and shorter.
const DIGEST_BYTES: usize = 16;
/// Characters that `partial` leaves.
const LEFT: usize = 4;

/// Makes replacements.
pub(super) struct Replacer {
    hash: Masking,
    key: Option<Tokens>,
}

/// Makes digests that can be looked for.
pub(super) struct Tokens {
    key: hmac::Key,
    prefix: String,
}

impl Replacer {
    pub(super) fn new(config: &Config) -> Self {
        let key = (!config.hmac.key.is_empty()).then(|| Tokens::new(config.hmac.key.expose().as_bytes(), &config.hmac.key_id));
        Self { hash: Masking::new(config.hash_function, &config.hmac_key), key }
    }

    /// What stands for a secret.
    pub(super) fn replacement(&self, action: Action, secret: &[u8]) -> String {
        match action {
            Action::Partial => partial(secret),
            // Without a key nothing can be said of it.
            Action::Hmac => self.key.as_ref().map_or_else(|| MASK.to_owned(), |key| key.token(secret)),
            Action::Hash => self.hash.mask(&String::from_utf8_lossy(secret)),
            Action::Bucket => ipv4_bucket(secret).or_else(|| ipv6_bucket(secret)).unwrap_or_else(|| MASK.to_owned()),
            Action::Delete | Action::Mask | Action::Truncate | Action::DropSpan | Action::Scan | Action::None => MASK.to_owned(),
        }
    }
}

/// The last characters are left where they are the smaller part.
fn partial(secret: &[u8]) -> String {
    let last: Vec<char> = String::from_utf8_lossy(secret).chars().filter(|letter| letter.is_alphanumeric()).collect();
    if last.len() < LEFT * 2 {
        return MASK.to_owned();
    }
    MASK.chars().chain(last[last.len() - LEFT..].iter().copied()).collect()
}

impl Tokens {
    fn new(key: &[u8], id: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), prefix: format!("{DIGEST}{id}:") }
    }

    fn token(&self, secret: &[u8]) -> String {
        let digest = hmac::sign(&self.key, secret);
        format!("{}{}", self.prefix, hex(&digest.as_ref()[..DIGEST_BYTES]))
    }
}

/// The digests of a value: with the key in use, then with those used before. What to look for in a back end.
pub fn tokens(hmac: &Hmac, value: &str) -> Vec<String> {
    let current = std::iter::once((&hmac.key, hmac.key_id.as_str()));
    let previous = hmac.previous.iter().map(|previous| (&previous.key, previous.key_id.as_str()));
    let given = current.chain(previous).filter(|(key, _)| !key.is_empty());
    given.map(|(key, id)| Tokens::new(key.expose().as_bytes(), id).token(value.as_bytes())).collect()
}

/// True for a digest of ours: it is no secret, whatever its digits look like.
pub(super) fn is_token(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(DIGEST.as_bytes()) else { return false };
    let Some(colon) = memchr::memchr(b':', rest) else { return false };
    let digits = &rest[colon + 1..];
    colon <= 16 && digits.len() == DIGEST_BYTES * 2 && digits.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_leaves_what_it_says() {
        let hmac = Hmac { key: "k".repeat(32).into(), key_id: "a1".to_owned(), previous: Vec::new() };
        let config = Config { hmac: hmac.clone(), ..Config::default() };
        let replacer = Replacer::new(&config);
        assert_eq!(replacer.replacement(Action::Mask, b"4111111111111111"), "****");
        assert_eq!(replacer.replacement(Action::Partial, b"4111 1111 1111 1111"), "****1111");
        assert_eq!(replacer.replacement(Action::Partial, b"short"), "****");
        assert_eq!(replacer.replacement(Action::Bucket, b"203.0.113.7"), "203.0.113.0/24");
        let token = replacer.replacement(Action::Hmac, b"joe@example.com");
        assert_eq!(token.len(), "h1:a1:".len() + 32);
        assert!(token.starts_with("h1:a1:") && is_token(token.as_bytes()));
        assert_eq!(tokens(&hmac, "joe@example.com"), [token]);
    }
}
