//! Bugs and panics: nothing they take along is forgotten.

use super::*;

#[test]
fn a_share_that_is_dropped_counts_as_lost_and_panics_in_debug_builds() {
    let desk = Desk::new();
    let mut share = desk.accept(5);
    share.settle_some(2, Fate::Delivered);
    assert_eq!(crash(|| drop(share)), cfg!(debug_assertions));
    assert_eq!(desk.client.last(), Tally { delivered: 2, lost: 3, ..Tally::default() });
    let unaccounted = CauseName { component: "ledger".into(), reason: "unaccounted".into() };
    assert_eq!(desk.line(&desk.pipeline).causes, [CauseReport { column: Column::Lost, name: unaccounted, units: 3 }]);
    desk.assert_settled();
}

#[test]
fn a_panic_takes_its_shares_along_and_the_books_still_balance() {
    let desk = Desk::new();
    let mut share = desk.accept(5);
    let (part, mut stored) = (share.take(3), vec![share]);
    // No second panic while unwinding: that would end this process.
    assert!(crash(|| {
        let _part = part;
        resume_unwind(Box::new("a processor's bug"));
    }));
    // Then the component itself goes, with what it held.
    after_panic(|| stored.clear());
    assert_eq!(desk.client.last(), Tally { lost: 5, ..Tally::default() });
    assert_eq!(desk.line(&desk.pipeline).causes[0].name.reason, "panic");
    desk.assert_settled();
    let next = desk.accept(1);
    assert_eq!(crash(|| drop(next)), cfg!(debug_assertions), "clearing up has ended");
}

#[test]
fn clearing_up_ends_when_it_panics_itself() {
    let desk = Desk::new();
    assert!(crash(|| after_panic(|| resume_unwind(Box::new("again")))));
    let share = desk.accept(1);
    assert_eq!(crash(|| drop(share)), cfg!(debug_assertions));
    assert_eq!(desk.line(&desk.pipeline).causes[0].name.reason, "unaccounted");
}

#[test]
#[cfg(debug_assertions)]
fn whoever_asks_for_more_than_there_is_hears_of_it() {
    let desk = Desk::new();
    let mut share = desk.accept(2);
    assert!(crash(|| share.settle_some(3, Fate::Delivered)));
    assert!(crash(|| after_panic(|| share.take(3))));
    assert!(crash(|| share.enter(&desk.books.line(LineName::Pipeline("logs".into()), Signal::Logs))));
    assert_eq!(share.count(), 2);
    share.settle(Fate::Delivered);
    desk.assert_settled();
}
