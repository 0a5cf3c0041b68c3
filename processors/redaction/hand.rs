//! Whoever is shown every text of an item, and says what it is to be: first as the Collector's keys have it, then as ours do.

use std::collections::HashSet;

use tracetailor_core::component::{BuildError, ProcessorContext};
use tracetailor_core::telemetry::{
    Entry, Item, ItemKind, Owner, Place, Signal, Sweeper, Swept, Telemetry, Value, ValueRef, put_key_value, utf8,
};

use super::collector::{Collector, Summary, Tally, Verdict};
use super::config::{Action, Config, Mode};
use super::detectors;
use super::glance::Glances;
use super::needs;
use super::ours::{At, Becomes, Ours};
use super::prefilter::Prefilter;
use super::proof::Proof;
use super::rules::Rules;
use super::verdicts::Verdicts;

/// Whoever is shown every text.
pub(super) struct Hand {
    /// Nothing where no key of the Collector asks for anything.
    collector: Option<Collector>,
    /// Whether the Collector's keys leave alone what is being swept.
    is_skipped: bool,
    /// Tells which of the Collector's blocked values are worth a search.
    blocked: Prefilter,
    /// Tells at a glance of most items that there is nothing in them, where nothing but blocked values is asked for.
    glances: Option<Glances>,
    /// Nothing where none of our keys asks for anything.
    ours: Option<Ours>,
    mode: Mode,
    /// Of an item, so many attributes; further ones go. None for no bound.
    most_attributes: usize,
    /// Longer texts in attributes are cut.
    longest: usize,
    verdicts: Verdicts,
    /// Whether what becomes of an attribute depends on that attribute alone, so that it can be remembered.
    remembers: bool,
    /// Whether it can be told of attributes of this item that they stay, before they are shown.
    tells_early: bool,
    /// The hash of the attribute that was asked about last.
    asked: u64,
    /// What is being swept: whose attributes, the database they name, what was seen of them. What is inside stands behind what it is in.
    open: Vec<Open>,
    /// The name that a span is to have, where the sanitizers change it.
    name: Option<String>,
    proof: Proof,
    numbers: Numbers,
    /// What the Collector's part did to what was looked at last.
    hits: Vec<u16>,
}

/// The numbers of what is counted beside our rules.
#[derive(Clone, Copy)]
struct Numbers {
    not_allowed: usize,
    blocked: usize,
    folded: usize,
    limited: usize,
}

/// A set of attributes whose end has not come.
struct Open {
    place: Place,
    system: Option<String>,
    tally: Option<Box<Tally>>,
    attributes: usize,
    /// The keys that others were folded into.
    folded: Option<HashSet<String>>,
}

impl Hand {
    pub(super) fn new(config: &Config, context: &ProcessorContext) -> Result<Self, BuildError> {
        let collector = Some(Collector::new(config)?).filter(|collector| !collector.is_idle());
        let rules = Rules::new(config)?;
        self_test(&rules)?;
        let digest = rules.digest(config);
        let mut names: Vec<(String, Action)> = rules.all.iter().map(|rule| (rule.name.clone(), rule.action)).collect();
        let first = names.len();
        names.extend(["not_allowed", "blocked", "fold_keys", "limits"].map(|name| (name.to_owned(), Action::None)));
        let ours = if config.has_ours() { Some(Ours::new(config)?) } else { None };
        let needed = config.blocked_values.iter().map(|pattern| needs::of(pattern.regex().as_str()));
        Ok(Self {
            remembers: collector.as_ref().is_none_or(Collector::is_local),
            blocked: Prefilter::of(needed),
            glances: glances(config, collector.as_ref()),
            collector,
            is_skipped: false,
            ours,
            mode: config.mode,
            most_attributes: if config.limits.attributes == 0 { usize::MAX } else { config.limits.attributes as usize },
            longest: if config.limits.value_length.is_zero() { usize::MAX } else { config.limits.value_length.as_usize() },
            verdicts: Verdicts::new(),
            tells_early: false,
            asked: 0,
            open: Vec::new(),
            name: None,
            proof: Proof::new(names, config.mode, &digest, context),
            numbers: Numbers { not_allowed: first, blocked: first + 1, folded: first + 2, limited: first + 3 },
            hits: Vec::new(),
        })
    }

    /// An item or a context begins, which the Collector's keys may have to leave alone.
    pub(super) fn begin_item(&mut self, is_skipped: bool) {
        self.is_skipped = is_skipped;
        self.tells_early = self.remembers && !is_skipped && self.most_attributes == usize::MAX;
        self.open.clear();
        self.name = None;
        if let Some(ours) = &mut self.ours {
            ours.is_doomed = false;
        }
    }

