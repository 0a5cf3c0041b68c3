//! Our part: values, whatever their shape, with all that is found in them replaced.

use foldhash::fast::RandomState;
use tracetailor_core::component::BuildError;
use tracetailor_core::telemetry::{Entry, MapRef, Place, Value, ValueRef, put_key_value, utf8};

use super::actions::{MASK, Replacer, is_token};
use super::config::{Action, Config};
use super::finder::{Finder, Hit};
use super::keys::{KeyFacts, KeyReader};
use super::rules::Rules;
use super::{json, sql};

/// What is known of keys, which are few: their facts are remembered.
type KeyMemory = std::collections::HashMap<Box<[u8]>, KeyFacts, RandomState>;
/// With more keys than these it begins again.
const MOST_KEYS: usize = 1 << 13;

/// Our rules at work.
pub(super) struct Ours {
    pub(super) rules: Rules,
    finder: Finder,
    keys: KeyReader,
    memory: KeyMemory,
    replacer: Replacer,
    /// The searches for addresses, which versions look like.
    addresses: u128,
    /// The rules that had a part in what was looked at last.
    pub(super) hits: Vec<u16>,
    /// Whether the whole item is to go.
    pub(super) is_doomed: bool,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) place: Place,
    /// The searches that look there.
    wanted: u128,
}

/// A part of a text: where it stands, which rule means it, and what comes in its place where that is known already.
type Piece = (std::ops::Range<usize>, usize, Option<Vec<u8>>);

/// What a value becomes.
#[derive(Debug, PartialEq)]
pub(super) enum Becomes {
    /// Nothing: it goes.
    Nothing,
    /// Another.
    Value(Value),
}

impl Ours {
    pub(super) fn new(config: &Config) -> Result<Self, BuildError> {
        let mut rules = Rules::new(config)?;
        let finder = Finder::new(std::mem::take(&mut rules.searches));
        let address = |name: &str| rules.all.iter().position(|rule| rule.name == name).map_or(0, |number| 1u128 << number);
        Ok(Self {
            addresses: address("ipv4") | address("ipv6"),
            finder,
            keys: KeyReader { rules: config.keys.iter().map(|rule| rule.matches.to_vec()).collect(), folds: config.fold_keys.clone() },
            memory: KeyMemory::default(),
            replacer: Replacer::new(config),
            rules,
            hits: Vec::new(),
            is_doomed: false,
        })
    }

    /// What a key tells.
    pub(super) fn facts(&mut self, key: &[u8]) -> KeyFacts {
        if let Some(facts) = self.memory.get(key) {
            return *facts;
        }
        let look = self.finder.look(key);
        let is_plain = self.finder.find(key, look, u128::MAX).is_empty();
        let facts = KeyFacts { is_plain, ..self.keys.facts(&utf8::repair(key)) };
        if self.memory.len() >= MOST_KEYS {
            self.memory.clear();
        }
        self.memory.insert(key.into(), facts);
        facts
    }

    /// The key that a key folds into; none where it is to go.
    pub(super) fn folded(&self, fold: u16, key: &[u8]) -> Option<String> {
        self.keys.folds.get(usize::from(fold))?.folded(&utf8::repair(key))
    }

    pub(super) fn at(&self, place: Place) -> At {
        At { place, wanted: self.rules.reach(place, place == Place::Body) }
    }

    /// What the value behind a key becomes, where that is something else.
    pub(super) fn behind(&mut self, at: At, facts: KeyFacts, value: ValueRef<'_>) -> Option<Becomes> {
        let mut at = at;
        if facts.is_prompt {
            at.wanted |= self.rules.reach(at.place, true);
        }
        if facts.is_version {
            at.wanted &= !self.addresses;
        }
        let by_key = facts.rule.map(|rule| self.rules.first_key + usize::from(rule));
        let by_name = self.rules.secret_keys.filter(|_| facts.is_secret && !matches!(value, ValueRef::Bool(_) | ValueRef::Empty));
        let by_prompt = self.rules.prompts.filter(|_| facts.is_prompt);
        if let Some(rule) = by_key.or(by_name).or(by_prompt).filter(|rule| self.rules.all[*rule].action != Action::None) {
            return self.whole(rule, value);
        }
        if let (true, Some(rule), ValueRef::String(text)) = (facts.is_statement, self.rules.sql, value)
            && let Some(statement) = statement(text)
        {
            return Some(self.statement(at, rule, statement));
        }
        self.value(at, value)
    }

