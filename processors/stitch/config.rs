//! What the user writes.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, KeyError, Period, Schema, Validate};

use super::engine::{Mode, Rules};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What becomes of a trace with holes: nothing, marks, synthetic spans in the holes, or other parents.
    pub mode: ModeKey,
    /// How long a trace is held at most, from its first span. Beside `tail_sampling` the longer of the two waits holds.
    pub wait: Period,
    /// After so long without a new span a trace leaves that is structurally complete; 0 for never before `wait` is over.
    pub quiet: Period,
    /// Whose the absent parent is above the earliest span of a trace without a root: somebody's who reports elsewhere, or a lost span's.
    pub entry_parent: EntryParent,
    /// The synthetic spans.
    pub placeholders: Placeholders,
    /// Traces without a root, or with several.
    pub roots: Roots,
    /// Ids that no tree can be built from.
    pub ids: Ids,
    /// How far clocks of different processes may be apart: `auto` tells it from each trace's own calls.
    pub clock_tolerance: ClockTolerance,
    /// What is learned from traffic. It shortens waiting and is shown; it puts no span anywhere.
    pub learn: Learn,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: ModeKey::Annotate,
            wait: Period::seconds(10),
            quiet: Period::ZERO,
            entry_parent: EntryParent::Outside,
            placeholders: Placeholders::default(),
            roots: Roots::default(),
            ids: Ids::default(),
            clock_tolerance: ClockTolerance::Auto,
            learn: Learn::default(),
        }
    }
}

/// What becomes of a trace with holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeKey {
    /// Nothing.
    None,
    /// Its spans are marked.
    Annotate,
    /// Synthetic spans stand in the holes.
    Placeholder,
    /// Orphans get another parent.
    Reparent,
}

/// Whose the absent parent above a trace's earliest span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryParent {
    /// Somebody else's: a browser, curl, a partner.
    Outside,
    /// A span of ours that was lost.
    Missing,
}

/// The synthetic spans.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Placeholders {
    /// Their id: the absent span's own, so that nothing else changes, or one made for them.
    pub id: PlaceholderId,
    /// Their name.
    pub name: String,
    /// A trace with more holes than this is marked and not filled.
    pub per_trace: u32,
    /// Above this a trace is marked and not filled, on all lanes together.
    pub per_second: u32,
}

impl Default for Placeholders {
    fn default() -> Self {
        Self { id: PlaceholderId::Missing, name: "(missing span)".to_owned(), per_trace: 64, per_second: 1000 }
    }
}

/// The id of a synthetic span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceholderId {
    /// That of the span it stands for.
    Missing,
    /// One of its own, which its children are given as their parent.
    Derived,
}

/// Traces without a root, or with several.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Roots {
    /// With `entry_parent: missing`: a synthetic root over what has none, or nothing.
    pub missing: MissingRoot,
    /// Mark the one that leads, or join all below a synthetic root.
    pub several: SeveralRoots,
}

impl Default for Roots {
    fn default() -> Self {
        Self { missing: MissingRoot::Placeholder, several: SeveralRoots::Mark }
    }
}

/// A trace without a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingRoot {
    /// Gets a synthetic one.
    Placeholder,
    /// Stays as it is.
    Leave,
}

/// A trace with several roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeveralRoots {
    /// Is marked: they may be several requests.
    Mark,
    /// Is joined below a synthetic root.
    Join,
}

/// What is learned from traffic.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Learn {
    /// Whether a trace leaves after `quiet` though a parent is missing that has always been: of a proxy or a browser that reports nothing.
    pub hops: bool,
    /// So many services, and so many edges between them, are remembered in each lane.
    pub tables: u32,
}

impl Default for Learn {
    fn default() -> Self {
        Self { hops: true, tables: 10_000 }
    }
}

/// Ids that no tree can be built from.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ids {
    /// A span whose id is zero or has the wrong length gets one that any gateway would give it, or is rejected on receipt.
    pub zero_span_id: ZeroSpanId,
    /// Of identical spans, and of one that was sent before it was finished and again after, one is left.
    pub duplicates: Duplicates,
    /// Where several spans have one id, as Zipkin's client and server do, all but one get an id of their own.
    pub shared: SharedIds,
    /// A ring of parents is opened at its earliest span.
    pub cycles: Cycles,
    /// Trace ids of 64 bits beside their 128-bit form are counted, or the short ones become the long ones.
    pub short_trace_ids: ShortTraceIds,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            zero_span_id: ZeroSpanId::Derive,
            duplicates: Duplicates::Drop,
            shared: SharedIds::Split,
            cycles: Cycles::Cut,
            short_trace_ids: ShortTraceIds::Report,
        }
    }
}