    /// The items of another batch begin.
    pub(super) fn begin_batch(&mut self) {
        self.glances.iter_mut().for_each(Glances::begin_batch);
    }

    /// Whether it is clear without showing its texts that an item stays as it is. A log record's body is more than attributes are.
    #[inline]
    pub(super) fn leaves(&mut self, batch: &Telemetry, index: usize) -> bool {
        batch.signal() != Signal::Logs && self.glances.as_mut().is_some_and(|glances| glances.is_clear(batch, index))
    }

    /// Whether a rule says that the whole item is to go.
    pub(super) fn is_doomed(&self) -> bool {
        self.mode == Mode::Apply && self.ours.as_ref().is_some_and(|ours| ours.is_doomed)
    }

    /// What must be known of an item before its texts are shown.
    pub(super) fn look_at(&mut self, item: &Item<'_>) {
        if let Some(collector) = self.collector().filter(|collector| collector.reads_names())
            && item.kind() == ItemKind::Span
        {
            self.name = collector.span_name(item);
        }
    }

    fn collector(&self) -> Option<&Collector> {
        self.collector.as_ref().filter(|_| !self.is_skipped)
    }

    /// The Collector looks at these and at no others.
    fn is_collectors(place: Place) -> bool {
        matches!(place, Place::Attribute | Place::EventAttribute | Place::ResourceAttribute | Place::ScopeAttribute)
    }

    /// The Collector's part: what an attribute becomes, and whether that is all that can become of it.
    fn collectors(&mut self, place: Place, entry: Entry<'_>) -> Swept {
        let Some(collector) = self.collector.as_ref().filter(|_| !self.is_skipped && Hand::is_collectors(place)) else {
            return Swept::Keep;
        };
        let Some(open) = self.open.last_mut() else { return Swept::Keep };
        let attribute = entry.read();
        let original = attribute.value();
        let suspects = match original {
            ValueRef::String(text) => self.blocked.suspects(text),
            _ => u128::MAX,
        };
        let suspect = |text: &[u8], number: usize| {
            let is_original = matches!(original, ValueRef::String(original) if original.as_ptr() == text.as_ptr());
            !is_original || suspects >> number & 1 == 1
        };
        let verdict = collector.attribute(&attribute, open.system.as_deref(), &suspect);
        if collector.summary != Summary::Silent {
            let tally = open.tally.get_or_insert_default();
            tally.note(&attribute.key_text(), &verdict);
            let text = if let Verdict::Masked(text) = &verdict { Some(text.clone()) } else { None };
            if verdict != Verdict::NotAllowed && tally.takes(&attribute, text) {
                return Swept::Delete;
            }
        }
        match verdict {
            Verdict::NotAllowed => {
                self.hits.push(self.numbers.not_allowed as u16);
                Swept::Delete
            }
            Verdict::Masked(text) => {
                self.hits.push(self.numbers.blocked as u16);
                Swept::Put(attribute.key.to_vec(), Value::String(text))
            }
            Verdict::Ignored | Verdict::Allowed | Verdict::Unharmed => Swept::Keep,
        }
    }

    /// Our part: what an attribute becomes that has this value now.
    fn ours(&mut self, place: Place, key: &[u8], value: ValueRef<'_>) -> Swept {
        let Some(ours) = &mut self.ours else { return Swept::Keep };
        let facts = ours.facts(key);
        let at = ours.at(place);
        let mut new_key = None;
        if let Some(fold) = facts.fold {
            ours.hits.push(self.numbers.folded as u16);
            let folded = ours.folded(fold, key);
            let is_first = folded
                .as_ref()
                .is_some_and(|folded| self.open.last_mut().is_some_and(|open| open.folded.get_or_insert_default().insert(folded.clone())));
            if !is_first {
                return Swept::Delete;
            }
            new_key = folded;
        } else if !facts.is_plain {
            new_key = ours.key(at, key);
        }
        let becomes = ours.behind(at, facts, value);
        let becomes = cut(becomes, value, self.longest, || ours.hits.push(self.numbers.limited as u16));
        match (becomes, new_key) {
            (None, None) => Swept::Keep,
            (Some(Becomes::Nothing), _) => Swept::Delete,
            (Some(Becomes::Value(value)), new_key) => Swept::Put(new_key.map_or_else(|| key.to_vec(), String::into_bytes), value),
            (None, Some(new_key)) => Swept::Put(new_key.into_bytes(), value.to_value()),
        }
    }

    /// Both parts, one after the other.
    fn judged(&mut self, place: Place, entry: Entry<'_>) -> Swept {
        let collectors = self.collectors(place, entry);
        if collectors == Swept::Delete || self.ours.is_none() {
            return collectors;
        }
        let attribute = entry.read();
        let ours = match &collectors {
            Swept::Put(key, Value::String(text)) => self.ours(place, key, ValueRef::String(text.as_bytes())),
            _ => self.ours(place, attribute.key, attribute.value()),
        };
        if ours == Swept::Keep || self.mode == Mode::Suggest { collectors } else { ours }
    }