    /// Whether one look tells that a text behind an ordinary key stays as it is: most that were never seen are such.
    pub(super) fn is_clear(&mut self, place: Place, key: &[u8], text: &[u8]) -> bool {
        let facts = self.facts(key);
        let may_be_structured = self.rules.secret_keys.is_some() && json::begins(text);
        let may_hold_literals = facts.is_statement && self.rules.sql.is_some() && sql::may_hold_literals(text);
        facts.is_ordinary() && !may_be_structured && !may_hold_literals && self.finder.is_clear(text, self.at(place).wanted)
    }

    /// The whole value by one rule.
    fn whole(&mut self, rule: usize, value: ValueRef<'_>) -> Option<Becomes> {
        let action = self.rules.all[rule].action;
        let text = match value {
            ValueRef::String(text) | ValueRef::Bytes(text) => text.to_vec(),
            other => tracetailor_core::attributes::text(other).into_bytes(),
        };
        let is_done = text.is_empty() || text.starts_with(MASK.as_bytes()) || is_token(&text);
        if is_done && !matches!(action, Action::Delete | Action::DropSpan) {
            return None;
        }
        self.hits.push(rule as u16);
        match action {
            Action::Delete => return Some(Becomes::Nothing),
            Action::DropSpan => self.is_doomed = true,
            _ => {}
        }
        Some(Becomes::Value(Value::String(self.replacer.replacement(action, &text))))
    }

    /// A statement without its literals, in which the other searches look as well.
    fn statement(&mut self, at: At, rule: usize, statement: String) -> Becomes {
        self.hits.push(rule as u16);
        match self.rules.all[rule].action {
            Action::Delete => return Becomes::Nothing,
            Action::DropSpan => self.is_doomed = true,
            _ => {}
        }
        match self.text(at, statement.as_bytes()) {
            Some(Some(text)) => Becomes::Value(Value::String(lossy(text))),
            Some(None) => Becomes::Nothing,
            None => Becomes::Value(Value::String(statement)),
        }
    }

    /// What a value becomes, where that is something else.
    pub(super) fn value(&mut self, at: At, value: ValueRef<'_>) -> Option<Becomes> {
        match value {
            ValueRef::Empty | ValueRef::Bool(_) => None,
            ValueRef::Int(_) | ValueRef::Double(_) => {
                let text = tracetailor_core::attributes::text(value);
                let text = self.text(at, text.as_bytes())?;
                Some(text.map_or(Becomes::Nothing, |text| Becomes::Value(Value::String(lossy(text)))))
            }
            ValueRef::String(text) => {
                let text = self.text(at, text)?;
                Some(text.map_or(Becomes::Nothing, |text| Becomes::Value(Value::String(lossy(text)))))
            }
            ValueRef::Bytes(bytes) => {
                let bytes = self.text(at, bytes)?;
                Some(bytes.map_or(Becomes::Nothing, |bytes| Becomes::Value(Value::Bytes(bytes))))
            }
            ValueRef::List(list) => {
                let mut is_changed = false;
                let mut values = Vec::new();
                for value in list.iter() {
                    match self.value(at, value) {
                        None => values.push(value.to_value()),
                        Some(Becomes::Value(value)) => {
                            is_changed = true;
                            values.push(value);
                        }
                        Some(Becomes::Nothing) => is_changed = true,
                    }
                }
                is_changed.then_some(Becomes::Value(Value::List(values)))
            }
            ValueRef::Map(map) => self.map(at, map),
        }
    }

