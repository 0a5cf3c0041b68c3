//! Another configuration over the same traces.

use std::sync::{Arc, Mutex};

use tracetailor_core::component::{Output, Part, Processor, ProcessorContext, Progress, StagePart};
use tracetailor_core::ledger::Cause;
use tracetailor_core::telemetry::{SourceTag, Telemetry};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{TraceStore, WholeTraces};

use super::*;

/// A processor that is given another configuration as a reload does it: new stages over the store of the old ones.
struct Reloadable {
    whole: Option<WholeTraces>,
    context: ProcessorContext,
    next: Arc<Mutex<Option<String>>>,
    unjudged: Cause,
}

fn stage(yaml: &str, context: &ProcessorContext) -> StagePart {
    let Part::Stage(make) = FACTORY.part else { panic!("it is a stage") };
    make(&FACTORY.parse(yaml).unwrap().config, context).unwrap()
}

impl Reloadable {
    fn whole(&mut self) -> &mut WholeTraces {
        if let Some(yaml) = self.next.lock().unwrap().take() {
            let StagePart { stage, limits, .. } = stage(&yaml, &self.context);
            let mut store = self.whole.take().unwrap().into_store();
            store.set_limits(limits);
            self.whole = Some(WholeTraces::new(store, vec![stage], self.unjudged));
        }
        self.whole.as_mut().unwrap()
    }
}

impl Processor for Reloadable {
    fn process(&mut self, batch: Telemetry, out: &mut Output) {
        self.whole().process(batch, out);
    }

    fn wake_at(&self) -> Option<LogTime> {
        // There is a new configuration to be taken on.
        if self.next.lock().unwrap().is_some() { Some(LogTime(0)) } else { self.whole.as_ref().unwrap().wake_at() }
    }

    fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        self.whole().wake(now, out)
    }

    fn drain(&mut self, out: &mut Output) -> Progress {
        self.whole().drain(out)
    }

    fn forget(&mut self, tag: SourceTag) {
        self.whole().forget(tag);
    }
}

fn reloadable(yaml: &str) -> (Driver, Arc<Mutex<Option<String>>>) {
    let next = Arc::new(Mutex::new(None));
    let driver = Driver::with("tail_sampling", |context| {
        let StagePart { stage, limits, unjudged } = stage(yaml, context);
        let store = TraceStore::new(limits, context.line.held("tail_sampling"), context.cause("no_time"));
        let unjudged = context.cause(unjudged);
        let whole = Some(WholeTraces::new(store, vec![stage], unjudged));
        Box::new(Reloadable { whole, context: context.clone(), next: next.clone(), unjudged })
    });
    (driver, next)
}

#[test]
fn other_policies_judge_what_waits_and_see_each_trace_once() {
    let before = format!("{{decision_wait: 10s, {ERRORS}}}");
    let after = "{decision_wait: 10s, policies: [{name: gold, type: string_attribute, string_attribute: {key: tier, values: [gold]}}]}";
    let (mut driver, next) = reloadable(&before);
    receive(&mut driver, [failed(1, "first"), of(2, "second").attribute("tier", "gold")]);
    seconds(&mut driver, 5.0);
    *next.lock().unwrap() = Some(after.to_owned());
    driver.wake();
    assert_eq!((driver.held(), out(&driver)), (2, Vec::new()), "no trace is decided because of a reload");
    // A span that comes after the reload belongs to what came before.
    receive(&mut driver, [of(2, "of the second")]);
    seconds(&mut driver, 5.1);
    assert_eq!(out(&driver), ["of the second", "second"], "each in the time that it had, and by the new policies");
    assert_eq!(driver.counted("tracetailor_sampling_traces_shown_again_total"), 2, "each once");
    assert_eq!(driver.ended(Column::Dropped, "not_sampled"), 1);

    let told = |driver: &Driver, trace: &str| driver.context().reports.of("why").remove(0).1.text(trace);
    assert!(told(&driver, "00000000000000000000000000000002").contains("configuration  2, since"), "one page for both");
    // Back again is another version, and what the last one decided is still told by its names.
    *next.lock().unwrap() = Some(before);
    receive(&mut driver, [failed(3, "third")]);
    seconds(&mut driver, 10.1);
    assert!(told(&driver, "00000000000000000000000000000003").contains("was kept by errors\n"));
    assert!(told(&driver, "00000000000000000000000000000003").contains("configuration  3, since"));
    assert!(told(&driver, "00000000000000000000000000000002").contains("was kept by gold\n"));
    driver.finish();
}
