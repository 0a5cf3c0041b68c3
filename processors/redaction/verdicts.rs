//! Remembers of which texts it is known that there is nothing in them, and of some what they became.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;
use tracetailor_core::telemetry::{Place, Swept};

/// Verdicts, each in the place that its text's hash leads to: a newer one takes the place of an older.
///
/// The hash is keyed anew in every process and 64 bits long, and the length is in it, so nobody can make a text that passes for another, and by accident it happens
/// once in some 10^14 texts.
pub(super) struct Verdicts {
    hasher: RandomState,
    clean: Box<[u64]>,
    changed: Box<[Option<Box<Outcome>>]>,
}

/// What a text became, for a text that comes again and again.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    hash: u64,
    /// Nothing where the attribute is deleted.
    pub(super) written: Option<Box<[u8]>>,
    /// The rules that had a part in it.
    pub(super) rules: Vec<u16>,
}

const CLEAN: usize = 1 << 16;
const CHANGED: usize = 1 << 11;
/// Longer ones are not kept.
const LONGEST: usize = 512;

impl Verdicts {
    pub(super) fn new() -> Self {
        let changed = std::iter::repeat_with(|| None).take(CHANGED).collect();
        Self { hasher: RandomState::default(), clean: vec![0; CLEAN].into_boxed_slice(), changed }
    }

    /// The hash of a text and its place. It is never zero.
    #[inline]
    pub(super) fn hash(&self, place: Place, text: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.write_u64((text.len() as u64) << 8 | place as u64);
        hasher.finish() | 1
    }

    /// Whether there is nothing in the text of this hash.
    #[inline]
    pub(super) fn is_clean(&self, hash: u64) -> bool {
        self.clean[(hash >> 32) as usize % CLEAN] == hash
    }

    #[inline]
    pub(super) fn remember_clean(&mut self, hash: u64) {
        self.clean[(hash >> 32) as usize % CLEAN] = hash;
    }

    /// What the text of this hash became.
    #[inline]
    pub(super) fn outcome(&self, hash: u64) -> Option<&Outcome> {
        self.changed[(hash >> 32) as usize % CHANGED].as_deref().filter(|outcome| outcome.hash == hash)
    }

    pub(super) fn remember(&mut self, hash: u64, swept: &Swept, written: &[u8], rules: &[u16]) {
        let written = match swept {
            Swept::Delete => None,
            _ if written.len() <= LONGEST => Some(written.into()),
            _ => return,
        };
        self.changed[(hash >> 32) as usize % CHANGED] = Some(Box::new(Outcome { hash, written, rules: rules.to_vec() }));
    }
}
