//! As much of protobuf as it takes to find the ids of spans. Written apart from the gateway's own walk, which is under test here.

use std::ops::Range;

/// Field numbers on the way to a span: in the request, in its resource, in its scope.
const TO_SPANS: [u32; 3] = [1, 2, 2];
/// Fields of a span.
pub(crate) const TRACE_ID: u32 = 1;
pub(crate) const SPAN_ID: u32 = 2;
pub(crate) const PARENT_ID: u32 = 4;

/// Not protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not valid protobuf")
    }
}

impl std::error::Error for Malformed {}

/// A field: its number and where its payload lies.
pub(crate) type Field = (u32, Range<usize>);

/// Calls `each` with the place of every span in the request, in order.
pub(crate) fn each_span(body: &[u8], mut each: impl FnMut(Range<usize>) -> Result<(), Malformed>) -> Result<(), Malformed> {
    descend(body, 0..body.len(), &TO_SPANS, &mut each)
}

fn descend(
    body: &[u8],
    place: Range<usize>,
    path: &[u32],
    each: &mut impl FnMut(Range<usize>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let Some((number, rest)) = path.split_first() else { return each(place) };
    for field in fields(body, place) {
        let (found, place) = field?;
        if found == *number {
            descend(body, place, rest, each)?;
        }
    }
    Ok(())
}

/// The id in this field of the span at `place`, where there is one of the right length.
pub(crate) fn id<const LENGTH: usize>(body: &[u8], span: Range<usize>, number: u32) -> Result<Option<(usize, [u8; LENGTH])>, Malformed> {
    for field in fields(body, span) {
        let (found, place) = field?;
        if found == number {
            let id = body[place.clone()].try_into().map_err(|_| Malformed);
            return if place.is_empty() { Ok(None) } else { Ok(Some((place.start, id?))) };
        }
    }
    Ok(None)
}

/// The fields of the message at `place`.
pub(crate) fn fields(body: &[u8], place: Range<usize>) -> Fields<'_> {
    Fields { body, at: place.start, end: place.end }
}

/// See [`fields`].
pub(crate) struct Fields<'a> {
    body: &'a [u8],
    at: usize,
    end: usize,
}

impl Fields<'_> {
    fn field(&mut self) -> Result<Field, Malformed> {
        let key = self.varint()?;
        let start = self.at;
        let (start, length) = match key & 7 {
            0 => {
                self.varint()?;
                (start, self.at - start)
            }
            1 => (start, 8),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                (self.at, length)
            }
            5 => (start, 4),
            _ => return Err(Malformed),
        };
        let end = start.checked_add(length).filter(|end| *end <= self.end).ok_or(Malformed)?;
        self.at = end;
        Ok(((key >> 3) as u32, start..end))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let (value, length) = varint(&self.body[self.at..self.end])?;
        self.at += length;
        Ok(value)
    }
}

impl Iterator for Fields<'_> {
    type Item = Result<Field, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.end;
        }
        Some(field)
    }
}

/// The number at the beginning of `bytes`, and how long it is.
pub(crate) fn varint(bytes: &[u8]) -> Result<(u64, usize), Malformed> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, index + 1));
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tracetailor_core::testing::Payload;

    use super::*;

    #[test]
    fn the_ids_found_are_those_that_were_encoded() {
        let request = Payload::of(50).traces(3);
        let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
        let expected: Vec<(Vec<u8>, Vec<u8>)> = spans.map(|span| (span.trace_id.clone(), span.span_id.clone())).collect();
        let body = request.encode_to_vec();
        let mut found = Vec::new();
        each_span(&body, |place| {
            let (_, trace) = id::<16>(&body, place.clone(), TRACE_ID)?.ok_or(Malformed)?;
            let (_, span) = id::<8>(&body, place, SPAN_ID)?.ok_or(Malformed)?;
            found.push((trace.to_vec(), span.to_vec()));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_request_that_ends_early_is_malformed() {
        let body = Payload::of(2).traces(0).encode_to_vec();
        assert_eq!(each_span(&body[..body.len() - 1], |_| Ok(())), Err(Malformed));
        assert_eq!(varint(&[0xff; 11]), Err(Malformed));
    }
}
