//! Gathering small batches into larger requests: `sending_queue.batch`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tokio::time::Instant;
use tracetailor_core::telemetry::{Origin, Telemetry};

use super::request::Request;
use super::settings::Batching;
use super::way::Ways;

/// What has gathered, one batch for each way and partition.
#[derive(Debug, Default)]
pub(super) struct Gathering(HashMap<(u32, Partition), Gathered, foldhash::fast::RandomState>);

/// The values of each of the keys that tell partitions apart: a key that is missing is another partition than one that is empty.
type Partition = Vec<Vec<String>>;

#[derive(Debug)]
struct Gathered {
    request: Request,
    /// When it is sent in any case.
    flush: Instant,
}

impl Gathering {
    /// Adds a batch to its partition. Once that is large enough, it is ready.
    pub(super) fn add(&mut self, request: Request, batching: &Batching, now: Instant, ways: &mut Ways) {
        let request = match self.0.entry((request.way, batching.partition_of(request.first()))) {
            Entry::Vacant(_) if request.load.in_unit(batching.unit) >= batching.least => request,
            Entry::Vacant(partition) => {
                partition.insert(Gathered { request, flush: now + batching.flush });
                return;
            }
            Entry::Occupied(mut partition) => {
                let gathered = partition.get_mut();
                gathered.request.add(request);
                if gathered.request.load.in_unit(batching.unit) < batching.least {
                    return;
                }
                partition.remove().request
            }
        };
        ways.push_back(request);
    }

    /// Puts back what was left over when something larger was cut. It was there before what has gathered since.
    pub(super) fn add_again(&mut self, mut request: Request, batching: &Batching, now: Instant) {
        let flush = now + batching.flush;
        match self.0.entry((request.way, batching.partition_of(request.first()))) {
            Entry::Vacant(partition) => {
                partition.insert(Gathered { request, flush });
            }
            Entry::Occupied(mut partition) => {
                let gathered = partition.get_mut();
                std::mem::swap(&mut gathered.request, &mut request);
                gathered.request.add(request);
            }
        }
    }

    /// Makes ready what has waited long enough, and tells when the next will have.
    pub(super) fn flush_due(&mut self, now: Instant, ways: &mut Ways) -> Option<Instant> {
        if self.0.is_empty() {
            return None;
        }
        self.0.extract_if(|_, gathered| gathered.flush <= now).for_each(|(_, gathered)| ways.push_back(gathered.flushed()));
        self.0.values().map(|gathered| gathered.flush).min()
    }

    /// Makes everything ready.
    pub(super) fn flush(&mut self, ways: &mut Ways) {
        self.0.drain().for_each(|(_, gathered)| ways.push_back(gathered.flushed()));
    }
}

impl Gathered {
    fn flushed(self) -> Request {
        self.request.flushed()
    }
}

impl Batching {
    /// Takes a batch apart by partition: a pipeline may have merged requests of several.
    pub(super) fn apart(&self, batch: Telemetry) -> Vec<Telemetry> {
        if self.keys.is_empty() || batch.origins().len() == 1 {
            return vec![batch];
        }
        let mut known: Vec<Partition> = Vec::new();
        let of_origin = batch.origins().iter().map(|origin| {
            let partition = self.partition(origin);
            known.iter().position(|other| *other == partition).unwrap_or_else(|| {
                known.push(partition);
                known.len() - 1
            })
        });
        let of_origin: Vec<usize> = of_origin.collect();
        let places: Vec<usize> = batch.heads().iter().map(|head| of_origin[batch.origin_of(head)]).collect();
        let mut places = places.into_iter();
        let parts = batch.split(known.len(), |_| places.next().unwrap_or_default());
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }

    fn partition(&self, origin: &Origin) -> Partition {
        let metadata = &origin.source.metadata;
        let values = |key: &String| metadata.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect();
        self.keys.iter().map(values).collect()
    }

    /// The partition of a batch that is of one.
    fn partition_of(&self, batch: &Telemetry) -> Partition {
        batch.origins().first().map_or_else(Partition::new, |origin| self.partition(origin))
    }
}
