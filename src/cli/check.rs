//! Commands that read a configuration and start nothing.

use tracetailor::config::{self, Format, Sources};
use tracetailor::core::config::{ConfigErrors, Severity};

use super::Outcome;

/// Problems shown at once. With more of them it is one mistake that shows everywhere, and the first ones tell which.
const SHOWN: usize = 16;

/// All that is wrong with a configuration.
pub(super) fn validate(sources: &Sources) -> Outcome {
    let loaded = config::load(sources);
    let remarks = told(&loaded.problems);
    match loaded.plan {
        Some(_) => Outcome::done(String::new()).remarking(remarks),
        None => Outcome::wrong(remarks),
    }
}

/// The configuration as it would be in force. Also where something in it is wrong: to see what came of `${env:…}` helps to repair it.
pub(super) fn print_config(sources: &Sources, format: Format) -> Outcome {
    let loaded = config::load(sources);
    let remarks = told(&loaded.problems);
    if loaded.plan.is_none() {
        return Outcome::wrong(remarks);
    }
    Outcome::done(config::print(&config::shown(&loaded.effective), format)).remarking(remarks)
}

/// Problems on one screen: errors first, and where there are many, as many as help.
pub(super) fn told(problems: &ConfigErrors) -> String {
    let all = problems.to_string();
    if problems.len() <= SHOWN {
        return all;
    }
    let is_a_problem = |line: &&str| !line.starts_with("    ");
    let mut shown = String::new();
    let mut count = 0;
    for line in all.lines() {
        count += usize::from(is_a_problem(&line));
        if count > SHOWN {
            break;
        }
        shown += line;
        shown.push('\n');
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    shown + &format!("and {} more: {errors} errors and {} warnings in all\n", problems.len() - SHOWN, problems.len() - errors)
}
