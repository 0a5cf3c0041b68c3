//! From where to where, and what the books say of it.

use tracetailor_core::component::{BuildContext, Connector, Lane, LaneContext, Room, Routes};
use tracetailor_core::ledger::{Column, Fate, LineName};
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_core::testing::{Inlet, assert_manual, log, logs, trace_of};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
}

/// A connector, the inlet before it, and routes to these pipelines.
fn connected(pipelines: &[(&str, Signal)], room: Room) -> (Inlet, Box<dyn Connector>, Routes) {
    let inlet = Inlet::new();
    let mut build = BuildContext::alone("forward");
    build.books = inlet.books().clone();
    let connector = FACTORY.parse("").unwrap().build(&LaneContext { build, lane: Lane::ONLY }).unwrap();
    let routes = Routes::new(inlet.clock().now(), inlet.books().cause("forward", "no_room"));
    let to = |routes: Routes, (name, signal): &(&str, Signal)| {
        routes.to(name, inlet.books().line(LineName::Pipeline((*name).to_owned()), *signal), room)
    };
    let routes = pipelines.iter().fold(routes, to);
    (inlet, connector, routes)
}

fn deliver(batches: Vec<Telemetry>) -> Vec<usize> {
    let sizes = batches.iter().map(Telemetry::len).collect();
    batches.into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    sizes
}

#[test]
fn every_pipeline_of_the_signal_gets_all_of_it() {
    let pipelines = [("traces/a", Signal::Traces), ("logs", Signal::Logs), ("traces/b", Signal::Traces)];
    let (mut inlet, mut forward, mut routes) = connected(&pipelines, Room::ENOUGH);
    forward.forward(inlet.receive(trace_of("a -> b").request()), &mut routes);
    forward.forward(inlet.receive(logs([log("one")])), &mut routes);
    let sent: Vec<Vec<usize>> = (0..3).map(|route| deliver(routes.take(route))).collect();
    assert_eq!(sent, [[2], [1], [2]]);
    inlet.assert_settled();
    assert_eq!(inlet.answer(0).tally.delivered, 4, "two spans in two pipelines");
    assert_eq!(inlet.books().report().total(Signal::Traces)[Column::Copied], 2);
}

#[test]
fn a_pipeline_without_room_says_so_for_itself() {
    let (mut inlet, mut forward, mut routes) = connected(&[("traces/a", Signal::Traces)], Room::NONE);
    forward.forward(inlet.receive(trace_of("a -> b").request()), &mut routes);
    assert!(routes.take(0).is_empty());
    inlet.assert_settled();
    assert_eq!(inlet.answer(0).tally.rejected_retryable, 2);
}

#[test]
fn what_is_led_nowhere_has_a_name() {
    let (mut inlet, mut forward, mut routes) = connected(&[("logs", Signal::Logs)], Room::ENOUGH);
    forward.forward(inlet.receive(trace_of("a").request()), &mut routes);
    inlet.assert_settled();
    assert_eq!(inlet.answer(0).tally.failed, 1);
}
