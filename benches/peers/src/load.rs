//! The requests that are offered: real spans of the standard payload, every one with ids of its own.
//!
//! Uncompressed requests are copied from a template and stamped as they are sent. Compressed bytes cannot be stamped, so those are made
//! beforehand, all of them, and kept for every peer and run.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tracetailor_core::testing::Payload;

use crate::compression::Compression;
use crate::ids;
use crate::wire::{self, Malformed, PARENT_ID, SPAN_ID, TRACE_ID};

/// What stands before a message in gRPC: whether it is compressed, and its length.
pub(crate) const PREFIX: usize = 5;

/// Which requests: how large, how compressed, and in what traces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) spans: usize,
    pub(crate) spans_per_trace: usize,
    pub(crate) compression: Compression,
}

/// All requests of a run, to be had by their number.
#[derive(Debug)]
pub(crate) struct Load {
    shape: Shape,
    templates: Vec<Template>,
    /// Empty where requests are stamped as they are sent.
    prepared: Vec<Bytes>,
}

impl Load {
    /// Prepares so many requests. Takes some seconds per million spans where they are compressed.
    pub(crate) fn prepare(shape: Shape, requests: u64) -> Result<Self> {
        let payload = Payload { spans_per_trace: shape.spans_per_trace, ..Payload::of(shape.spans) };
        let templates: Result<Vec<Template>, Malformed> = payload.encoded_traces().into_iter().map(Template::of).collect();
        let mut load = Self { shape, templates: templates.context("the payload cannot be read back")?, prepared: Vec::new() };
        if shape.compression != Compression::None {
            load.prepared = load.compressed(requests)?;
        }
        Ok(load)
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The requests before they are stamped, without the prefix: what a yardstick works on.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        self.templates.iter().map(|template| &template.framed[PREFIX..])
    }

    /// Request number so many with the prefix of gRPC.
    pub(crate) fn framed(&self, request: u64) -> Bytes {
        match self.prepared.get(request as usize) {
            Some(prepared) => prepared.clone(),
            None => self.stamped(request).into(),
        }
    }

    fn stamped(&self, request: u64) -> Vec<u8> {
        let template = &self.templates[(request % self.templates.len() as u64) as usize];
        template.stamp(request * self.shape.spans as u64, self.first_trace(request, template))
    }

    /// The number of the request's first trace. Requests smaller than a trace share one.
    fn first_trace(&self, request: u64, template: &Template) -> u64 {
        let (spans, per_trace) = (self.shape.spans as u64, self.shape.spans_per_trace.max(1) as u64);
        if spans < per_trace { request * spans / per_trace } else { request * u64::from(template.traces) }
    }

    fn compressed(&self, requests: u64) -> Result<Vec<Bytes>> {
        let part = |range: Range<u64>| range.map(|request| self.compressed_one(request)).collect::<Result<Vec<Bytes>>>();
        let middle = requests / 2;
        let (mut first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| part(0..middle));
            let second = part(middle..requests);
            (first.join(), second)
        });
        let mut all = std::mem::replace(&mut first, Ok(Ok(Vec::new()))).map_err(|_| anyhow::anyhow!("compressing panicked"))??;
        all.extend(second?);
        Ok(all)
    }

    fn compressed_one(&self, request: u64) -> Result<Bytes> {
        let body = self.stamped(request);
        let mut framed = vec![1, 0, 0, 0, 0];
        self.shape.compression.compress(&body[PREFIX..], &mut framed)?;
        write_length(&mut framed);
        framed.shrink_to_fit();
        Ok(framed.into())
    }
}

/// An encoded request and where its ids lie.
#[derive(Debug)]
struct Template {
    framed: Vec<u8>,
    sites: Vec<Site>,
    traces: u32,
}

/// Where the ids of one span lie.
#[derive(Debug)]
struct Site {
    trace_at: usize,
    span_at: usize,
    /// Where the parent's id lies, and which span of the request that is.
    parent: Option<(usize, usize)>,
    /// Which trace of the request it belongs to.
    trace: u32,
}

