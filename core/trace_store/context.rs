//! Stand-in until the data model's own lands.
use crate::telemetry::ItemKind;

/// Stand-in.
#[derive(Debug)]
pub struct Context {
    id: u64,
    envelopes: [Vec<u8>; 4],
}

impl Context {
    pub fn new(id: u64, resource: &[u8]) -> Self {
        Self { id, envelopes: [resource.to_vec(), vec![], vec![], vec![]] }
    }
    pub fn id(&self) -> u64 {
        self.id
    }
    pub fn kind(&self) -> ItemKind {
        ItemKind::Span
    }
    pub fn envelopes(&self) -> [&[u8]; 4] {
        [&self.envelopes[0], &self.envelopes[1], &self.envelopes[2], &self.envelopes[3]]
    }
}
