//! Our rules, made ready: what is looked for where, and what is done about it.

use std::collections::BTreeMap;

use regex::bytes::RegexBuilder;
use tracetailor_core::component::BuildError;
use tracetailor_core::telemetry::Place;

use super::config::{Action, Config, Locale, Preset, place_named};
use super::detectors;
use super::finder::Search;

/// One rule.
pub(super) struct Rule {
    /// Its name in metrics.
    pub(super) name: String,
    pub(super) action: Action,
}

/// Which searches look where, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    /// In every text.
    pub(super) everywhere: u128,
    /// In prompts beside that.
    pub(super) in_prompts: u128,
}

/// What the configuration comes to.
pub(super) struct Rules {
    /// Searches first, in the order of their numbers; then the rules of keys; then the special ones.
    pub(super) all: Vec<Rule>,
    pub(super) searches: Vec<Search>,
    reach: [Reach; Place::ALL.len()],
    /// The number of the first rule of keys.
    pub(super) first_key: usize,
    /// Of names of keys that tell of a secret.
    pub(super) secret_keys: Option<usize>,
    pub(super) sql: Option<usize>,
    pub(super) prompts: Option<usize>,
}

impl Rules {
    pub(super) fn new(config: &Config) -> Result<Self, BuildError> {
        let chosen = Chosen::of(config);
        let mut rules = Self {
            all: Vec::new(),
            searches: Vec::new(),
            reach: [Reach::default(); Place::ALL.len()],
            first_key: 0,
            secret_keys: None,
            sql: None,
            prompts: None,
        };
        for detector in detectors::ALL {
            let Some((action, is_everywhere)) = chosen.detector(detector.name) else { continue };
            let bit = 1u128 << rules.add(detector.name, action, Search::Detector(detector));
            for reach in &mut rules.reach {
                if is_everywhere { reach.everywhere |= bit } else { reach.in_prompts |= bit }
            }
        }
        for rule in &config.rules {
            let Some(pattern) = &rule.pattern else { continue };
            let compiled = RegexBuilder::new(pattern.regex().as_str()).build();
            let compiled = compiled.map_err(|error| BuildError::new(format!("{pattern} is too large: {error}"), "make it shorter"))?;
            let bit = 1u128 << rules.add(&rule.name, rule.action, Search::Pattern(Box::new(compiled)));
            let is_everywhere = rule.places.is_empty() || rule.places.iter().any(|place| place == "all");
            for place in Place::ALL {
                if is_everywhere || rule.places.iter().any(|name| place_named(name) == Some(place)) {
                    rules.reach[place as usize].everywhere |= bit;
                }
            }
        }
        rules.first_key = rules.all.len();
        for rule in &config.keys {
            let name = rule.matches.first().map_or("", |glob| glob.as_str());
            rules.all.push(Rule { name: format!("keys {name}"), action: rule.action });
        }
        rules.secret_keys = chosen.secret_keys.map(|action| rules.special("key_name", action));
        rules.sql = chosen.detector("sql_literal").map(|(action, _)| rules.special("sql_literal", action));
        rules.prompts = chosen.prompt.map(|action| rules.special("prompt", action));
        Ok(rules)
    }

    fn add(&mut self, name: &str, action: Action, search: Search) -> usize {
        self.all.push(Rule { name: name.to_owned(), action });
        self.searches.push(search);
        self.searches.len() - 1
    }

    fn special(&mut self, name: &str, action: Action) -> usize {
        self.all.push(Rule { name: name.to_owned(), action });
        self.all.len() - 1
    }

    /// The searches that look into a text.
    pub(super) fn reach(&self, place: Place, is_prompt: bool) -> u128 {
        let reach = self.reach[place as usize];
        if is_prompt { reach.everywhere | reach.in_prompts } else { reach.everywhere }
    }