    /// Counts what was done since the last time, and tells by which rules.
    fn counted(&mut self, place: Place, key: Option<&[u8]>) -> Vec<u16> {
        if self.hits.is_empty() && self.ours.as_ref().is_none_or(|ours| ours.hits.is_empty()) {
            return Vec::new();
        }
        let mut hits = std::mem::take(&mut self.hits);
        if let Some(ours) = &mut self.ours {
            hits.append(&mut ours.hits);
        }
        self.count(&hits, place, key);
        hits
    }

    fn count(&mut self, hits: &[u16], place: Place, key: Option<&[u8]>) {
        if hits.is_empty() {
            return;
        }
        let is_plain = key.is_some_and(|key| self.ours.as_mut().is_none_or(|ours| ours.facts(key).is_plain));
        let shown = key.filter(|_| is_plain).map(utf8::repair);
        hits.iter().for_each(|rule| self.proof.count(usize::from(*rule), place, shown.as_deref()));
    }

    /// An item or a context of a service has ended.
    pub(super) fn end_item<'a>(&mut self, service: impl FnOnce() -> Option<std::borrow::Cow<'a, str>>) {
        self.proof.end_item(service);
    }

    /// The batch has ended.
    pub(super) fn end_batch(&mut self) {
        self.proof.end_batch();
    }

    fn at(&self, place: Place) -> Option<At> {
        self.ours.as_ref().map(|ours| ours.at(place))
    }
}

/// What tells at a glance that there is nothing, where nothing but blocked values is asked for.
fn glances(config: &Config, collector: Option<&Collector>) -> Option<Glances> {
    let is_all = collector.is_some_and(Collector::only_blocks_values) && !config.has_ours() && config.limits.attributes == 0;
    let patterns = config.blocked_values.iter().map(|pattern| pattern.regex().as_str());
    if is_all { Glances::of(patterns) } else { None }
}

/// Cuts a text that is too long.
fn cut(becomes: Option<Becomes>, value: ValueRef<'_>, longest: usize, mut note: impl FnMut()) -> Option<Becomes> {
    let shortened = |text: &str| {
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        Becomes::Value(Value::from(&text[..end]))
    };
    match (&becomes, value) {
        (Some(Becomes::Value(Value::String(text))), _) if text.len() > longest => {
            note();
            Some(shortened(text))
        }
        (None, ValueRef::String(text)) if text.len() > longest => {
            note();
            value.text().map(|text| shortened(&text))
        }
        _ => becomes,
    }
}

/// A gateway whose detectors find nothing must not say that it redacts: it does not start.
fn self_test(rules: &Rules) -> Result<(), BuildError> {
    let used = detectors::ALL.into_iter().filter(|detector| rules.all.iter().any(|rule| rule.name == detector.name));
    for detector in used {
        if !detectors::finds_its_samples(detector) {
            let wrong = format!("the detector {} does not find its own samples", detector.name);
            return Err(BuildError::new(wrong, "this is a bug: please report it"));
        }
    }
    Ok(())
}

impl Sweeper for Hand {
    fn text(&mut self, place: Place, text: &[u8], out: &mut Vec<u8>) -> bool {
        let name = if place == Place::Name { self.name.take() } else { None };
        let shown = name.as_deref().map_or(text, str::as_bytes);
        let mut is_changed = name.is_some();
        if let Some(at) = self.at(place)
            && !shown.is_empty()
        {
            let hash = self.verdicts.hash(place, shown);
            if !self.verdicts.is_clean(hash) {
                let becomes = self.ours.as_mut().and_then(|ours| ours.text(at, shown));
                if self.counted(place, None).is_empty() {
                    self.verdicts.remember_clean(hash);
                }
                if let Some(becomes) = becomes.filter(|_| self.mode == Mode::Apply) {
                    out.extend_from_slice(becomes.as_deref().unwrap_or(super::actions::MASK.as_bytes()));
                    return true;
                }
            }
        }
        if let Some(name) = name {
            out.extend_from_slice(name.as_bytes());
            is_changed = true;
        }
        is_changed
    }

    #[inline]
    fn begin(&mut self, place: Place, owner: Owner<'_>) {
        let system = self.collector().and_then(|collector| collector.system(|key| owner.attribute(key)));
        self.open.push(Open { place, system, tally: None, attributes: 0, folded: None });
    }

    #[inline]
    fn keeps(&mut self, place: Place, entry: Entry<'_>) -> bool {
        if !self.tells_early {
            return false;
        }
        self.asked = self.verdicts.hash(place, entry.bytes());
        self.verdicts.is_clean(self.asked)
    }

