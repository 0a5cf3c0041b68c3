//! The rules on traces small enough to be drawn.

use tracetailor_core::testing::Dice;

use super::*;

fn id(n: u64) -> SpanId {
    SpanId(n.to_be_bytes())
}

/// A span of a process, in milliseconds.
fn span(n: u64, parent: u64, kind: SpanKind, process: u32, start: u64, end: u64) -> SpanView {
    let base = 1_700_000_000_000;
    let (start, end) = ((base + start) * 1_000_000, (base + end) * 1_000_000);
    SpanView { id: id(n), parent: id(parent), kind, process, service: process, start, end, content: n, ..SpanView::EMPTY }
}

const TRACE: TraceId = TraceId([7; 16]);

/// Three services in a row, each with a span that serves and one that calls; the server in the middle is span 3.
fn row() -> Vec<SpanView> {
    use SpanKind::{Client, Internal, Server};
    vec![
        span(1, 0, Server, 0, 0, 100),
        span(2, 1, Client, 0, 10, 90),
        span(3, 2, Server, 1, 20, 80),
        span(4, 3, Internal, 1, 25, 75),
        span(5, 4, Client, 1, 30, 70),
        span(6, 5, Server, 2, 40, 60),
    ]
}

fn without(spans: &[SpanView], lost: &[u64]) -> Vec<SpanView> {
    spans.iter().filter(|span| !lost.iter().any(|n| span.id == id(*n))).cloned().collect()
}

/// Where a placeholder hangs: what it stands for, below whom, and how that was found.
fn places(spans: &[SpanView]) -> Vec<(SpanId, SpanId, Anchored)> {
    let plan = repair(TRACE, spans, &Rules::default());
    assert!(!plan.is_refused);
    plan.made.iter().map(|made| (made.id, made.parent, made.anchored)).collect()
}

#[test]
fn whoever_is_lost_in_a_row_is_put_back() {
    for lost in 2..=5 {
        let expected = vec![(id(lost), id(lost - 1), Anchored::Single)];
        assert_eq!(places(&without(&row(), &[lost])), expected, "span {lost} is lost");
    }
    assert_eq!(places(&row()), []);
    assert_eq!(places(&without(&row(), &[6])), [], "a leaf that is lost leaves no trace");
}

#[test]
fn whoever_has_nobody_left_goes_to_the_root() {
    assert_eq!(places(&without(&row(), &[2, 3])), [(id(3), id(1), Anchored::Root)]);
}

#[test]
fn whoever_was_idle_for_as_long_is_likelier_than_whoever_did_something_else() {
    use SpanKind::{Internal, Server};
    let server = span(1, 0, Server, 0, 0, 100);
    let inside = span(2, 1, Internal, 0, 10, 90);
    let beside = span(3, 1, Internal, 0, 12, 60);
    let orphan = |start, end| span(9, 8, Internal, 0, start, end);
    let before = span(4, 1, Internal, 0, 1, 9);
    let cases = [
        ("it fills the inner one", vec![server.clone(), inside.clone(), orphan(11, 89)], (2, Anchored::Single)),
        ("it fills what the outer one did after it", vec![server.clone(), before, orphan(10, 99)], (1, Anchored::Single)),
        ("the outer one does several things at once", vec![server.clone(), inside.clone(), beside, orphan(11, 50)], (1, Anchored::Lca)),
        ("it is partly in the inner one's time", vec![server, inside, orphan(50, 95)], (1, Anchored::Root)),
    ];
    for (what, spans, (parent, anchored)) in cases {
        assert_eq!(places(&spans), [(id(8), id(parent), anchored)], "{what}");
    }
}

#[test]
fn a_call_that_was_forgotten_is_not_below_whoever_waited_longer() {
    use SpanKind::{Client, Internal, Server};
    let spans = vec![
        span(1, 0, Server, 0, 0, 100),
        span(2, 1, Internal, 0, 10, 20),
        // It is known to outlive what began it.
        span(3, 2, Client, 0, 12, 60),
        span(4, 1, Internal, 0, 70, 80),
        span(9, 8, Client, 0, 71, 99),
    ];
    assert_eq!(places(&spans), [(id(8), id(1), Anchored::Root)], "it may be the inner one's, though it ended after it");
}

