//! Reloads: what has not changed does not notice, what is held stays held, and nothing finds a way around a processor.

use std::sync::atomic::Ordering;

use tracetailor_core::ledger::Milestone;
use tracetailor_core::testing::otlp::Span;

use super::parts::basket;
use super::rig::{Rig, run, until};
use super::ways::{all_ids, ids, request};

fn marks(spans: &[Span]) -> Vec<String> {
    let value = |span: &Span| {
        let attribute = span.attributes.iter().find(|a| a.key == "mark")?;
        Some(format!("{:?}", attribute.value).split('"').nth(1)?.to_owned())
    };
    let mut marks: Vec<String> = spans.iter().filter_map(value).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

fn held(rig: &Rig) -> i64 {
    rig.books.report().lines.iter().map(|line| line.held_units()).sum()
}

const GATHERING: &str = "
receivers: {ear: {hall: HALL}}
processors: {gather: {hall: HALL}, mark: {hall: HALL, mark: old}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [gather, mark], exporters: [basket]}}
service: {lanes: 2}
";

#[test]
fn held_traces_stay_held_and_go_through_the_new_processors() {
    run(async {
        let mut rig = Rig::start(GATHERING).await;
        for trace in 1..=10 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        until(|| held(&rig) == 30).await;
        rig.reload(&GATHERING.replace("mark: old", "mark: new")).await.unwrap();
        assert_eq!(held(&rig), 30, "no trace is decided because of a reload");
        // The stage itself changes: its store moves into the new one.
        let changed =
            GATHERING.replace("mark: old", "mark: new").replace("gather: {hall: HALL}", "gather: {hall: HALL, mark: \"7200000\"}");
        rig.reload(&changed).await.unwrap();
        assert_eq!(held(&rig), 30);
        assert_eq!(rig.hall.runs.load(Ordering::Relaxed), 1, "the receiver has not been started again");
        for trace in 11..=12 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        let (_, hall) = rig.end().await;
        let spans = basket(&hall, "basket");
        assert_eq!(ids(&spans), all_ids(12, 3));
        assert_eq!(marks(&spans), ["new"]);
    });
}

#[test]
fn a_configuration_that_cannot_be_built_changes_nothing() {
    run(async {
        let mut rig = Rig::start(GATHERING).await;
        rig.say(request(1, 3), Milestone::Accepted).await.unwrap();
        for broken in ["mark: {hall: HALL, mark: old, broken: true}", "mark: {hall: HALL, mark: old}, mark/x: {broken: true}"] {
            let yaml = GATHERING.replace("mark: {hall: HALL, mark: old}", broken).replace("[gather, mark]", "[gather, mark, mark/x]");
            let yaml = if broken.contains("mark/x") { yaml } else { yaml.replace(", mark/x]", "]") };
            let error = rig.reload(&yaml).await.unwrap_err().to_string();
            assert!(error.contains("this is broken"), "{error}");
        }
        rig.say(request(2, 3), Milestone::Accepted).await.unwrap();
        let (_, hall) = rig.end().await;
        let spans = basket(&hall, "basket");
        assert_eq!((ids(&spans), marks(&spans)), (all_ids(2, 3), vec!["old".to_owned()]));
    });
}

#[test]
fn a_pipeline_that_is_gone_drains_through_what_stood_in_it() {
    run(async {
        let mut rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {hold: {hall: HALL}, mark: {hall: HALL, mark: redacted}}
exporters: {basket: {hall: HALL}, basket/b: {hall: HALL}}
pipelines:
  traces: {receivers: [ear], exporters: [basket]}
  traces/b: {receivers: [ear], processors: [hold, mark], exporters: [basket/b]}
service: {lanes: 2}
",
        )
        .await;
        for trace in 1..=10 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        rig.reload(
            "
receivers: {ear: {hall: HALL}}
exporters: {basket: {hall: HALL}}
pipelines:
  traces: {receivers: [ear], exporters: [basket]}
service: {lanes: 2}
",
        )
        .await
        .unwrap();
        until(|| basket(&rig.hall, "basket/b").len() == 30).await;
        let (report, hall) = rig.end().await;
        let spans = basket(&hall, "basket/b");
        assert_eq!((ids(&spans), marks(&spans)), (all_ids(10, 3), vec!["redacted".to_owned()]), "{report}");
    });
}

#[test]
fn a_processor_that_is_taken_out_lets_go_of_what_it_held_into_the_rest() {
    run(async {
        let before = "
receivers: {ear: {hall: HALL}}
processors: {mark/a: {hall: HALL, mark: a}, hold: {hall: HALL}, mark/b: {hall: HALL, mark: b}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [mark/a, hold, mark/b], exporters: [basket]}}
service: {lanes: 2}
";
        let mut rig = Rig::start(before).await;
        for trace in 1..=10 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        rig.reload(&before.replace("[mark/a, hold, mark/b]", "[mark/a, mark/b]")).await.unwrap();
        until(|| basket(&rig.hall, "basket").len() == 30).await;
        let (_, hall) = rig.end().await;
        let spans = basket(&hall, "basket");
        assert_eq!((ids(&spans), marks(&spans)), (all_ids(10, 3), vec!["ab".to_owned()]));
    });
}

#[test]
fn reloads_under_load_refuse_nothing_and_lose_nothing() {
    run(async {
        let one = "
receivers: {ear: {hall: HALL}}
processors: {mark: {hall: HALL, mark: x}, gather: {hall: HALL, mark: \"20\"}}
exporters: {basket: {hall: HALL}, basket/b: {hall: HALL}}
pipelines:
  traces: {receivers: [ear], processors: [mark, gather], exporters: [basket]}
service: {lanes: 3}
";
        let other = one.replace("[mark, gather]", "[gather]").replace("mark: x", "mark: y").replace("[basket]", "[basket, basket/b]");
        let mut rig = Rig::start(one).await;
        let mut told = Vec::new();
        for trace in 1..=200 {
            told.push(rig.begin(request(trace, 3), Milestone::Accepted).await);
            if trace % 20 == 0 {
                rig.reload(if trace % 40 == 0 { one } else { &other }).await.unwrap();
            }
        }
        for answer in told {
            answer.await.unwrap().unwrap();
        }
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(200, 3), "{report}");
    });
}
