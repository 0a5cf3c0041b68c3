//! A README's stories, run: what a page promises is what the code does.
//!
//! A section `## Story: …` of a processor's README holds blocks of code, told apart by their language:
//!
//! - one `yaml` block first, the configuration as a user writes it: `processors:` with this processor below it;
//! - then `json` blocks, OTLP/JSON: what comes in and what goes out in turn. `{}` as what goes out says that nothing does.
//!
//! The text between the blocks is for the reader, and three turns of phrase in it are for the runner as well: *after 10s* (or any other
//! duration) turns the clock before the next block; *at shutdown* drains the processor before it; a paragraph that begins with `In` or
//! `Out` says which of the two the next block is, where it is not the other one's turn.
//!
//! Output is compared by meaning: the order of groups, of spans, and of attributes with different keys does not count. When a story has
//! ended, nothing may have been sent that it does not tell, and the processor is drained and its books must balance.

mod compare;
mod markdown;
mod recorded;

use std::time::Duration;

use super::driver::Driver;
use crate::component::ProcessorFactory;
use crate::config::{ConfigErrors, Node, Path, load};
use crate::telemetry::{Decoded, Signal, json};

use compare::{canonical, difference};
use markdown::{Block, sections};
pub use recorded::run_recorded;

/// One story of a README.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What it is called.
    pub title: String,
    configuration: Block,
    scenes: Vec<Scene>,
}

/// A block of JSON and what happens before it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scene {
    after: Duration,
    at_shutdown: bool,
    role: Role,
    block: Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    In,
    Out,
}

/// Runs every story of a processor's README, which must have one. Panics at the first that is not true, with what is and what was told.
pub fn run_stories(factory: &'static ProcessorFactory) {
    let stories = Story::all(factory.readme);
    assert!(!stories.is_empty(), "the README of {} has no section `## Story: …`", factory.name);
    stories.iter().for_each(|story| story.run(factory));
}

impl Story {
    /// The stories of a README. Panics where a section is none.
    pub fn all(readme: &str) -> Vec<Story> {
        sections(readme, "Story").into_iter().map(|(title, blocks)| Story::of(title, blocks)).collect()
    }

    fn of(title: String, blocks: Vec<Block>) -> Story {
        let mut blocks = blocks.into_iter().filter(|block| matches!(block.language.as_str(), "yaml" | "json"));
        let configuration = blocks.next().filter(|block| block.language == "yaml");
        let configuration = configuration.unwrap_or_else(|| panic!("{title}: the first block must be the configuration, as yaml"));
        let mut scenes: Vec<Scene> = Vec::new();
        for block in blocks {
            assert!(block.language == "json", "{title}, line {}: a story has one configuration", block.line);
            let turn = if scenes.last().is_some_and(|scene| scene.role == Role::In) { Role::Out } else { Role::In };
            scenes.push(Scene::of(block, turn));
        }
        let told = scenes.iter().any(|scene| scene.role == Role::In) && scenes.iter().any(|scene| scene.role == Role::Out);
        assert!(told, "{title}: a story needs what comes in and what goes out, as json");
        Story { title, configuration, scenes }
    }

    /// Lets it happen. Panics where it is not true.
    pub fn run(&self, factory: &'static ProcessorFactory) {
        let mut driver = Driver::configured(self.signal(), factory, self.config(factory));
        for scene in &self.scenes {
            driver.turn(scene.after);
            if scene.at_shutdown {
                driver.drain();
            }
            match scene.role {
                Role::In => driver.receive(self.request(scene)),
                Role::Out => self.compare(scene, &driver.sink_mut().take_bytes()),
            }
        }
        let untold = driver.sink_mut().take_bytes();
        assert!(untold.is_empty(), "{}: this was sent and is not told:\n{}", self.title, canonical(self.signal(), &untold));
        driver.finish();
    }

    fn config(&self, factory: &'static ProcessorFactory) -> crate::component::AnyConfig {
        let block = &self.configuration;
        let told = |errors: &ConfigErrors| -> ! { panic!("{}, line {}:\n{errors}", self.title, block.line) };
        // As many lines before it as in the README, so that the places in messages are right.
        let node = load(&format!("{}{}", "\n".repeat(block.line), block.text), "README.md").unwrap_or_else(|errors| told(&errors));
        let Some((path, node)) = component(&node, factory) else {
            panic!("{}, line {}: no `{}:` below `processors:`", self.title, block.line, factory.name)
        };
        let mut errors = ConfigErrors::default();
        factory.read(node, &path, &mut errors).unwrap_or_else(|| told(&errors))
    }

    /// The signal of the first request.
    fn signal(&self) -> Signal {
        let first = self.scenes.iter().find(|scene| scene.role == Role::In);
        let text = first.map(|scene| scene.block.text.as_str()).unwrap_or_default();
        match (text.contains("resourceLogs"), text.contains("resourceMetrics")) {
            (true, _) => Signal::Logs,
            (_, true) => Signal::Metrics,
            _ => Signal::Traces,
        }
    }

    /// The bytes of a block of JSON, all of which must be good.
    fn protobuf(&self, scene: &Scene) -> Vec<u8> {
        let mut bytes = Vec::new();
        let line = scene.block.line;
        let rejected = json::to_protobuf(self.signal(), scene.block.text.as_bytes(), &mut bytes);
        let rejected = rejected.unwrap_or_else(|error| panic!("{}, line {line}: no OTLP/JSON: {error}", self.title));
        assert!(rejected.count == 0 && rejected.reasons.is_empty(), "{}, line {line}: {:?}", self.title, rejected.reasons);
        bytes
    }

    fn request(&self, scene: &Scene) -> Decoded {
        let request = Decoded::decode(self.signal(), &self.protobuf(scene));
        request.unwrap_or_else(|error| panic!("{}, line {}: {error}", self.title, scene.block.line))
    }

    fn compare(&self, scene: &Scene, sent: &[u8]) {
        let (told, sent) = (canonical(self.signal(), &self.protobuf(scene)), canonical(self.signal(), sent));
        if told != sent {
            let (title, line) = (&self.title, scene.block.line);
            panic!("{title}, line {line}: - is told and was not sent, + was sent and is not told\n{}", difference(&told, &sent));
        }
    }
}

impl Scene {
    fn of(block: Block, turn: Role) -> Scene {
        let words: Vec<&str> = block.before.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).collect();
        let durations = words.windows(2).filter(|pair| pair[0].eq_ignore_ascii_case("after")).filter_map(|pair| pair[1].parse().ok());
        let after = durations.map(|period: crate::config::Period| Duration::from(period)).sum();
        let at_shutdown = words.windows(2).any(|pair| pair[0].eq_ignore_ascii_case("at") && pair[1] == "shutdown");
        let paragraph = block.before.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let role = match paragraph.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()) {
            Some("In" | "Input") => Role::In,
            Some("Out" | "Output") => Role::Out,
            _ => turn,
        };
        Scene { after, at_shutdown, role, block }
    }
}

/// The block of the component, and its path: below `processors:`, under its name (`tail_sampling`, `tail_sampling/edge`) or a former one.
fn component<'a>(node: &'a Node, factory: &ProcessorFactory) -> Option<(Path, &'a Node)> {
    let is_its = |key: &str| {
        let kind = key.split('/').next().unwrap_or_default().trim();
        kind == factory.name || factory.aliases.contains(&kind)
    };
    let entry = node.get("processors")?.entries().iter().find(|entry| is_its(&entry.key))?;
    Some((Path::of("processors").key(&entry.key), &entry.node))
}

#[cfg(test)]
mod tests;
