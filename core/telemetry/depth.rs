//! How many messages stand in each other: decoders stop at 100, and count every list, map, entry and unknown field, not only values.
//!
//! Counting takes a second walk, so it is done only where values are nested so deep that it can matter, which no honest sender's are.

use super::check::Fault;
use super::schema::{self, Message};
use super::wire::{MOST_GROUPS, Raw, fields};

/// So many messages in each other every decoder follows; protobuf's own in C++ and Java, and prost, not one more.
const MOST_MESSAGES: u32 = 100;

/// Values that stand less deep than this are no harm, whatever is around and in them.
pub(crate) const WORTH_COUNTING: u32 = 24;

/// How deep a message that is checked by itself stands in its request.
static STANDS: [(&Message, u32); 14] = [
    (&schema::RESOURCE_SPANS, 1),
    (&schema::RESOURCE_LOGS, 1),
    (&schema::RESOURCE_METRICS, 1),
    (&schema::SCOPE_SPANS, 2),
    (&schema::SCOPE_LOGS, 2),
    (&schema::SCOPE_METRICS, 2),
    (&schema::SPAN, 3),
    (&schema::LOG_RECORD, 3),
    (&schema::METRIC, 3),
    (&schema::GAUGE, 4),
    (&schema::SUM, 4),
    (&schema::HISTOGRAM, 4),
    (&schema::EXPONENTIAL_HISTOGRAM, 4),
    (&schema::SUMMARY, 4),
];

/// How deep a point stands.
const POINT_STANDS: u32 = 5;

/// Whether every decoder comes to the bottom of a message where it stands in its request.
#[cold]
pub(crate) fn check(message: &'static Message, bytes: &[u8]) -> Result<(), Fault> {
    let stands = STANDS.iter().find(|(known, _)| message.is(known)).map_or(POINT_STANDS, |(_, stands)| *stands);
    if stands + deepest(message, bytes) > MOST_MESSAGES { Err(Fault::TooDeep) } else { Ok(()) }
}

/// How many messages stand in each other below this one. An unknown field counts as one, because decoders enter it to step over it.
fn deepest(message: &'static Message, bytes: &[u8]) -> u32 {
    let below = fields(bytes).map(|found| match (message.field(found.number), found.raw) {
        (None, Raw::Group) => MOST_GROUPS + 1,
        (None, _) => 1,
        (Some(field), Raw::Len(payload)) => field.message().map_or(0, |inner| 1 + deepest(inner, payload)),
        _ => 0,
    });
    below.max().unwrap_or(0)
}
