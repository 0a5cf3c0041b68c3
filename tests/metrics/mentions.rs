//! Finds names of metrics in texts.

const BEGINNINGS: [&str; 3] = ["otelcol_", "tracetailor_", "target_info"];
/// Crates of ours, and gates: names of the same form.
const OTHERS: [&str; 4] = ["tracetailor_core", "tracetailor_net", "tracetailor_processors", "tracetailor_own"];

/// The names that code has in quotes, placeholders and all: `otelcol_exporter_{name}_{}`.
pub(crate) fn in_code(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let named =
        |said: &&str| BEGINNINGS.iter().any(|beginning| said.starts_with(beginning) && *said != "otelcol_" && *said != "tracetailor_");
    let is_name = |said: &&str| said.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_{}.()".contains(c));
    quoted.filter(named).filter(is_name).map(str::to_owned).collect()
}

/// The names that a page speaks of, without those that stand for several.
pub(crate) fn in_prose(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_{}*,".contains(c)));
    let names = words.filter_map(|word| {
        let name = word.split(['{', '*', ',', '}']).next()?;
        let begins = BEGINNINGS[..2].iter().any(|beginning| name.starts_with(beginning) && name.len() > beginning.len());
        (begins && !name.ends_with('_') && !OTHERS.contains(&name)).then(|| name.to_owned())
    });
    names.collect()
}

/// Which labels of which metrics a page names in braces: `name{label="value"}` and `by (label)` are told apart by their braces.
pub(crate) fn labels(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('{') {
        let name: String = text[..at].chars().rev().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let name: String = name.chars().rev().collect();
        let inside = text[at + 1..].split('}').next().unwrap_or_default();
        if BEGINNINGS[..2].iter().any(|beginning| name.starts_with(beginning)) && inside.contains('=') {
            let labels = inside.split(',').filter_map(|pair| pair.split(['=', '!']).next());
            found.extend(labels.map(|label| (name.clone(), label.trim().to_owned())));
        }
    }
    found
}

/// Whether what code says can come to this name: what is in braces is filled in with something.
pub(crate) fn stands_for(said: &str, name: &str) -> bool {
    match said.split_once('{') {
        None => said == name,
        Some((before, rest)) => {
            let Some(behind) = name.strip_prefix(before) else { return false };
            let rest = rest.split_once('}').map_or("", |(_, rest)| rest);
            (1..=behind.len()).any(|filled| stands_for(rest, &behind[filled..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_their_placeholders() {
        let code = "counter(\"tracetailor_x_total\"); // \"\n/// \"tracetailor_not\"\nformat!(\"otelcol_exporter_{name}_{}\", s.items())\n";
        assert_eq!(in_code(code), ["tracetailor_x_total", "otelcol_exporter_{name}_{}"]);
        assert_eq!(in_code("is(\"otelcol_\") use(\"a\")"), Vec::<String>::new());
        assert!(stands_for("otelcol_exporter_{name}_{}", "otelcol_exporter_sent_spans"));
        assert!(!stands_for("otelcol_exporter_{name}_{}", "otelcol_exporter_sent"));
        assert!(stands_for("a_{b}", "a_c") && !stands_for("a_{b}", "a_") && !stands_for("a_b", "a_c"));
    }

    #[test]
    fn prose_speaks_of_one_or_of_several() {
        let prose =
            "`tracetailor_a_total{component=\"x\"}`, `tracetailor_ledger_*` and `tracetailor_b_{items}`; tracetailor_core, otelcol_c";
        assert_eq!(in_prose(prose), ["tracetailor_a_total", "otelcol_c"]);
        assert_eq!(labels(prose), [("tracetailor_a_total".to_owned(), "component".to_owned())]);
    }
}
