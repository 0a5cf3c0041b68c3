//! `probabilistic`: keeps a share of traces, chosen by their ids.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};
use tracetailor_core::probability::Threshold;
use tracetailor_core::telemetry::TraceId;

use super::{Block, Facts, Maker, Strictness, Vote, Voter};
use crate::tail_sampling::randomness::Chance;
use crate::tail_sampling::why::Told;

/// How many.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Probabilistic {
    /// Of a hundred traces; 0.1 is one of a thousand.
    pub sampling_percentage: f64,
    /// Chooses by the Collector's hash with this salt. Tiers with different salts choose independently of each other.
    pub hash_salt: Option<String>,
}

impl Block for Probabilistic {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        let share = self.sampling_percentage;
        if share.is_nan() {
            errors.error("sampling_percentage", "is no number", "write a percentage from 0 to 100");
        } else if share <= 0.0 {
            strictness.doubt(errors, "sampling_percentage", "keeps nothing", "write a percentage above 0, or remove the policy");
        } else if share > 100.0 {
            strictness.doubt(errors, "sampling_percentage", "is more than all", "write 100, or always_sample");
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let ratio = self.sampling_percentage / 100.0;
        match &self.hash_salt {
            Some(salt) => by_hash(ratio, salt),
            None => of_share(ratio, maker),
        }
    }
}

/// Who keeps such a share, from 0 to 1, by what the processor chooses by.
pub(in crate::tail_sampling) fn of_share(ratio: f64, maker: &mut Maker<'_>) -> Box<dyn Voter> {
    if maker.ways.hashes {
        return by_hash(ratio, "");
    }
    maker.looks.want_randomness();
    Box::new(ByRandomness { threshold: threshold(ratio) })
}

fn by_hash(ratio: f64, salt: &str) -> Box<dyn Voter> {
    let salt = if salt.is_empty() { DEFAULT_SALT } else { salt };
    Box::new(ByHash { seed: fnv(OFFSET, salt.as_bytes()), most: most(ratio) })
}

/// The vote of such a share that is another one for every trace. Four digits are as many as SDKs write.
pub(super) fn by_chance(ratio: f64, trace: &Facts<'_>, hashes: bool) -> Vote {
    if hashes {
        return ByHash { seed: fnv(OFFSET, DEFAULT_SALT.as_bytes()), most: most(ratio) }.vote(trace);
    }
    let threshold = Threshold::of(ratio, 4);
    trace.tell(Told::Threshold(threshold.bits()));
    ByRandomness { threshold }.vote(trace)
}

/// By the randomness that everybody agrees on.
struct ByRandomness {
    threshold: Threshold,
}

impl Voter for ByRandomness {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        trace.tell(Told::Randomness(trace.randomness().bits()));
        if self.threshold.keeps(trace.randomness()) {
            Vote::KEEP.by(Chance::Known(self.threshold))
        } else {
            Vote::REFUSE.by(Chance::Unknown)
        }
    }
}

/// By the hash of the Collector's policy.
struct ByHash {
    seed: u64,
    most: u64,
}

impl Voter for ByHash {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let TraceId(id) = trace.id();
        Vote::keep_if(fnv(self.seed, &id) <= self.most).by(Chance::Unknown)
    }
}

/// To the last digit, since the Collector writes as many.
fn threshold(ratio: f64) -> Threshold {
    Threshold::of(ratio, 14)
}

/// The largest hash that is kept, to the last bit as the Collector works it out: (2⁶⁴ − 1) × ratio, rounded to 64 significant bits, half to
/// even, and then cut.
fn most(ratio: f64) -> u64 {
    if ratio >= 1.0 {
        return u64::MAX;
    }
    if ratio <= 0.0 || ratio.is_nan() {
        return 0;
    }
    // A ratio below 1 is `digits` × 2^−`places`, exactly.
    let bits = ratio.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    let (digits, places) = if exponent == 0 { (fraction, 1074) } else { (fraction | 1 << 52, 1075 - exponent) };
    let product = u128::from(digits) * u128::from(u64::MAX);
    let beyond = (128 - product.leading_zeros()).saturating_sub(64);
    let (kept, cut) = (product >> beyond, product & ((1 << beyond) - 1));
    let half = 1u128 << beyond >> 1;
    let is_up = beyond > 0 && (cut > half || cut == half && kept & 1 == 1);
    let rounded = (kept + u128::from(is_up)) << beyond;
    u64::try_from(rounded.checked_shr(u32::try_from(places).unwrap_or(u32::MAX)).unwrap_or(0)).unwrap_or(u64::MAX)
}

const DEFAULT_SALT: &str = "default-hash-seed";
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a with 64 bits, going on from a state.
pub(in crate::tail_sampling) fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_the_collectors_to_the_last_bit() {
        for (percentage, of_hash, of_randomness) in [
            (0.1, 18_446_744_073_709_551, "ffbe76c8b43958"),
            (1.0, 184_467_440_737_095_519, "fd70a3d70a3d71"),
            (10.0, 1_844_674_407_370_955_263, "e6666666666666"),
            (25.0, 4_611_686_018_427_387_903, "c"),
            (33.3, 6_142_765_776_545_279_999, "aac083126e979"),
            (40.0, 7_378_697_629_483_821_055, "99999999999998"),
            (50.0, 9_223_372_036_854_775_807, "8"),
            (99.9, 18_428_297_329_635_844_095, "004189374bc6a"),
        ] {
            assert_eq!(most(percentage / 100.0), of_hash, "{percentage} %");
            assert_eq!(threshold(percentage / 100.0).to_string(), of_randomness, "{percentage} %");
        }
        assert_eq!((most(1.5), most(1.0), most(0.0), most(-1.0)), (u64::MAX, u64::MAX, 0, 0));
        assert_eq!((most(f64::MIN_POSITIVE), most(5e-324)), (0, 0));
        assert_eq!((threshold(1.0), threshold(0.0), threshold(1e-18)), (Threshold::ALWAYS, Threshold::NEVER, Threshold::NEVER));
    }

    #[test]
    fn hashes_are_the_collectors() {
        for (salt, id, hash) in [
            ("default-hash-seed", 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128, 15_838_989_281_584_434_349),
            ("default-hash-seed", 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, 3_728_843_964_641_534_796),
            ("default-hash-seed", 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 11_908_981_664_384_643_253),
            ("custom-salt", 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, 6_761_969_923_769_375_028),
            ("custom-salt", u128::MAX, 13_563_950_656_682_474_197),
        ] {
            assert_eq!(fnv(fnv(OFFSET, salt.as_bytes()), &id.to_be_bytes()), hash, "{salt}");
        }
    }
}
