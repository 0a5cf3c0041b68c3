//! What is cut off a name: words that stand for a kind of thing, and letters as they are.

use std::sync::LazyLock;

use regex::Regex;

/// Something at the beginning or at the end of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The environment: the resource's own, or a word that is one.
    Environment,
    /// A version: the resource's own, or `v2`, `1.4.2`.
    Version,
    /// What Kubernetes puts behind the name of a pod.
    PodHash,
    /// All from the first dot on, where that reads like a domain.
    Domain,
    /// Letters as they are.
    Letters(String),
}

/// What a resource says that names repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) environments: Vec<String>,
    pub(super) version: Option<String>,
}

/// Environments by their usual names.
const ENVIRONMENTS: [&str; 17] = [
    "prod",
    "production",
    "prd",
    "live",
    "staging",
    "stage",
    "stg",
    "preprod",
    "dev",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "sandbox",
    "canary",
    "demo",
];

static VERSION_BEHIND: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[-_.](?:[vV][0-9]+(?:\.[0-9]+)*|[0-9]+(?:\.[0-9]+)+)$").ok());
static VERSION_BEFORE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:[vV][0-9]+(?:\.[0-9]+)*|[0-9]+(?:\.[0-9]+)+)[-_.]").ok());
/// A replica set's hash and a pod's, in the letters that Kubernetes uses. A pod's alone must have a digit: five such letters can be a word.
static POD_HASH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let letter = "[bcdfghjklmnpqrstvwxz2456789]";
    Regex::new(&format!("-{letter}{{8,10}}-{letter}{{5}}$|-{letter}{{5}}$")).ok()
});
static DOMAIN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[^.]+(\.(?:[A-Za-z0-9-]+\.)*[A-Za-z]{2,})\.?$").ok());

impl Cut {
    /// From the word for it, or as letters.
    pub(super) fn of(text: &str) -> Self {
        match text {
            "environment" => Cut::Environment,
            "version" => Cut::Version,
            "pod_hash" => Cut::PodHash,
            "domain" => Cut::Domain,
            letters => Cut::Letters(letters.to_owned()),
        }
    }

    /// The name without this at its beginning.
    pub(super) fn off_the_front<'a>(&self, name: &'a str, said: &Said) -> &'a str {
        let rest = match self {
            Cut::Environment => said.all_environments().find_map(|word| behind_word(name, word)),
            Cut::Version => {
                let own = said.version.as_deref().and_then(|version| behind_word(name, version));
                own.or_else(|| VERSION_BEFORE.as_ref()?.find(name).map(|found| &name[found.end()..]))
            }
            Cut::Letters(letters) => name.strip_prefix(letters.as_str()),
            Cut::PodHash | Cut::Domain => None,
        };
        something(rest, name)
    }

    /// The name without this at its end.
    pub(super) fn off_the_end<'a>(&self, name: &'a str, said: &Said) -> &'a str {
        let rest = match self {
            Cut::Environment => said.all_environments().find_map(|word| before_word(name, word)),
            Cut::Version => {
                let own = said.version.as_deref().and_then(|version| before_word(name, version));
                own.or_else(|| VERSION_BEHIND.as_ref()?.find(name).map(|found| &name[..found.start()]))
            }
            Cut::PodHash => POD_HASH.as_ref().and_then(|pattern| pattern.find(name)).and_then(|found| {
                let is_one = found.len() > 6 || found.as_str().bytes().any(|letter| letter.is_ascii_digit());
                is_one.then(|| &name[..found.start()])
            }),
            Cut::Domain => DOMAIN.as_ref().and_then(|pattern| pattern.captures(name)?.get(1)).map(|found| &name[..found.start()]),
            Cut::Letters(letters) => name.strip_suffix(letters.as_str()),
        };
        something(rest, name)
    }
}

impl Said {
    fn all_environments(&self) -> impl Iterator<Item = &str> {
        self.environments.iter().map(String::as_str).chain(ENVIRONMENTS)
    }
}

/// A name is never cut to nothing.
fn something<'a>(rest: Option<&'a str>, name: &'a str) -> &'a str {
    let rest = rest.map(|rest| rest.trim_matches(['-', '_', '.', ' ']));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// What stands behind a word and a separator, whatever the word's case.
fn behind_word<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    let (front, rest) = name.split_at_checked(word.len())?;
    (front.eq_ignore_ascii_case(word) && rest.starts_with(['-', '_', '.'])).then(|| &rest[1..])
}

fn before_word<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    let (rest, end) = name.split_at_checked(name.len().checked_sub(word.len())?)?;
    (end.eq_ignore_ascii_case(word) && rest.ends_with(['-', '_', '.'])).then(|| &rest[..rest.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_kind_of_thing_is_found_at_the_end() {
        let said = Said { environments: vec!["blue".to_owned()], version: Some("2024-05".to_owned()) };
        for (cut, name, rest) in [
            ("environment", "cart-prod", "cart"),
            ("environment", "cart_Production", "cart"),
            ("environment", "cart-blue", "cart"),
            ("environment", "cartprod", "cartprod"),
            ("environment", "prod", "prod"),
            ("environment", "-prod", "-prod"),
            ("version", "cart-v2", "cart"),
            ("version", "cart-1.4.2", "cart"),
            ("version", "cart-2024-05", "cart"),
            ("version", "cart-2", "cart-2"),
            ("version", "s3", "s3"),
            ("pod_hash", "cart-7d9c5b8f64-x2lmn", "cart"),
            ("pod_hash", "cart-x2lmn", "cart"),
            ("pod_hash", "cart-proxy", "cart-proxy"),
            ("pod_hash", "cart-tests", "cart-tests"),
            ("pod_hash", "web-gmbht", "web-gmbht"),
            ("domain", "cart.shop.svc.cluster.local", "cart"),
            ("domain", "cart.example.com.", "cart"),
            ("domain", "cart", "cart"),
            ("domain", "cart-1.4.2", "cart-1.4.2"),
            ("-svc", "cart-svc", "cart"),
            ("-svc", "-svc", "-svc"),
            ("é", "caféé", "café"),
            ("environment", "é", "é"),
        ] {
            assert_eq!(Cut::of(cut).off_the_end(name, &said), rest, "{cut} of {name}");
        }
    }

    #[test]
    fn and_at_the_beginning() {
        let said = Said::default();
        for (cut, name, rest) in [
            ("environment", "prod-cart", "cart"),
            ("environment", "product-cart", "product-cart"),
            ("version", "v2-cart", "cart"),
            ("version", "1.4-cart", "cart"),
            ("team-", "team-cart", "cart"),
            ("team-", "team-", "team-"),
            ("environment", "日本", "日本"),
        ] {
            assert_eq!(Cut::of(cut).off_the_front(name, &said), rest, "{cut} of {name}");
        }
    }
}
