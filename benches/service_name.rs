//! What it costs to put names right that were seen before: each span's service is one of a few, of which most are spelled wrong.

#[expect(dead_code, reason = "nothing here is held against another way of the same")]
mod yardstick;

use bytes::Bytes;
use prost::Message;
use tracetailor_core::component::{Output, Processor, ProcessorContext, Room};
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use tracetailor_core::testing::{Payload, attribute};
use tracetailor_processors::service_name::FACTORY;
use yardstick::ours::{Gateway, cycle_bytes};
use yardstick::{Way, compare, memcpy};

const NAMES: [&str; 8] =
    ["api_gateway", "api-gateway", "UserAuthService", "prod-cart", "checkout", "PaymentSvc", "unknown_service:java", "HTTPServer"];

fn main() {
    compare("service_name", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let requests = named(&payload.encoded_traces());
    let all = "{case: kebab, strip: {prefixes: [prod-]}, aliases: {payment: [PaymentSvc]}}";
    vec![
        memcpy(&requests),
        Way::new("receive and send", cycle_bytes(&requests, through(None))),
        Way::new("names filled in and reported", cycle_bytes(&requests, through(Some("{}")))),
        Way::new("names put right", cycle_bytes(&requests, through(Some(all)))),
    ]
}

/// The requests with one of a few names for each resource.
#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn named(requests: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut names = NAMES.iter().cycle();
    let mut one = |request: &Vec<u8>| {
        let mut request = ExportTraceServiceRequest::decode(request.as_slice()).expect("the payload is valid");
        for resource in request.resource_spans.iter_mut().filter_map(|spans| spans.resource.as_mut()) {
            resource.attributes.retain(|attribute| attribute.key != "service.name");
            resource.attributes.extend(names.next().map(|name| attribute("service.name", *name)));
        }
        request.encode_to_vec()
    };
    requests.iter().map(&mut one).collect()
}

#[expect(clippy::expect_used, reason = "the configuration is valid, or there is nothing to measure")]
fn through(config: Option<&str>) -> impl FnMut(Bytes) + 'static {
    let (gateway, mut sent) = (Gateway::new(), Vec::new());
    let mut processor: Option<Box<dyn Processor>> = config.map(|config| {
        let parsed = FACTORY.parse(config).expect("the configuration is valid");
        parsed.build(&ProcessorContext::alone("service_name")).expect("it needs nothing of the world")
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
