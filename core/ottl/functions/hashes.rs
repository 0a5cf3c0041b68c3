//! Hashes of text.

use ring::digest;
use twox_hash::{XxHash3_64, XxHash3_128};

use super::given::text;
use super::{Arguments, Converter, Parameter, Refusal, Run, Takes, murmur3};
use crate::ottl::text::hex;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[FNV, MD5, MURMUR3_HASH, MURMUR3_HASH128, SHA1, SHA256, SHA512, XXH128, XXH3];

/// `FNV("a")`: FNV-1a of 64 bits, as a whole number that may be negative.
const FNV: Converter = Converter {
    name: "FNV",
    parameters: TARGET,
    gives: Type::Int,
    make: |_| {
        Ok(Run::values(|values| {
            let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            Ok(Value::Int(text(values, 0).bytes().fold(0xcbf2_9ce4_8422_2325, step).cast_signed()))
        }))
    },
};

const MD5: Converter = in_hex("MD5", |_| of_bytes(|bytes| hex(&md5::compute(bytes).0)));
const MURMUR3_HASH: Converter = in_hex("Murmur3Hash", |_| of_bytes(|bytes| hex(&murmur3::of_32(bytes).to_le_bytes())));
const MURMUR3_HASH128: Converter = in_hex("Murmur3Hash128", |_| {
    of_bytes(|bytes| {
        let (low, high) = murmur3::of_128(bytes);
        hex(&low.to_le_bytes()) + &hex(&high.to_le_bytes())
    })
});
const SHA1: Converter = in_hex("SHA1", |_| of_bytes(|bytes| hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())));
const SHA256: Converter = in_hex("SHA256", |_| of_bytes(|bytes| hex(digest::digest(&digest::SHA256, bytes).as_ref())));
const SHA512: Converter = in_hex("SHA512", |_| of_bytes(|bytes| hex(digest::digest(&digest::SHA512, bytes).as_ref())));
const XXH128: Converter = in_hex("XXH128", |_| of_bytes(|bytes| hex(&XxHash3_128::oneshot(bytes).to_be_bytes())));
const XXH3: Converter = in_hex("XXH3", |_| of_bytes(|bytes| hex(&XxHash3_64::oneshot(bytes).to_be_bytes())));

const TARGET: &[Parameter] = &[Parameter::needed("target", Takes::String)];

const fn in_hex(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: TARGET, gives: Type::String, make }
}

fn of_bytes(work: fn(&[u8]) -> String) -> Result<Run, Refusal> {
    Ok(Run::values(move |values| Ok(Value::from(work(text(values, 0).as_bytes())))))
}