/// Four messages that took 10 to 13 milliseconds from service 1 to service 2, and a later one that nobody took.
fn messages() -> Vec<SpanView> {
    use SpanKind::{Consumer, Producer, Server};
    let message = |n: u64, topic: u64| {
        let sent = 20 * n;
        let producer = SpanView { topic, ..span(10 + n, 1, Producer, 1, sent, sent + 1) };
        [producer, SpanView { topic, ..span(20 + n, 10 + n, Consumer, 2, sent + 9 + n, sent + 15 + n) }]
    };
    let mut spans = vec![span(1, 0, Server, 1, 0, 300)];
    spans.extend((1..=4).flat_map(|n| message(n, 7)));
    spans.push(SpanView { topic: 7, ..span(30, 1, Producer, 1, 100, 101) });
    spans.push(SpanView { topic: 7, ..span(31, 1, Producer, 1, 200, 201) });
    spans
}

#[test]
fn what_a_lost_consumer_did_belongs_to_a_message_that_its_service_did_not_take() {
    use SpanKind::{Client, Internal};
    let cases = [
        ("the message before", 112, (30, Anchored::Single)),
        ("the last one", 213, (31, Anchored::Single)),
        ("late, but there is no other", 160, (30, Anchored::Single)),
    ];
    for (what, start, (parent, anchored)) in cases {
        let mut spans = messages();
        spans.push(span(9, 8, Internal, 2, start, start + 3));
        spans.push(SpanView { is_leaf: true, ..span(40, 8, Client, 2, start + 3, start + 5) });
        assert_eq!(places(&spans), [(id(8), id(parent), anchored)], "{what}");
    }
}

#[test]
fn a_message_whose_sending_was_lost_came_from_whoever_was_open_when_it_must_have_been_sent() {
    use SpanKind::{Consumer, Internal};
    let mut spans = messages();
    spans.retain(|span| ![id(30), id(31)].contains(&span.id));
    spans.push(span(50, 1, Internal, 3, 240, 250));
    spans.push(span(9, 8, Consumer, 1, 255, 260));
    assert_eq!(places(&spans), [(id(8), id(50), Anchored::Single)]);
}

#[test]
fn where_all_of_a_process_is_lost_nobody_is_its_caller_by_chance() {
    use SpanKind::{Internal, Server};
    let mut spans = messages();
    // What they called, whoever they were, while somebody else was idle for a moment.
    spans.push(span(60, 1, Internal, 5, 110, 150));
    spans.push(span(70, 71, Server, 6, 113, 114));
    spans.push(span(72, 73, Server, 6, 120, 121));
    let found = places(&spans);
    assert!(found.len() == 2 && found.iter().all(|(_, parent, anchored)| (*parent, *anchored) == (id(1), Anchored::Lca)), "{found:?}");
}

#[test]
fn the_root_is_above_whatever_seems_to_have_begun_before_it() {
    use SpanKind::{Client, Server};
    let spans = vec![span(1, 0, Server, 0, 1_000, 1_100), span(2, 1, Client, 0, 1_010, 1_090), span(9, 8, Server, 1, 3, 40)];
    assert_eq!(places(&spans), [(id(8), id(1), Anchored::Root)]);
}

#[test]
fn a_parent_outside_is_not_missing() {
    let mut spans = row();
    spans[0].parent = id(99);
    let plan = repair(TRACE, &spans, &Rules::default());
    assert_eq!((plan.made.len(), plan.touched.len(), plan.quality.outside), (0, 0, Some(id(99))));
    assert!(plan.quality.is_complete);
    let missing = repair(TRACE, &spans, &Rules { outside_entry: false, ..Rules::default() });
    assert_eq!(missing.made.iter().map(|made| made.role).collect::<Vec<_>>(), [Role::Root, Role::Parent(id(99))]);
    assert_eq!(missing.made[1].parent, missing.made[0].id);
}

#[test]
fn rings_are_opened_at_their_earliest() {
    let mut spans = row();
    spans[3].parent = id(5);
    let plan = repair(TRACE, &spans, &Rules::default());
    assert!(!plan.is_refused);
    let touch = &plan.touched[0];
    assert_eq!((touch.span, touch.parent, &touch.reasons[..]), (3, Some(SpanId::NONE), &[Reason::Cycle][..]));
}

#[test]
fn a_shared_id_becomes_two_and_children_go_along() {
    use SpanKind::{Client, Internal, Server};
    let spans = vec![
        span(1, 0, Server, 0, 0, 100),
        span(2, 1, Client, 0, 10, 90),
        SpanView { content: 77, ..span(2, 1, Server, 1, 20, 80) },
        span(4, 2, Internal, 1, 25, 75),
        span(5, 2, Internal, 0, 25, 75),
    ];
    let plan = repair(TRACE, &spans, &Rules::default());
    let split = plan.touched.iter().find(|touch| touch.span == 2).expect("the server is touched");
    assert_eq!((split.parent, plan.touched.len()), (Some(id(2)), 2));
    let child = &plan.touched[1];
    assert_eq!((child.span, child.parent), (3, split.id), "who is in the server's process goes along");
}