    /// A number that is the same for the same rules: what an auditor compares.
    pub(super) fn digest(&self, config: &Config) -> String {
        let all = self.all.iter().map(|rule| format!("{}={:?}", rule.name, rule.action));
        let patterns = config.rules.iter().map(|rule| format!("{:?}@{:?}", rule.pattern, rule.places));
        let keys = config.keys.iter().map(|rule| format!("{:?}", rule.matches));
        let folds = config.fold_keys.iter().map(|fold| format!("{fold:?}"));
        let blocked = [&config.blocked_key_patterns, &config.blocked_values, &config.allowed_values].map(|list| format!("{list:?}"));
        let collectors =
            [format!("{:?}", config.allow_all_keys), format!("{:?}", config.allowed_keys), format!("{:?}", config.ignored_keys)];
        let rest = [format!("{:?}", config.limits), format!("{:?}", config.mode), format!("{:?}", config.hash_function)];
        let parts: Vec<String> = all.chain(patterns).chain(keys).chain(folds).chain(blocked).chain(collectors).chain(rest).collect();
        let digest = ring::digest::digest(&ring::digest::SHA256, parts.join("\n").as_bytes());
        super::collector::hex(&digest.as_ref()[..8])
    }
}

/// What presets and `detectors` come to, by detector.
struct Chosen {
    everywhere: BTreeMap<&'static str, Action>,
    in_prompts: BTreeMap<&'static str, Action>,
    written: BTreeMap<String, Action>,
    secret_keys: Option<Action>,
    prompt: Option<Action>,
}

const SECRETS: [&str; 14] = [
    "jwt",
    "bearer",
    "basic_auth",
    "cookie",
    "aws_key",
    "gcp_key",
    "azure_key",
    "github_token",
    "slack_token",
    "stripe_key",
    "openai_key",
    "private_key",
    "connection_string",
    "url_userinfo",
];
const GDPR: [(&str, Action); 6] = [
    ("email", Action::Mask),
    ("phone", Action::Mask),
    ("ipv4", Action::Bucket),
    ("ipv6", Action::Bucket),
    ("mac", Action::Mask),
    ("iban", Action::Mask),
];

impl Chosen {
    fn of(config: &Config) -> Self {
        let mut everywhere = BTreeMap::new();
        let has = |preset: Preset| config.presets.contains(&preset);
        if has(Preset::Secrets) {
            everywhere.extend(SECRETS.map(|name| (name, Action::Mask)));
            everywhere.insert("url_signature", Action::Mask);
        }
        if has(Preset::Pci) {
            everywhere.insert("payment_card", Action::Partial);
            everywhere.insert("sql_literal", Action::Mask);
        }
        if has(Preset::Gdpr) {
            everywhere.extend(GDPR);
            if config.locales.contains(&Locale::Us) {
                everywhere.insert("ssn", Action::Mask);
            }
        }
        let mut in_prompts = BTreeMap::new();
        if has(Preset::Genai) {
            let names = detectors::ALL.iter().map(|detector| detector.name);
            let wanted = names.filter(|name| *name != "ssn" || config.locales.contains(&Locale::Us));
            in_prompts.extend(wanted.map(|name| (name, if name == "payment_card" { Action::Partial } else { Action::Mask })));
        }
        let prompt = config.detectors.get("prompt").copied().filter(|action| !matches!(action, Action::Scan | Action::None));
        let secret_keys = has(Preset::Secrets).then_some(Action::Mask);
        Self { everywhere, in_prompts, written: config.detectors.clone(), secret_keys, prompt }
    }

    /// What is done about what a detector finds, and whether it looks everywhere.
    fn detector(&self, name: &str) -> Option<(Action, bool)> {
        if let Some(action) = self.written.get(name) {
            return (*action != Action::None).then_some((*action, true));
        }
        let everywhere = self.everywhere.get(name).map(|action| (*action, true));
        everywhere.or_else(|| self.in_prompts.get(name).map(|action| (*action, false)))
    }
}
