//! A processor between the two ends of a pipeline, for benches that measure one.

use bytes::Bytes;
use tracetailor_core::component::{Output, Processor, ProcessorContext, ProcessorFactory, Room};

use crate::yardstick::ours::Gateway;

/// Takes a request in and sends it on, through a processor of this configuration where there is one.
#[expect(clippy::expect_used, reason = "the configuration is valid, or there is nothing to measure")]
pub(crate) fn through(factory: &ProcessorFactory, config: Option<&str>) -> impl FnMut(Bytes) + 'static {
    let (gateway, mut sent) = (Gateway::new(), Vec::new());
    let mut processor: Option<Box<dyn Processor>> = config.map(|config| {
        let parsed = factory.parse(config).expect("the configuration is valid");
        parsed.build(&ProcessorContext::alone(factory.name)).expect("it needs nothing of the world")
    });
    move |request| {
        let batch = gateway.receive(request);
        let Some(processor) = &mut processor else { return gateway.send(batch, &mut sent) };
        let mut out = Output::new(Default::default(), Room::ENOUGH);
        processor.process(batch, &mut out);
        for batch in out.take() {
            gateway.send(batch, &mut sent);
        }
    }
}