    fn attribute(&mut self, place: Place, entry: Entry<'_>, out: &mut Vec<u8>) -> Swept {
        if self.most_attributes != usize::MAX
            && let Some(open) = self.open.last_mut()
        {
            open.attributes += 1;
            if open.attributes > self.most_attributes {
                self.proof.count(self.numbers.limited, place, None);
                return if self.mode == Mode::Apply { Swept::Delete } else { Swept::Keep };
            }
        }
        // What is remembered is what both parts come to.
        if !self.remembers || self.is_skipped {
            let swept = self.judged(place, entry);
            self.counted(place, Some(entry.read().key));
            return swept;
        }
        let hash = if self.tells_early { self.asked } else { self.verdicts.hash(place, entry.bytes()) };
        if !self.tells_early && self.verdicts.is_clean(hash) {
            return Swept::Keep;
        }
        if let Some(outcome) = self.verdicts.outcome(hash) {
            let rules = outcome.rules.clone();
            let swept = match &outcome.written {
                None => Swept::Delete,
                Some(written) => {
                    out.extend_from_slice(written);
                    Swept::Written
                }
            };
            self.count(&rules, place, Some(entry.read().key));
            return swept;
        }
        self.judge(place, entry, hash, out)
    }

    fn body(&mut self, value: ValueRef<'_>) -> Option<Value> {
        let mut collectors = None;
        if let (Some(collector), Some(open)) = (self.collector.as_ref().filter(|_| !self.is_skipped), self.open.last_mut()) {
            collectors = collector.body(value, open.tally.get_or_insert_default());
        }
        let Some(at) = self.at(Place::Body) else { return collectors };
        let ours = self.ours.as_mut()?;
        let becomes = match &collectors {
            // What the Collector leaves of a body is text, mostly; the rest is looked at again as it lies on the wire.
            Some(Value::String(text)) => ours.value(at, ValueRef::String(text.as_bytes())),
            Some(other) => ours.value_of(at, other),
            None => ours.value(at, value),
        };
        self.counted(Place::Body, None);
        match becomes.filter(|_| self.mode == Mode::Apply) {
            None => collectors,
            Some(Becomes::Value(value)) => Some(value),
            Some(Becomes::Nothing) => Some(Value::from(super::actions::MASK)),
        }
    }

    #[inline]
    fn end(&mut self, place: Place) -> Vec<(String, Value)> {
        match self.open.pop() {
            Some(open) if open.place == place => match (&self.collector, open.tally) {
                (Some(collector), Some(mut tally)) if collector.summary != Summary::Silent => tally.attributes(collector.summary),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

impl Hand {
    /// Whether one look tells that an attribute stays as it is, and nothing is to be counted.
    fn is_clear(&mut self, place: Place, entry: Entry<'_>) -> bool {
        let asks_collector = Hand::is_collectors(place) && self.collector().is_some();
        let Some(ours) = self.ours.as_mut().filter(|_| !asks_collector) else { return false };
        let attribute = entry.read();
        let ValueRef::String(text) = attribute.value() else { return false };
        text.len() <= self.longest && ours.is_clear(place, attribute.key, text)
    }

    /// An attribute that was never seen, or not for long.
    fn judge(&mut self, place: Place, entry: Entry<'_>, hash: u64, out: &mut Vec<u8>) -> Swept {
        if self.is_clear(place, entry) {
            self.verdicts.remember_clean(hash);
            return Swept::Keep;
        }
        self.judge_closely(place, entry, hash, out)
    }

    /// One in which something may be.
    #[cold]
    fn judge_closely(&mut self, place: Place, entry: Entry<'_>, hash: u64, out: &mut Vec<u8>) -> Swept {
        let was_doomed = self.is_doomed();
        let swept = self.judged(place, entry);
        let hits = self.counted(place, Some(entry.read().key));
        let is_folded = hits.contains(&(self.numbers.folded as u16));
        match swept {
            Swept::Keep if hits.is_empty() => {
                self.verdicts.remember_clean(hash);
                Swept::Keep
            }
            Swept::Put(key, value) => {
                put_key_value(out, &key, &value);
                // What depends on its neighbours, or on the whole item, is judged anew each time.
                if !is_folded && !self.is_doomed() && !was_doomed && !hits.is_empty() {
                    self.verdicts.remember(hash, &Swept::Written, out, &hits);
                }
                Swept::Written
            }
            Swept::Delete => {
                if !is_folded && !self.is_doomed() && !was_doomed {
                    self.verdicts.remember(hash, &Swept::Delete, out, &hits);
                }
                Swept::Delete
            }
            swept => swept,
        }
    }
}
