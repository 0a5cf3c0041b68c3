//! MurmurHash3 without a seed, as Austin Appleby put it into the public domain.

/// The variant of 32 bits.
pub(super) fn of_32(bytes: &[u8]) -> u32 {
    let scramble = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for word in words {
        hash ^= scramble(u32::from_le_bytes(*word));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    hash ^= scramble(u32::from_le_bytes(last));
    #[expect(clippy::cast_possible_truncation, reason = "the length enters modulo the width")]
    let length = bytes.len() as u32;
    hash ^= length;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

const FIRST: u64 = 0x87c3_7b91_1142_53d5;
const SECOND: u64 = 0x4cf5_ad43_2745_937f;

/// The variant of 128 bits for machines of 64, both halves.
pub(super) fn of_128(bytes: &[u8]) -> (u64, u64) {
    let scramble_first = |word: u64| word.wrapping_mul(FIRST).rotate_left(31).wrapping_mul(SECOND);
    let scramble_second = |word: u64| word.wrapping_mul(SECOND).rotate_left(33).wrapping_mul(FIRST);
    let (blocks, rest) = bytes.as_chunks::<16>();
    let (mut low, mut high) = (0_u64, 0_u64);
    for block in blocks {
        let (first, second) = halves(block);
        low ^= scramble_first(first);
        low = low.rotate_left(27).wrapping_add(high).wrapping_mul(5).wrapping_add(0x52dc_e729);
        high ^= scramble_second(second);
        high = high.rotate_left(31).wrapping_add(low).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    let (first, second) = halves(&last);
    high ^= scramble_second(second);
    low ^= scramble_first(first);
    low ^= bytes.len() as u64;
    high ^= bytes.len() as u64;
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    low = mixed(low);
    high = mixed(high);
    low = low.wrapping_add(high);
    (low, high.wrapping_add(low))
}

fn halves(block: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*block);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    let low = both as u64;
    (low, (both >> 64) as u64)
}

fn mixed(mut half: u64) -> u64 {
    half = (half ^ (half >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    half = (half ^ (half >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    half ^ (half >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the reference implementation.
    #[test]
    fn hashes_are_the_known_ones() {
        for (text, hash) in [("", 0), ("hello", 0x248b_fa47), ("Hello World", 0x1976_83ce), ("abc", 0xb3dd_93fa)] {
            assert_eq!(of_32(text.as_bytes()), hash, "{text}");
        }
        assert_eq!(of_128(b""), (0, 0));
        assert_eq!(of_128(b"hello"), (0xcbd8_a7b3_41bd_9b02, 0x5b1e_906a_48ae_1d19));
        assert_eq!(of_128(b"0123456789abcdef"), (0x4be0_6d94_cf4a_d1a7, 0x87c3_5b5c_63a7_08da));
        assert_eq!(of_128(b"0123456789abcde"), (0xa62d_d5f6_c0bf_2351, 0x4fcc_f50c_7c54_4cf0));
    }
}