/// What becomes of spans without a valid id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZeroSpanId {
    /// They get one.
    Derive,
    /// Receivers reject them.
    Reject,
}

/// What becomes of trace ids of 64 bits beside their 128-bit form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortTraceIds {
    /// They are counted.
    Report,
    /// The short ones become the long ones.
    Join,
}

/// What becomes of duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// They are left out.
    Drop,
}

/// What becomes of shared ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharedIds {
    /// Each span gets its own.
    Split,
}

/// What becomes of cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cycles {
    /// They are opened.
    Cut,
}

/// How far clocks may be apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTolerance {
    /// As far as the trace's own calls say.
    Auto,
    /// So far.
    Within(Period),
}

impl std::str::FromStr for ClockTolerance {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text == "auto" {
            return Ok(ClockTolerance::Auto);
        }
        let period = text.parse::<Period>();
        period.map(ClockTolerance::Within).map_err(|error| KeyError { right: format!("{}, or auto", error.right), ..error })
    }
}

impl std::fmt::Display for ClockTolerance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClockTolerance::Auto => f.write_str("auto"),
            ClockTolerance::Within(period) => period.fmt(f),
        }
    }
}

impl Serialize for ClockTolerance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClockTolerance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(KeyError::into_serde)
    }
}

impl schemars::JsonSchema for ClockTolerance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClockTolerance".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "`auto` or a duration", "format": "duration" })
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.wait.is_zero() {
            errors.error("wait", "must be positive: no trace could be whole", "write a duration such as 10s");
        }
        if self.quiet >= self.wait && !self.quiet.is_zero() {
            errors.error("quiet", format!("must be shorter than wait ({})", self.wait), "write a duration such as 500ms");
        }
        errors.within("placeholders", &self.placeholders);
        errors.within("learn", &self.learn);
        self.validate_mode(errors);
    }
}

impl Validate for Learn {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.tables == 0 || self.tables > MOST_TABLES {
            let wrong = format!("must be between 1 and {MOST_TABLES}: senders choose how many services there are");
            errors.error("tables", wrong, "write a number such as 10000");
        }
    }
}

impl Validate for Placeholders {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.name.is_empty() {
            errors.error("name", "must not be empty", "write a name such as (missing span)");
        }
        if self.per_trace > MOST_PER_TRACE {
            let wrong = format!("must not be above {MOST_PER_TRACE}: senders choose how many parents are absent");
            errors.error("per_trace", wrong, "write a number such as 64");
        }
    }
}

impl Config {
    /// Whether spans without a valid id are given one: they are let in then.
    pub fn mends_ids(&self) -> bool {
        self.mode != ModeKey::None && self.ids.zero_span_id == ZeroSpanId::Derive
    }

    fn validate_mode(&self, errors: &mut ConfigErrors) {
        if self.placeholders.id == PlaceholderId::Derived && self.mode != ModeKey::Placeholder {
            errors.at("placeholders").warn(
                "id",
                "has no effect: only mode: placeholder makes spans",
                "remove it, or write mode: placeholder",
            );
        }
        if self.roots.several == SeveralRoots::Join && self.mode != ModeKey::Placeholder {
            let right = "write mode: placeholder, or several: mark";
            errors.at("roots").error("several", "join needs a synthetic root, which only mode: placeholder makes", right);
        }
    }

    /// What the engine goes by.
    pub fn rules(&self) -> Rules {
        Rules {
            mode: match self.mode {
                ModeKey::None | ModeKey::Annotate => Mode::Annotate,
                ModeKey::Placeholder => Mode::Placeholder,
                ModeKey::Reparent => Mode::Reparent,
            },
            outside_entry: self.entry_parent == EntryParent::Outside,
            derived_placeholder_ids: self.placeholders.id == PlaceholderId::Derived,
            most_placeholders: self.placeholders.per_trace as usize,
            missing_root: self.roots.missing == MissingRoot::Placeholder,
            join_roots: self.roots.several == SeveralRoots::Join,
            clock_tolerance: match self.clock_tolerance {
                ClockTolerance::Auto => None,
                ClockTolerance::Within(period) => Some(i64::try_from(period.get().as_nanos()).unwrap_or(i64::MAX)),
            },
        }
    }
}

/// More placeholders than this in one trace would be a trace of their own.
const MOST_PER_TRACE: u32 = 10_000;

/// More places than this in a table of services would be gigabytes.
const MOST_TABLES: u32 = 1_000_000;
