//! What the key of an attribute tells: that its value is a secret, a prompt, a statement, a version.

use tracetailor_core::config::Glob;

use super::config::Fold;

/// Words of which one makes a key that of a secret.
const SECRET_WORDS: [&str; 14] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "apikey",
    "accesskey",
    "privatekey",
    "jwt",
];
/// Words that make one together, side by side.
const SECRET_PAIRS: [(&str, &str); 12] = [
    ("api", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("private", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("account", "key"),
    ("auth", "token"),
    ("access", "token"),
    ("refresh", "token"),
    ("session", "token"),
    ("set", "cookie"),
];
/// Behind these words what is told is not the secret but something about it.
const ABOUT: [&str; 16] = [
    "count", "counts", "type", "length", "size", "limit", "usage", "name", "expiry", "expires", "enabled", "required", "present", "age",
    "version", "status",
];
/// Beginnings of the keys that hold prompts and completions.
const PROMPTS: [&str; 20] = [
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "gen_ai.event.content",
    "gen_ai.content",
    "ai.user_input",
    "ai.prompt",
    "ai.response.text",
    "ai.input",
    "ai.output",
    "llm.prompts",
    "llm.input_messages",
    "llm.output_messages",
    "llm.completions",
    "traceloop.entity.",
];
const PROMPT_KEYS: [&str; 4] = ["input.value", "output.value", "prompt", "completion"];
/// Keys that hold statements of SQL.
const STATEMENTS: [&str; 4] = ["db.statement", "db.query.text", "db.query", "sql"];

/// What a key tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyFacts {
    /// The first of the user's key rules that means it.
    pub(super) rule: Option<u16>,
    /// Its name says that a secret is there.
    pub(super) is_secret: bool,
    /// A prompt or a completion is there.
    pub(super) is_prompt: bool,
    /// A statement of SQL is there.
    pub(super) is_statement: bool,
    /// A version is there, which looks like an address.
    pub(super) is_version: bool,
    /// The first of the folds that it matches.
    pub(super) fold: Option<u16>,
    /// Nothing is found in the key itself.
    pub(super) is_plain: bool,
}

impl KeyFacts {
    /// Whether a value behind the key is looked into as any other is.
    pub(super) fn is_ordinary(&self) -> bool {
        self.is_plain && !self.is_secret && !self.is_prompt && !self.is_version && self.rule.is_none() && self.fold.is_none()
    }
}

/// Tells what keys tell.
pub(super) struct KeyReader {
    pub(super) rules: Vec<Vec<Glob>>,
    pub(super) folds: Vec<Fold>,
}

impl KeyReader {
    pub(super) fn facts(&self, key: &str) -> KeyFacts {
        let lower = key.to_lowercase();
        let words = words(key);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let number = |at: Option<usize>| at.and_then(|at| u16::try_from(at).ok());
        KeyFacts {
            rule: number(self.rules.iter().position(|globs| globs.iter().any(|glob| glob.matches(key)))),
            is_secret: is_secret(&words),
            is_prompt: PROMPTS.iter().any(|beginning| lower.starts_with(beginning)) || PROMPT_KEYS.contains(&lower.as_str()),
            is_statement: STATEMENTS.contains(&lower.as_str()),
            is_version: words.last() == Some(&"version"),
            fold: number(self.folds.iter().position(|fold| fold.matches(key))),
            is_plain: true,
        }
    }
}

impl Fold {
    fn matches(&self, key: &str) -> bool {
        self.pattern.as_ref().and_then(|pattern| pattern.regex().find(key)).is_some_and(|found| found.len() == key.len())
    }

    /// The key that a key becomes; none where it is to go.
    pub(super) fn folded(&self, key: &str) -> Option<String> {
        let pattern = self.pattern.as_ref().filter(|_| !self.key.is_empty())?;
        Some(pattern.regex().replace(key, self.key.as_str()).into_owned())
    }
}

fn is_secret(words: &[&str]) -> bool {
    let is_about = |at: usize| words.get(at).is_some_and(|word| ABOUT.contains(word));
    let alone = words.iter().enumerate().any(|(at, word)| (SECRET_WORDS.contains(word) || *word == "token") && !is_about(at + 1));
    let pair = words.windows(2).enumerate().any(|(at, pair)| SECRET_PAIRS.contains(&(pair[0], pair[1])) && !is_about(at + 2));
    // `llm.token.count` counts; `gen_ai.usage.token` is what was used.
    let counts = words.iter().any(|word| matches!(*word, "usage" | "tokens"));
    (alone || pair) && !counts
}

/// The words of a key, in lower case: `http.request.header.xApiKey` has six.
fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for letter in key.chars() {
        let breaks = letter.is_uppercase() && was_lower || !letter.is_alphanumeric();
        if breaks && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(key: &str) -> KeyFacts {
        KeyReader { rules: vec![vec![Glob::new("*ticket*")]], folds: Vec::new() }.facts(key)
    }

    #[test]
    fn secrets_are_known_by_the_names_of_their_keys() {
        let secrets = "password db.password userPassword DB_PASSWORD client_secret http.request.header.authorization http.request.header.cookie \
                       http.response.header.set-cookie x-api-key apiKey aws.secret_access_key auth.token token accessToken proxy-authorization jwt";
        for key in secrets.split_whitespace() {
            assert!(facts(key).is_secret, "{key}");
        }
        let others = "gen_ai.usage.input_tokens llm.token.count token_type password.length http.route db.name secretary.name messaging.kafka.message.key \
                      authorization.type cookies.enabled keyboard session.id tokenizer";
        for key in others.split_whitespace() {
            assert!(!facts(key).is_secret, "{key}");
        }
    }

    #[test]
    fn other_keys_tell_other_things() {
        assert_eq!(facts("my.Ticket.id").rule, Some(0));
        assert!(facts("gen_ai.prompt.0.content").is_prompt && facts("ai.user_input").is_prompt);
        assert!(!facts("gen_ai.request.model").is_prompt);
        assert!(facts("db.query.text").is_statement);
        assert!(facts("telemetry.sdk.version").is_version);
    }

    #[test]
    fn keys_are_folded_as_a_whole() {
        let fold = Fold { pattern: r"retry\.attempt_\d+\.(.*)".parse().ok(), key: "retry.attempt.$1".to_owned() };
        assert!(fold.matches("retry.attempt_17.error") && !fold.matches("x.retry.attempt_17.error"));
        assert_eq!(fold.folded("retry.attempt_17.error").as_deref(), Some("retry.attempt.error"));
        assert_eq!(Fold { key: String::new(), ..fold }.folded("retry.attempt_17.error"), None);
    }
}