#[test]
fn of_doubles_one_is_left() {
    let mut spans = row();
    spans.push(spans[2].clone());
    spans.push(SpanView { end: 0, content: 78, ..spans[3].clone() });
    let plan = repair(TRACE, &spans, &Rules::default());
    assert_eq!(plan.left.len(), 2);
    assert!(plan.left.iter().any(|(at, left)| [2, 6].contains(at) && *left == Left::Duplicate));
    assert!(plan.left.contains(&(7, Left::Unfinished)));
    assert_eq!(plan.touched, []);
}

#[test]
fn other_modes_add_nothing() {
    let spans = without(&row(), &[3]);
    let reparented = repair(TRACE, &spans, &Rules { mode: Mode::Reparent, ..Rules::default() });
    assert_eq!(reparented.made, []);
    assert_eq!((reparented.touched[0].span, reparented.touched[0].parent), (2, Some(id(2))));
    let annotated = repair(TRACE, &spans, &Rules { mode: Mode::Annotate, ..Rules::default() });
    assert_eq!((annotated.made.len(), annotated.touched[0].orphan_of, annotated.touched[0].parent), (0, Some(id(3)), None));
}

/// A trace out of every order: ids clash, parents ring, times lie.
fn broken(dice: &mut Dice) -> Vec<SpanView> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server, Unspecified};
    let kinds = [Unspecified, Internal, Server, Client, Producer, Consumer];
    let count = 1 + dice.below(24);
    let view = |number: usize, dice: &mut Dice| {
        let (id, parent) = (dice.between(0, 20), dice.between(0, 26));
        let (start, length) = (dice.between(0, 40), dice.between(0, 40));
        SpanView {
            content: number as u64,
            name: dice.between(0, 1),
            remote: [None, Some(true), Some(false)][dice.below(3)],
            target: [Target::Unknown, Target::Elsewhere, Target::Service(dice.between(0, 3) as u32)][dice.below(3)],
            topic: dice.between(0, 2),
            is_instance: dice.percent(70),
            is_leaf: dice.percent(10),
            is_made: dice.percent(5),
            has_bad_parent: dice.percent(3),
            ..span(id, parent, kinds[dice.below(6)], dice.between(0, 3) as u32, start, start + length)
        }
    };
    (0..count).map(|number| view(number, dice)).collect()
}

/// A plan in words that do not depend on the order of the spans.
fn told(spans: &[SpanView], plan: &Plan) -> Vec<String> {
    let mut told: Vec<String> =
        plan.touched.iter().map(|touch| format!("{:?}: {:?}", spans[touch.span].content, Touch { span: 0, ..touch.clone() })).collect();
    told.extend(plan.left.iter().map(|(at, left)| format!("{:?}: {left:?}", spans[*at].content)));
    told.extend(plan.made.iter().map(|made| {
        let below: Vec<u64> = made.below.iter().map(|at| spans[*at].content).collect();
        format!("{:?} of {below:?}", Made { below: Vec::new(), ..made.clone() })
    }));
    told.push(format!("{:?} {:?}", plan.quality, plan.leader.map(|at| spans[at].content)));
    told.sort();
    told
}

#[test]
fn nothing_is_refused_and_order_does_not_matter() {
    let mut dice = Dice::new(7);
    for round in 0..3_000 {
        let spans = broken(&mut dice);
        let rules = Rules {
            mode: [Mode::Annotate, Mode::Placeholder, Mode::Reparent][round % 3],
            outside_entry: dice.percent(50),
            derived_placeholder_ids: dice.percent(30),
            join_roots: dice.percent(30),
            clock_tolerance: [None, Some(5_000_000)][dice.below(2)],
            ..Rules::default()
        };
        let plan = repair(TRACE, &spans, &rules);
        assert!(!plan.is_refused, "round {round}: {rules:?} {spans:#?}");
        let mut turned = spans.clone();
        turned.rotate_left(dice.below(spans.len()));
        turned.reverse();
        let other = repair(TRACE, &turned, &rules);
        assert_eq!(told(&spans, &plan), told(&turned, &other), "round {round}: {rules:?}");
    }
}
