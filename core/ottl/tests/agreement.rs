//! Whatever is written, on bytes it gives what it gives on structs; and no text whatever brings the parser down.

use proptest::prelude::*;
use proptest::test_runner::Config;
use prost::Message;

use super::generator;
use super::reference::World;
use super::*;
use crate::ottl::parse;
use crate::telemetry::{Decoded, Source};
use crate::testing::otlp::{Resource, Span};

/// The spans of a request, each with what it shares, by their ids.
fn worlds(request: &ExportTraceServiceRequest) -> Vec<World> {
    let mut worlds: Vec<World> = Vec::new();
    for group in &request.resource_spans {
        for scope in &group.scope_spans {
            worlds.extend(scope.spans.iter().map(|span| World {
                resource: group.resource.clone().unwrap_or_else(Resource::default),
                scope: scope.scope.clone().unwrap_or_default(),
                span: span.clone(),
            }));
        }
    }
    worlds.sort_by(|a, b| a.span.span_id.cmp(&b.span.span_id));
    worlds
}

/// What is the same for every item may be refused when it is read.
fn is_refused_for_what_is_known(problems: &Problems) -> bool {
    problems.iter().any(|problem| problem.wrong.contains("this has no value") || problem.wrong.contains("division by zero"))
        || problems.iter().any(|problem| problem.wrong.contains("in a calculation") || problem.wrong.starts_with("expected "))
}

fn agree_on_conditions(request: &ExportTraceServiceRequest, texts: &[String]) -> Result<(), TestCaseError> {
    let contexts = Contexts::of(Signal::Traces);
    let mut read = Vec::new();
    for text in texts {
        match Condition::parse(&contexts, Some("span"), text) {
            Ok(condition) => read.push(condition),
            Err(problems) => prop_assert!(is_refused_for_what_is_known(&problems), "{text}: {problems}"),
        }
    }
    let trees: Vec<_> = read.iter().map(|condition| condition.tree().clone()).collect();
    let mut conditions = Conditions::of(read, ErrorMode::Propagate);
    let worlds = worlds(request);
    with(request.clone(), |batch, inlet| {
        let source = Source::default();
        for item in batch.items() {
            let world = worlds.iter().find(|world| world.span.span_id == item.span_id().0).unwrap();
            let mut outcomes = Vec::new();
            conditions.each(&Scene::of_item(item, &source, inlet.clock()), |_, outcome| outcomes.push(outcome.ok()));
            for (tree, outcome) in trees.iter().zip(outcomes) {
                prop_assert_eq!(world.holds(tree).ok(), outcome, "{}\nof {:?}", tree, world);
            }
        }
        Ok(())
    })
}

fn agree_on_statements(request: &ExportTraceServiceRequest, texts: &[String]) -> Result<(), TestCaseError> {
    let contexts = Contexts::of(Signal::Traces);
    let mut read = Vec::new();
    for text in texts {
        match Statement::parse(&contexts, Some("span"), text) {
            Ok(statement) => read.push(statement),
            Err(problems) => prop_assert!(is_refused_for_what_is_known(&problems), "{text}: {problems}"),
        }
    }
    let mut expected = worlds(request);
    for world in &mut expected {
        for statement in &read {
            let before = world.clone();
            if world.run(statement.tree()).is_err() {
                *world = before;
            }
        }
    }
    let mut statements = Statements::of(Vec::new(), read, ErrorMode::Silent);
    with(request.clone(), |batch, inlet| {
        prop_assert!(statements.run(batch, inlet.clock()).is_ok());
        let Ok(Decoded::Traces(changed)) = Decoded::decode(Signal::Traces, &batch.to_bytes()) else { panic!("what is emitted decodes") };
        for (expected, changed) in expected.iter().zip(worlds(&changed)) {
            prop_assert_eq!(&plain(expected), &plain(&changed), "after {:#?}", texts);
        }
        Ok(())
    })
}

/// Absent messages that say nothing are the same as present ones.
fn plain(world: &World) -> World {
    let mut world = world.clone();
    world.span.status = world.span.status.filter(|status| status.encoded_len() > 0);
    world
}

proptest! {
    #![proptest_config(Config { cases: 7_000, ..Config::default() })]

    /// Three conditions a case, asked together: what one finds must not mislead another.
    #[test]
    fn conditions_hold_on_bytes_as_on_structs(request in generator::requests(), texts in prop::collection::vec(generator::conditions(), 3)) {
        agree_on_conditions(&request, &texts)?;
    }

    /// Three statements a case, each of which reads what the ones before it wrote.
    #[test]
    fn statements_make_of_bytes_what_they_make_of_structs(request in generator::requests(), texts in prop::collection::vec(generator::statements(), 3)) {
        agree_on_statements(&request, &texts)?;
    }

    /// Statements of which several are made at once.
    #[test]
    fn plain_statements_make_of_bytes_what_they_make_of_structs(
        request in generator::requests(),
        texts in prop::collection::vec(prop_oneof![9 => generator::plain_statements(), 1 => generator::statements()], 1..6),
    ) {
        agree_on_statements(&request, &texts)?;
    }
}

proptest! {
    #![proptest_config(Config { cases: 5_000, ..Config::default() })]

    #[test]
    fn no_text_brings_the_parser_down(text in any::<String>(), signs in "[a-z(\\[{}\\])\"\\\\0-9x.,=<>! +*/A-Z-]{0,60}") {
        for text in [text, signs] {
            let _ = (parse::condition(&text), parse::statement(&text));
        }
    }

    /// Most damaged expressions are still nearly expressions, so they get further than arbitrary text.
    #[test]
    fn a_damaged_expression_is_refused_or_understood(
        text in prop_oneof![generator::conditions(), generator::statements()],
        at in any::<prop::sample::Index>(),
        with in prop_oneof![Just(String::new()), "[()\\[\\]{}\".,=<+*/ a-zA-Z0-9-]{1,3}"],
    ) {
        let mut letters: Vec<char> = text.chars().collect();
        let place = at.index(letters.len());
        letters.splice(place..=place, with.chars());
        let damaged: String = letters.into_iter().collect();
        crate::testing::fuzz::ottl(damaged.as_bytes());
    }
}

#[test]
fn what_the_reference_holds_of_a_span_is_what_is_written() {
    let world = World {
        resource: Resource::default(),
        scope: crate::testing::otlp::InstrumentationScope::default(),
        span: Span { attributes: vec![attribute("a", 1)], ..Span::default() },
    };
    let holds = |text: &str| world.holds(&parse::condition(text).unwrap()).unwrap();
    assert!(holds("attributes[\"a\"] + 1 == 2.0 and not (attributes[\"b\"] != nil)") && !holds("attributes[\"a\"] == \"1\""));
}

#[test]
fn the_seeds_of_the_fuzz_target_do_no_harm() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/ottl");
    let files: Vec<_> = std::fs::read_dir(&seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 6, "{} holds {} seeds", seeds.display(), files.len());
    for file in files {
        crate::testing::fuzz::ottl(&std::fs::read(file).unwrap());
    }
}