impl Template {
    fn of(body: Vec<u8>) -> Result<Self, Malformed> {
        let mut framed = vec![0; PREFIX];
        framed.extend_from_slice(&body);
        write_length(&mut framed);
        let (mut traces, mut spans) = (HashMap::new(), HashMap::new());
        wire::each_span(&body, |place| {
            let (_, span) = wire::id::<8>(&body, place, SPAN_ID)?.ok_or(Malformed)?;
            let number = spans.len();
            spans.insert(span, number);
            Ok(())
        })?;
        let mut sites = Vec::with_capacity(spans.len());
        wire::each_span(&body, |place| {
            let (trace_at, trace) = wire::id::<16>(&body, place.clone(), TRACE_ID)?.ok_or(Malformed)?;
            let (span_at, _) = wire::id::<8>(&body, place.clone(), SPAN_ID)?.ok_or(Malformed)?;
            let parent = wire::id::<8>(&body, place, PARENT_ID)?;
            let parent = parent.map(|(at, id)| spans.get(&id).map(|number| (PREFIX + at, *number)).ok_or(Malformed)).transpose()?;
            let next = traces.len() as u32;
            let trace = *traces.entry(trace).or_insert(next);
            sites.push(Site { trace_at: PREFIX + trace_at, span_at: PREFIX + span_at, parent, trace });
            Ok(())
        })?;
        Ok(Self { framed, sites, traces: traces.len() as u32 })
    }

    /// A copy whose spans and traces are numbered from these on.
    fn stamp(&self, first_span: u64, first_trace: u64) -> Vec<u8> {
        let mut framed = self.framed.clone();
        let mut write = |at: usize, id: &[u8]| framed[at..at + id.len()].copy_from_slice(id);
        for (number, site) in self.sites.iter().enumerate() {
            write(site.trace_at, &ids::trace_id(first_trace + u64::from(site.trace)));
            write(site.span_at, &ids::span_id(first_span + number as u64));
            if let Some((at, parent)) = site.parent {
                write(at, &ids::span_id(first_span + parent as u64));
            }
        }
        framed
    }
}

fn write_length(framed: &mut [u8]) {
    let length = (framed.len() - PREFIX) as u32;
    framed[1..PREFIX].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use prost::Message as _;
    use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, Span};

    use super::*;

    fn spans(load: &Load, requests: Range<u64>) -> Vec<Span> {
        let of = |request| {
            let framed = load.framed(request);
            let body = load.shape.compression.decompress(&framed[PREFIX..]).unwrap();
            let decoded = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            decoded.resource_spans.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans)
        };
        requests.flat_map(of).collect()
    }

    fn load(spans: usize, compression: Compression) -> Load {
        Load::prepare(Shape { spans, spans_per_trace: 8, compression }, 30).unwrap()
    }

    #[test]
    fn every_span_has_an_id_of_its_own_and_parents_are_in_the_trace() {
        for compression in Compression::ALL {
            let spans = spans(&load(100, compression), 0..30);
            let ids: HashSet<_> = spans.iter().map(|span| (&span.trace_id, &span.span_id)).collect();
            assert_eq!(ids.len(), 3_000, "{compression:?}");
            assert!(
                spans
                    .iter()
                    .filter(|span| !span.parent_span_id.is_empty())
                    .all(|span| ids.contains(&(&span.trace_id, &span.parent_span_id)))
            );
            let traces: HashSet<_> = spans.iter().map(|span| &span.trace_id).collect();
            assert_eq!(traces.len(), 30 * 13);
        }
    }

    #[test]
    fn small_requests_share_a_trace() {
        let spans = spans(&load(1, Compression::None), 0..16);
        let traces: HashSet<_> = spans.iter().map(|span| &span.trace_id).collect();
        assert_eq!((spans.len(), traces.len()), (16, 2));
    }
}