    /// The same of a value that does not lie on the wire.
    pub(super) fn value_of(&mut self, at: At, value: &Value) -> Option<Becomes> {
        let mut bytes = Vec::new();
        put_key_value(&mut bytes, b"", value);
        self.value(at, Entry::of(&bytes).read().value())
    }

    fn map(&mut self, at: At, map: MapRef<'_>) -> Option<Becomes> {
        let mut is_changed = false;
        let mut entries = Vec::new();
        for entry in map.iter() {
            let facts = self.facts(entry.key);
            let key = if facts.is_plain { None } else { self.key(at, entry.key) };
            is_changed |= key.is_some();
            let key = key.unwrap_or_else(|| entry.key_text().into_owned());
            match self.behind(at, facts, entry.value()) {
                None => entries.push((key, entry.value().to_value())),
                Some(Becomes::Value(value)) => {
                    is_changed = true;
                    entries.push((key, value));
                }
                Some(Becomes::Nothing) => is_changed = true,
            }
        }
        is_changed.then_some(Becomes::Value(Value::Map(entries)))
    }

    /// What a key becomes in which something is found. It never goes: what stands behind it may matter.
    pub(super) fn key(&mut self, at: At, key: &[u8]) -> Option<String> {
        let text = self.text(at, key)?;
        Some(text.map_or_else(|| MASK.to_owned(), lossy))
    }

    /// What a text becomes: nothing where it is to go with what holds it, no answer where it stays.
    pub(super) fn text(&mut self, at: At, text: &[u8]) -> Option<Option<Vec<u8>>> {
        let look = self.finder.look(text);
        if Finder::is_done(look, at.wanted) && !(self.rules.secret_keys.is_some() && json::begins(text)) {
            return None;
        }
        let mut hits = self.finder.find(text, look, at.wanted);
        if matches!(at.place, Place::TraceState | Place::LinkTraceState)
            && let Some(member) = randomness(text)
        {
            hits.retain(|hit| !member.contains(&hit.range.start));
        }
        if self.others_take_all(&hits) {
            return Some(None);
        }
        let mut pieces: Vec<Piece> = hits.into_iter().map(|hit| (hit.range, hit.search, hit.decoded)).collect();
        self.named(text, &mut pieces);
        if pieces.is_empty() { None } else { self.replaced(text, pieces) }
    }

    /// Does what is asked for by findings that others have taken in, and says whether nothing is to be left.
    fn others_take_all(&mut self, hits: &[Hit]) -> bool {
        let mut others = hits.iter().fold(0, |all, hit| all | hit.others);
        let mut takes_all = false;
        while others != 0 {
            let rule = others.trailing_zeros() as usize;
            others &= others - 1;
            let action = self.rules.all[rule].action;
            if matches!(action, Action::Delete | Action::DropSpan) {
                self.hits.push(rule as u16);
                takes_all |= action == Action::Delete;
                self.is_doomed |= action == Action::DropSpan;
            }
        }
        takes_all
    }

    /// Adds what stands behind the names of secrets in JSON.
    fn named(&mut self, text: &[u8], pieces: &mut Vec<Piece>) {
        let Some(rule) = self.rules.secret_keys else { return };
        let Self { keys, memory, .. } = self;
        let means = |key: &str| match memory.get(key.as_bytes()) {
            Some(facts) => facts.is_secret,
            None => keys.facts(key).is_secret,
        };
        let before = pieces.len();
        json::each_named(text, means, |range| pieces.push((range, rule, None)));
        if pieces.len() == before {
            return;
        }
        pieces.sort_by_key(|(range, _, _)| (range.start, std::cmp::Reverse(range.end)));
        pieces.dedup_by(|next, last| {
            let overlaps = next.0.start < last.0.end;
            if overlaps {
                last.0.end = last.0.end.max(next.0.end);
            }
            overlaps
        });
    }

