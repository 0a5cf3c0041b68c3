//! `when`, `when_all`, `unless`: conditions in OTTL. A condition on spans holds for a trace when some span satisfies it, and the key says
//! which of the conditions must; so nobody has to guess.

use tracetailor_core::config::ConfigErrors;
use tracetailor_core::ottl::{Condition, ErrorMode, Level, Problems};

use super::super::policies::ottl_condition::any_of;
use super::super::policies::{Maker, Voter};
use super::super::trace_paths;

/// Reads a list, and says what is wrong with it.
pub(super) fn check(key: &str, texts: &[String], errors: &mut ConfigErrors) {
    for (index, text) in texts.iter().enumerate() {
        let mut here = errors.at(key).index(index);
        match read(text) {
            Err(problems) => problems.tell(&mut here),
            Ok(condition) if mixes(&condition) => here.error_here(
                "asks of the trace and of a span at once, and does not say of which span",
                format!("ask apart, each for itself: when_all: {}", apart(text)),
            ),
            Ok(condition) => condition.warnings().tell(&mut here),
        }
    }
}

/// Who tells whether one of these conditions holds.
pub(super) fn some_holds(texts: &[String], maker: &mut Maker<'_>) -> Box<dyn Voter> {
    let (mut spans, mut events, mut traces) = (Vec::new(), Vec::new(), Vec::new());
    for condition in texts.iter().filter_map(|text| read(text).ok()) {
        match condition.level() {
            Level::Facts => traces.push(condition),
            Level::Event => events.push(condition),
            _ => spans.push(condition),
        }
    }
    any_of([spans, events, traces], ErrorMode::Ignore, maker)
}

/// Each path says what it is of; a condition without a path is on spans.
fn read(text: &str) -> Result<Condition, Problems> {
    let contexts = trace_paths::contexts();
    Condition::parse(&contexts, None, text).or_else(|problems| Condition::parse(&contexts, Some("span"), text).map_err(|_| problems))
}

fn mixes(condition: &Condition) -> bool {
    condition.level() != Level::Facts && condition.reads().touches(Level::Facts)
}

/// The parts of a condition that mixes, as a list; or an example, where it does not fall apart.
fn apart(text: &str) -> String {
    let parts = conjuncts(text);
    let stand_alone = |part: &&str| read(part).is_ok_and(|condition| !mixes(&condition));
    if parts.len() > 1 && parts.iter().all(stand_alone) {
        let parts: Vec<String> = parts.into_iter().map(|part| format!("'{}'", part.replace('\'', "''"))).collect();
        return format!("[{}]", parts.join(", "));
    }
    "['trace.span_count > 500', 'span.name == \"a\"']".to_owned()
}

/// What stands between those `and` that are in no brackets and no quotes.
fn conjuncts(text: &str) -> Vec<&str> {
    const AND: &str = " and ";
    let (mut parts, mut from, mut depth, mut in_quotes, mut escaped) = (Vec::new(), 0, 0_i32, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            '(' | '[' if !in_quotes => depth += 1,
            ')' | ']' if !in_quotes => depth -= 1,
            ' ' if !in_quotes && depth == 0 && at >= from && text[at..].starts_with(AND) => {
                parts.push(text[from..at].trim());
                from = at + AND.len();
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}
