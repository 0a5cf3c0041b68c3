//! What can be seen to be wrong before any name comes.

use std::collections::{BTreeMap, HashMap};

use tracetailor_core::config::{ConfigErrors, OneOrMany, quoted};

use super::{Rule, Strip};

/// An alias leads to one name, and no further.
pub(super) fn aliases(aliases: &BTreeMap<String, OneOrMany<String>>, errors: &mut ConfigErrors) {
    let mut right_of: HashMap<&str, &str> = HashMap::new();
    for (right, others) in aliases {
        if right.is_empty() {
            errors.error_here("has an empty name", "write the right name before its aliases");
        }
        for other in others {
            if aliases.contains_key(other) && other != right {
                let wrong = format!("{} is a right name itself", quoted(other));
                errors.error(right, wrong, "list what comes instead of it under one name only");
            }
            if let Some(before) = right_of.insert(other, right).filter(|before| before != right) {
                errors.error(right, format!("{} stands under {} already", quoted(other), quoted(before)), "a name can be one service only");
            }
        }
    }
}

/// Letters must be some, and what only stands at the end is not cut off the front.
pub(super) fn strip(strip: &Strip, errors: &mut ConfigErrors) {
    for (key, list) in [("prefixes", &strip.prefixes), ("suffixes", &strip.suffixes)] {
        for (index, text) in list.iter().enumerate() {
            if text.is_empty() {
                errors.at(key).index(index).error_here("is empty", "write letters, or environment, version, pod_hash, domain");
            }
            if key == "prefixes" && ["pod_hash", "domain"].contains(&text.as_str()) {
                errors.at(key).index(index).error_here(format!("{text} stands at the end of names"), "write it under suffixes");
            }
        }
    }
}

/// A template may only speak of groups that the pattern has.
pub(super) fn rule(rule: &Rule, errors: &mut ConfigErrors) {
    if rule.name.is_empty() {
        errors.error("name", "is empty", "write the name, such as $1");
    }
    let regex = rule.pattern.regex();
    for (key, template) in [("name", &rule.name), ("namespace", &rule.namespace)] {
        for group in groups(template) {
            let is_there = match group.parse::<usize>() {
                Ok(number) => number < regex.captures_len(),
                Err(_) => regex.capture_names().flatten().any(|name| name == group),
            };
            if !is_there {
                let names: Vec<&str> = regex.capture_names().flatten().collect();
                let right = match (regex.captures_len() - 1, names.as_slice()) {
                    (0, _) => "put what you mean in parentheses in the pattern".to_owned(),
                    (count, []) => format!("the pattern has $1 to ${count}; write ${{1}}x where a letter follows"),
                    (_, names) => format!("the pattern has {}; write ${{{}}}x where a letter follows", names.join(", "), names[0]),
                };
                errors.error(key, format!("the pattern has no group {}", quoted(group)), right);
            }
        }
    }
}

/// The groups that a template names: `$1`, `$name`, `${name}`; `$$` is none.
fn groups(template: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let mut rest = template;
    while let Some((_, behind)) = rest.split_once('$') {
        rest = behind;
        if let Some(behind) = rest.strip_prefix('$') {
            rest = behind;
        } else if let Some((name, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            groups.push(name);
            rest = behind;
        } else {
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
            groups.extend((end > 0).then(|| &rest[..end]));
            rest = &rest[end..];
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_are_found_as_the_engine_finds_them() {
        assert_eq!(super::groups("$1-$team/${a}b$$c$"), ["1", "team", "a"]);
    }
}