    fn replaced(&mut self, text: &[u8], pieces: Vec<Piece>) -> Option<Option<Vec<u8>>> {
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        for (range, rule, decoded) in pieces {
            let action = self.rules.all[rule].action;
            let secret = decoded.as_deref().unwrap_or(&text[range.clone()]);
            let replacement = self.replacer.replacement(action, secret);
            if replacement.as_bytes() == &text[range.clone()] {
                continue;
            }
            self.hits.push(rule as u16);
            match action {
                Action::Delete => return Some(None),
                Action::DropSpan => self.is_doomed = true,
                _ => {}
            }
            out.extend_from_slice(&text[copied..range.start]);
            out.extend_from_slice(quoted(text, &range, replacement).as_bytes());
            copied = range.end;
            if action == Action::Truncate {
                copied = text.len();
                break;
            }
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(&text[copied..]);
        Some(Some(out))
    }
}

/// A number in JSON becomes a text there, or the JSON would be none.
fn quoted(text: &[u8], range: &std::ops::Range<usize>, replacement: String) -> String {
    let is_json = matches!(text.first(), Some(b'{' | b'['));
    let is_number = text[range.clone()].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
    let before = text[..range.start].iter().rfind(|byte| !byte.is_ascii_whitespace());
    let behind = text[range.end..].iter().find(|byte| !byte.is_ascii_whitespace());
    let stands_bare = matches!(before, Some(b':' | b',' | b'[')) && matches!(behind, Some(b',' | b'}' | b']'));
    if is_json && is_number && stands_bare { format!("\"{replacement}\"") } else { replacement }
}

/// The member of a trace state in which sampling keeps its numbers.
fn randomness(text: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    for member in text.split(|byte| *byte == b',') {
        if member.trim_ascii_start().starts_with(b"ot=") {
            return Some(at..at + member.len());
        }
        at += member.len() + 1;
    }
    None
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A statement with `?` for its literals and without comments, where it has any. One that does not end where it should is masked whole.
fn statement(text: &[u8]) -> Option<String> {
    if !sql::may_hold_literals(text) {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut is_changed = false;
    for (token, range) in sql::tokens(text, sql::Dialect::Standard) {
        let piece = &text[range.clone()];
        let holds_text = || !text[range.end..].trim_ascii_start().starts_with(b".") && follows_operator(&out);
        match token {
            sql::Token::Endless => return Some(MASK.to_owned()),
            sql::Token::Text if piece.len() < 2 || piece[0] != piece[piece.len() - 1] => return Some(MASK.to_owned()),
            sql::Token::Number | sql::Token::Text => out.push(b'?'),
            sql::Token::Quoted if holds_text() => out.push(b'?'),
            sql::Token::Comment => out.push(b' '),
            _ => {
                out.extend_from_slice(piece);
                continue;
            }
        }
        is_changed = true;
    }
    is_changed.then(|| lossy(out))
}

/// True behind an operator, or where a list of values may be: what is quoted there may be text as well as a name.
fn follows_operator(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let word = before.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let is_like = [&b"like"[..], b"ilike", b"values", b"between"].iter().any(|known| before[word..].eq_ignore_ascii_case(known));
    is_like || matches!(before.last(), Some(b'=' | b'<' | b'>' | b'('))
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn statements_lose_their_literals_and_nothing_else() {
        let lost = |text: &str| statement(text.as_bytes());
        assert_eq!(lost("SELECT a1 FROM t2 WHERE b = 5 AND c = 'x'").as_deref(), Some("SELECT a1 FROM t2 WHERE b = ? AND c = ?"));
        assert_eq!(
            lost("SELECT \"a\".\"b\" FROM \"t\" WHERE \"a\".\"b\" = \"joe\"").as_deref(),
            Some("SELECT \"a\".\"b\" FROM \"t\" WHERE \"a\".\"b\" = ?")
        );
        assert_eq!(lost("SELECT a -- 4111\nFROM t").as_deref(), Some("SELECT a  \nFROM t"));
        assert_eq!(lost("SELECT 'x").as_deref(), Some("****"));
        assert_eq!(lost("SELECT a FROM t WHERE b = ? AND c = $1"), None);
    }
}
