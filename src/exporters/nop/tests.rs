//! It takes everything.

use futures_util::FutureExt;
use tracetailor_core::component::{BuildContext, Delivered};
use tracetailor_core::ledger::Fate;
use tracetailor_core::testing::{Inlet, assert_manual, trace_of};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
}

#[test]
fn everything_is_delivered_at_once() {
    let nop = FACTORY.parse("").unwrap().build(&BuildContext::alone("nop")).unwrap();
    let mut inlet = Inlet::new();
    let batch = inlet.receive(trace_of("a -> b").request());
    assert_eq!(nop.export(&batch).now_or_never(), Some(Ok(Delivered::ALL)));
    batch.settle(Fate::Delivered);
    inlet.assert_settled();
}

#[test]
fn it_has_no_keys() {
    assert!(FACTORY.parse("{}").is_ok());
    assert!(FACTORY.parse("verbosity: basic").is_err());
}
