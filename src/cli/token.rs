//! The digest that a value became: what to look for in a back end, where `redaction` has put digests.

use std::io::Read;

use tracetailor::config::{self, Sources};
use tracetailor_processors::redaction::{Config, tokens};

use super::{Outcome, check};

/// Prints the digests of a value, with the keys of every `redaction` that a pipeline has: the one in use first.
pub(super) fn token(sources: &Sources, value: &str) -> Outcome {
    let loaded = config::load(sources);
    let Some(plan) = loaded.plan else { return Outcome::wrong(check::told(&loaded.problems)) };
    let value = match value {
        "-" => match from_input() {
            Ok(value) => value,
            Err(error) => return Outcome::in_the_way(format!("the value cannot be read: {error}\n")),
        },
        value => value.to_owned(),
    };
    let configs = plan.processors.iter().filter_map(|processor| processor.config.get::<Config>().ok());
    let mut all: Vec<String> = configs.flat_map(|config| tokens(&config.hmac, &value)).collect();
    all.dedup();
    if all.is_empty() {
        return Outcome::wrong(
            "no redaction in a pipeline has a key\n    write hmac: {key: \"${env:REDACTION_KEY}\", key_id: a1}\n".to_owned(),
        );
    }
    Outcome::done(all.join("\n") + "\n")
}

/// From standard input a value does not get into the history of a shell.
fn from_input() -> std::io::Result<String> {
    let mut value = String::new();
    std::io::stdin().lock().read_to_string(&mut value)?;
    Ok(value.trim_end_matches(['\r', '\n']).to_owned())
}
