//! Every stage killed in turn: whatever breaks, every span has a fate and the books balance.

use tracetailor_core::component::{ExportError, Failing, Refused};
use tracetailor_core::ledger::{Column, Milestone};
use tracetailor_core::testing::{span, traces};

use super::parts::basket;
use super::rig::{Rig, run, until};
use super::ways::{all_ids, ids, request};

fn sum(report: &tracetailor_core::ledger::Report, column: Column) -> u64 {
    report.lines.iter().map(|line| line.sums[column]).sum()
}

#[test]
fn a_processor_that_panics_loses_its_batch_counted_and_goes_on() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {bomb: {hall: HALL}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [bomb], exporters: [basket]}}
service: {lanes: 1}
",
        )
        .await;
        rig.say(request(1, 3), Milestone::Settled).await.unwrap();
        let tally = rig.say(traces([span("bomb"), span("beside").id(7_u64)]), Milestone::Settled).await.unwrap();
        assert_eq!(tally.lost, 2);
        rig.say(request(2, 3), Milestone::Settled).await.unwrap();
        let (report, hall) = rig.end().await;
        assert_eq!(sum(&report, Column::Lost), 2, "{report}");
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(2, 3));
    });
}

#[test]
fn an_exporter_that_gives_up_has_failed_what_it_had() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
exporters: {direct: {hall: HALL}, basket/b: {hall: HALL}}
pipelines:
  traces: {receivers: [ear], exporters: [direct, basket/b]}
service: {lanes: 2}
",
        )
        .await;
        *rig.hall.answer.lock().unwrap() = Some(ExportError::new(Failing::Invalid, "no"));
        rig.say(request(1, 4), Milestone::Settled).await.unwrap();
        *rig.hall.answer.lock().unwrap() = None;
        rig.say(request(2, 4), Milestone::Settled).await.unwrap();
        let (report, _) = rig.end().await;
        assert_eq!(sum(&report, Column::Delivered) + sum(&report, Column::Failed), 16, "{report}");
        assert!(sum(&report, Column::Failed) >= 4, "{report}");
    });
}

#[test]
fn a_full_queue_refuses_at_the_door_and_loses_nothing_it_has() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
exporters: {basket: {hall: HALL, mark: \"4\"}}
pipelines: {traces: {receivers: [ear], exporters: [basket]}}
service: {lanes: 2}
",
        )
        .await;
        rig.hall.hangs.send_replace(true);
        for trace in 1..=4 {
            rig.say(request(trace, 2), Milestone::Accepted).await.unwrap();
        }
        let refused = rig.say(request(5, 2), Milestone::Accepted).await.unwrap_err();
        assert!(
            matches!(&refused, Refused::Full { what, .. } if what == "the sending_queue of exporter basket (queue_size 4 requests)"),
            "{refused:?}"
        );
        rig.hall.hangs.send_replace(false);
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(4, 2), "{report}");
    });
}

#[test]
fn what_a_processor_held_finds_its_place_in_a_queue_that_is_full() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {hold: {hall: HALL}}
exporters: {basket: {hall: HALL, mark: \"2\"}}
pipelines: {traces: {receivers: [ear], processors: [hold], exporters: [basket]}}
service: {lanes: 2}
",
        )
        .await;
        for trace in 1..=20 {
            rig.say(request(trace, 2), Milestone::Accepted).await.unwrap();
        }
        // All of it leaves the processor at once, ten times what the queue takes.
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(20, 2), "{report}");
    });
}

#[test]
fn a_full_queue_that_blocks_makes_senders_wait_as_long_as_it_takes() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
exporters: {basket: {hall: HALL, mark: \"2!\"}}
pipelines: {traces: {receivers: [ear], exporters: [basket]}}
service: {lanes: 2}
",
        )
        .await;
        rig.hall.hangs.send_replace(true);
        for trace in 1..=2 {
            rig.say(request(trace, 2), Milestone::Accepted).await.unwrap();
        }
        let waiting = rig.begin(request(3, 2), Milestone::Accepted).await;
        // It has no patience of its own: where queues do not block it would have been refused at once.
        until(|| rig.gateway.waiting() == 1).await;
        rig.hall.hangs.send_replace(false);
        waiting.await.unwrap().unwrap();
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(3, 2), "{report}");
    });
}

#[test]
fn memory_is_refused_before_it_is_spent() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {limit: {hall: HALL, mark: \"2000\"}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [limit], exporters: [basket]}}
service: {lanes: 1}
",
        )
        .await;
        rig.hall.hangs.send_replace(true);
        let mut accepted = 0;
        let refused = loop {
            match rig.say(request(accepted + 1, 4), Milestone::Accepted).await {
                Ok(_) => accepted += 1,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, Refused::Full { .. }), "{refused:?}");
        assert!((1..20).contains(&accepted), "{accepted} requests fit into 2,000 bytes");
        assert!(matches!(rig.say(request(99, 500), Milestone::Accepted).await, Err(Refused::TooLarge { .. })));
        rig.hall.hangs.send_replace(false);
        let (_, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(accepted, 4));
    });
}

#[test]
fn what_is_not_through_by_the_deadline_of_a_shutdown_is_given_up_counted() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {hold: {hall: HALL}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [hold], exporters: [basket]}}
service: {lanes: 2, shutdown_timeout: 300ms}
",
        )
        .await;
        rig.hall.hangs.send_replace(true);
        for trace in 1..=30 {
            rig.say(request(trace, 2), Milestone::Accepted).await.unwrap();
        }
        let (report, _) = rig.end().await;
        let ended = [Column::Delivered, Column::Failed, Column::Rejected].into_iter().map(|column| sum(&report, column)).sum::<u64>();
        assert_eq!(ended, 60, "{report}");
        assert_eq!(sum(&report, Column::Lost), 0, "{report}");
    });
}

#[test]
fn what_is_held_leaves_at_a_shutdown() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {hold: {hall: HALL}, gather: {hall: HALL}, mark: {hall: HALL, mark: m}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [hold, mark, gather], exporters: [basket]}}
service: {lanes: 3}
",
        )
        .await;
        let books = rig.books.clone();
        for trace in 1..=20 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        until(|| books.report().lines.iter().any(|line| line.held_units() == 60)).await;
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(20, 3), "{report}");
    });
}
