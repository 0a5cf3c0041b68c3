//! What it costs to put names right that were seen before: each span's service is one of a few, of which most are spelled wrong.

#[path = "yardstick/through.rs"]
mod through;
#[expect(dead_code, reason = "nothing here is held against another way of the same")]
mod yardstick;

use prost::Message;
use through::through;
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use tracetailor_core::testing::{Payload, attribute};
use tracetailor_processors::service_name::FACTORY;
use yardstick::ours::cycle_bytes;
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
        Way::new("receive and send", cycle_bytes(&requests, through(&FACTORY, None))),
        Way::new("names filled in and reported", cycle_bytes(&requests, through(&FACTORY, Some("{}")))),
        Way::new("names put right", cycle_bytes(&requests, through(&FACTORY, Some(all)))),
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
