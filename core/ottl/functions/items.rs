//! Converters that look at more than their arguments: the item, the time, chance.

use ring::rand::{SecureRandom, SystemRandom};

use super::{Converter, Run};
use crate::ottl::problem::EvalError;
use crate::ottl::text::hex;
use crate::ottl::value::{Type, Value};
use crate::telemetry::ItemKind;

pub(super) const CONVERTERS: &[Converter] = &[IS_ROOT_SPAN, UUID, UUIDV7];

/// `IsRootSpan()`: whether a span has no parent.
const IS_ROOT_SPAN: Converter = Converter {
    name: "IsRootSpan",
    parameters: &[],
    gives: Type::Bool,
    make: |_| {
        Ok(Run::scene(|scene, _| match scene.item().filter(|item| item.kind() == ItemKind::Span) {
            Some(span) => Ok(Value::Bool(span.parent_span_id().is_none())),
            None => Err(EvalError::because("only spans have a root")),
        }))
    },
};

/// `UUID()`: a new one, by chance.
const UUID: Converter = Converter {
    name: "UUID",
    parameters: &[],
    gives: Type::String,
    make: |_| {
        let chance = SystemRandom::new();
        Ok(Run::scene(move |_, _| Ok(Value::from(uuid(dice(&chance)?, 4)))))
    },
};

/// `UUIDv7()`: a new one, which begins with the time.
const UUIDV7: Converter = Converter {
    name: "UUIDv7",
    parameters: &[],
    gives: Type::String,
    make: |_| {
        let chance = SystemRandom::new();
        Ok(Run::scene(move |scene, _| {
            let mut bytes = dice(&chance)?;
            let millis = scene.clock().now().0 / 1_000_000;
            bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
            Ok(Value::from(uuid(bytes, 7)))
        }))
    },
};

fn dice(chance: &SystemRandom) -> Result<[u8; 16], EvalError> {
    let mut bytes = [0; 16];
    chance.fill(&mut bytes).map_err(|_| EvalError::because("the system has no chance to give"))?;
    Ok(bytes)
}

/// With the marks of its version.
fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_bears_its_version() {
        assert_eq!(uuid([0xff; 16], 4), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16], 7), "00000000-0000-7000-8000-000000000000");
    }
}
