//! The page `/services`: which services there are, and what looks wrong with their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::PoisonError;

use serde_json::json;
use tracetailor_core::component::Report;
use tracetailor_core::time::{LogTime, Utc};

use super::Case;
use super::seen::{Seen, Service, Table};
use super::words::spelled;

impl Report for Seen {
    fn json(&self, _question: &str) -> serde_json::Value {
        let table = self.table();
        let services: Vec<_> = table
            .services
            .iter()
            .map(|(name, service)| {
                let (first, last) = service.when();
                json!({
                    "name": name, "came_with": names(&service.came_with), "items": service.items(),
                    "first_seen": time(first), "last_seen": time(last), "sdks": names(&service.sdks),
                })
            })
            .collect();
        let processes = several(&table.processes);
        let processes: Vec<_> = processes.iter().map(|(process, names)| json!({ "process": process, "names": names })).collect();
        let collisions: Vec<_> = table.collisions.iter().map(|(given, name)| json!({ "came_as": given, "name": name })).collect();
        json!({
            "services": services,
            "alike": several(&table.alike).values().collect::<Vec<_>>(),
            "processes_with_several_names": processes,
            "services_with_several_sdks": several_sdks(&table),
            "collisions": collisions,
            "aliases": aliases(&table),
            "beyond": table.beyond,
        })
    }

    fn text(&self, _question: &str) -> String {
        let table = self.table();
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write_text(&table, &mut out);
        out
    }
}

fn write_text(table: &Table, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{:>12}  {:20}  {:20}  service", "items", "first seen", "last seen")?;
    for (name, service) in &table.services {
        let (first, last) = service.when();
        let came_with: Vec<String> = names(&service.came_with).into_iter().filter(|came| came != name).collect();
        let came_with = if came_with.is_empty() { String::new() } else { format!(" (came as {})", came_with.join(", ")) };
        writeln!(out, "{:>12}  {:20}  {:20}  {name}{came_with}", service.items(), time(first), time(last))?;
    }
    for names in several(&table.alike).values() {
        writeln!(out, "\nnames that differ only in case or punctuation: {}", names.join(", "))?;
    }
    for (process, names) in several(&table.processes) {
        writeln!(out, "\none process, {process}, sends under several names: {}", names.join(", "))?;
    }
    for (service, sdks) in several_sdks(table) {
        writeln!(out, "\n{service} comes from several SDKs: {}", sdks.join(", "))?;
    }
    for (given, name) in &table.collisions {
        writeln!(out, "\n{given} would be {name}, which is a different service: see on_collision")?;
    }
    let aliases = aliases(table);
    if !aliases.is_empty() {
        writeln!(out, "\nthe table of aliases that makes the names one:\n\naliases:")?;
        for (right, others) in aliases {
            let others: Vec<String> = others.iter().map(|other| json!(other).to_string()).collect();
            writeln!(out, "  {}: [{}]", json!(right), others.join(", "))?;
        }
    }
    if table.beyond > 0 {
        writeln!(out, "\nthere was no place for {} more", table.beyond)?;
    }
    Ok(())
}

/// Right names and what comes instead of them: what was or would be renamed, and of names that are alike those beside the best.
fn aliases(table: &Table) -> BTreeMap<String, BTreeSet<String>> {
    let mut aliases = table.renamed.clone();
    for names in several(&table.alike).into_values() {
        let Some(right) = names.iter().max_by_key(|name| rank(name, table)) else { continue };
        let others = names.iter().filter(|name| *name != right).cloned();
        aliases.entry(right.clone()).or_default().extend(others);
    }
    aliases
}

/// How good a name is among those that are alike: one that others are renamed to, one under which most comes, one that reads well.
fn rank(name: &str, table: &Table) -> (bool, u64, bool) {
    let items = table.services.get(name).map_or(0, |service| service.items());
    (table.renamed.contains_key(name), items, spelled(name, Case::Kebab) == name)
}

fn several<'a>(all: impl IntoIterator<Item = (&'a String, &'a BTreeSet<String>)>) -> BTreeMap<String, Vec<String>> {
    let several = all.into_iter().filter(|(_, names)| names.len() > 1);
    several.map(|(key, names)| (key.clone(), names.iter().cloned().collect())).collect()
}

fn several_sdks(table: &Table) -> BTreeMap<String, Vec<String>> {
    let sdks = |service: &Service| names(&service.sdks);
    table.services.iter().map(|(name, service)| (name.clone(), sdks(service))).filter(|(_, sdks)| sdks.len() > 1).collect()
}

fn names(set: &std::sync::Mutex<BTreeSet<String>>) -> Vec<String> {
    set.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

fn time(at: LogTime) -> String {
    let Utc { year, month, day, hour, minute, second, .. } = Utc::from(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
