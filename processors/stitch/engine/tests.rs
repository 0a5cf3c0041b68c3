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
