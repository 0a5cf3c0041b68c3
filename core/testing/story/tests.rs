//! A true story runs, a false one is told apart from it.

use serde::Deserialize;

use super::*;
use crate::component::{BuildError, Component, Output, Processor, ProcessorContext, Processors, Progress, Stability};
use crate::config::{Period, Schema, Validate};
use crate::ledger::{Cause, Held};
use crate::telemetry::Telemetry;
use crate::time::LogTime;

const README: &str = r#"# hold_back
Holds everything back for a time, and drops what nobody may see.

## When to use it
Never. ```json blocks of other sections are no story.

```json
{"not": "a story"}
```

## Story: a span waits

The configuration:

```yaml
processors:
  hold_back/edge:
    wait: 10s
```

Two spans come in, one of them secret:

```json
{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]}, "scopeSpans": [{"spans": [
  {"traceId": "00000000000000000000000000000001", "spanId": "0000000000000002", "name": "b"},
  {"traceId": "00000000000000000000000000000001", "spanId": "0000000000000003", "name": "secret"}
]}]}]}
```

Nothing leaves before the time has come.

```json
{}
```

One more comes in after 3s:

```json
{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]}, "scopeSpans": [{"spans": [
  {"traceId": "00000000000000000000000000000001", "spanId": "0000000000000001", "name": "a",
   "attributes": [{"key": "x", "value": {"intValue": "1"}}, {"key": "k", "value": {"intValue": 7}}]}
]}]}]}
```

After 20s both have left, whatever their order and that of their attributes:

```json
{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]}, "scopeSpans": [{"spans": [
  {"traceId": "00000000000000000000000000000001", "spanId": "0000000000000001", "name": "a",
   "attributes": [{"key": "k", "value": {"intValue": "7"}}, {"key": "x", "value": {"intValue": "1"}}]},
  {"traceId": "00000000000000000000000000000001", "spanId": "0000000000000002", "name": "b"}
]}]}]}
```

## Story: shutdown

```yaml
processors:
  hold_back:
```

```json
{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": 9, "body": {"stringValue": "empty"}}]}]}]}
```

Out goes nothing yet:

```json
{}
```

Out at shutdown:

```json
{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": "SEVERITY_NUMBER_INFO", "body": {"stringValue": "empty"}}]}]}]}
```

## Limits
None.
"#;

const FACTORY: ProcessorFactory = ProcessorFactory::of::<HoldBack>("hold_back", Stability::Alpha, README);

/// What the user writes.
#[derive(Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// How long.
    wait: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self { wait: Period::seconds(60) }
    }
}

impl Validate for Config {}

struct HoldBack {
    wait: Duration,
    batches: Vec<(LogTime, Telemetry)>,
    held: Held,
    secret: Cause,
}

impl Component for HoldBack {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let (held, secret) = (context.line.held("hold_back"), context.cause("secret"));
        Ok(Box::new(HoldBack { wait: config.wait.into(), batches: Vec::new(), held, secret }))
    }
}

impl HoldBack {
    fn let_go(&mut self, until: LogTime, out: &mut Output) -> Progress {
        let (due, kept) = std::mem::take(&mut self.batches).into_iter().partition(|(at, _)| *at <= until);
        self.batches = kept;
        for (_, batch) in due {
            let batch: Telemetry = batch;
            self.held.sub(batch.len() as u64);
            out.emit(batch);
        }
        Progress::Done
    }
}

impl Processor for HoldBack {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        batch.drop_items(self.secret, |item| item.name() == "secret");
        self.held.add(batch.len() as u64);
        self.batches.push((out.now() + self.wait, batch));
    }

    fn wake_at(&self) -> Option<LogTime> {
        self.batches.first().map(|(at, _)| *at)
    }

    fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        self.let_go(now, out)
    }

    fn drain(&mut self, out: &mut Output) -> Progress {
        self.let_go(LogTime::NEVER, out)
    }
}

fn run(readme: &str) {
    let stories = Story::all(readme);
    assert_eq!(stories.len(), 2);
    stories.iter().for_each(|story| story.run(&FACTORY));
}

#[test]
fn true_stories_run() {
    run_stories(&FACTORY);
}

#[test]
fn stories_have_titles_and_lines() {
    let stories = Story::all(README);
    assert_eq!(stories.iter().map(|story| story.title.as_str()).collect::<Vec<_>>(), ["a span waits", "shutdown"]);
    let lines: Vec<usize> = stories[0].scenes.iter().map(|scene| scene.block.line).collect();
    assert_eq!(README.lines().nth(lines[1] - 1), Some("```json"));
    assert_eq!(stories[0].scenes.iter().map(|scene| scene.after.as_secs()).collect::<Vec<_>>(), [0, 0, 3, 20]);
    assert_eq!(stories[1].scenes.iter().map(|scene| scene.at_shutdown).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
#[should_panic(expected = "-                    \"intValue\": \"8\"\n+                    \"intValue\": \"7\"")]
fn a_difference_is_shown_line_by_line() {
    run(&README.replace(r#""intValue": "7""#, r#""intValue": "8""#));
}

#[test]
#[should_panic(expected = "a span waits, line 32: - is told and was not sent, + was sent and is not told")]
fn what_leaves_too_early_is_told_with_its_line() {
    run(&README.replace("wait: 10s", "wait: 0s"));
}

#[test]
#[should_panic(expected = "a span waits: this was sent and is not told")]
fn what_the_story_does_not_tell_is_told() {
    let end = README.find("After 20s").unwrap();
    let rest = README.find("## Story: shutdown").unwrap();
    run(&format!(
        "{}\nAfter 3s, when the first is not due:\n\n```json\n{{}}\n```\n\nIn, after 60s:\n```json\n{{}}\n```\n{}",
        &README[..end],
        &README[rest..]
    ));
}

#[test]
#[should_panic(expected = "README.md:18:5: error: processors.hold_back/edge.wayt: there is no such key")]
fn a_wrong_configuration_is_told() {
    run(&README.replace("    wait: 10s", "    wayt: 10s"));
}

#[test]
#[should_panic(expected = "no `hold_back:` below `processors:`")]
fn a_story_of_another_processor_is_told() {
    run(&README.replace("hold_back/edge", "batch"));
}

#[test]
#[should_panic(expected = "no OTLP/JSON")]
fn broken_json_is_told() {
    run(&README.replace(r#"{"resourceLogs": [{"#, r#"{"resourceLogs": [{,"#));
}

#[test]
#[should_panic(expected = "a story needs what comes in and what goes out")]
fn a_story_without_an_end_is_told() {
    Story::all("## Story: x\n```yaml\nprocessors:\n```\n```json\n{}\n```\n");
}

#[test]
#[should_panic(expected = "has no section")]
fn a_readme_without_a_story_is_told() {
    const MUTE: ProcessorFactory = ProcessorFactory::of::<HoldBack>("hold_back", Stability::Alpha, "# hold_back\n");
    run_stories(&MUTE);
}
