//! Which of some literals stand in a text: of most texts, three letters at a time tell that none of them does.
//!
//! A gram is three bytes with five bits left of each, so that letters lose their case. Every other place of a text is looked up in a table of all grams that matter. A literal
//! of four bytes or more has two grams side by side, of which one is looked up wherever it stands; of one of three bytes, two are in the
//! table with whatever may stand beside them. Where a gram matters the literals themselves are compared.

/// Literals, each with the rules that need it.
pub(super) struct Grams {
    /// By gram, whether it matters, and as a number the bucket of those that stand for it; many share the last.
    matter: Box<[u8; ALL]>,
    buckets: Vec<Vec<Anchor>>,
    literals: Vec<Literal>,
}

struct Literal {
    text: Box<[u8]>,
    rules: u128,
}

/// A gram of a literal.
struct Anchor {
    gram: u16,
    /// How many bytes before the literal's begin is one for a byte that may be any.
    at: usize,
    literal: usize,
}

const ALL: usize = 1 << 15;
/// Shorter literals tell nothing.
pub(super) const SHORTEST: usize = 3;
/// The low five bits of every other byte.
const EVEN: u64 = 0x001f_001f_001f_001f;
/// Those of the others, three bits lower.
const ODD: u64 = 0x03e0_03e0_03e0_03e0;

/// The grams that begin at the first, third and fifth byte of eight, in sixteen bits each.
#[inline(always)]
fn three(eight: u64) -> u64 {
    let even = eight & EVEN;
    even | (eight >> 3) & ODD | even >> 6
}

/// The gram of three bytes.
fn gram(bytes: [u8; 3]) -> u16 {
    let [a, b, c] = bytes;
    three(u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0])) as u16
}

impl Grams {
    pub(super) fn new() -> Self {
        let matter = vec![0; ALL].into_boxed_slice().try_into().unwrap_or_else(|_| Box::new([0; ALL]));
        Self { matter, buckets: vec![Vec::new()], literals: Vec::new() }
    }

    /// One more literal, which these rules need.
    pub(super) fn add(&mut self, text: &[u8], rules: u128) {
        if let Some(known) = self.literals.iter_mut().find(|known| known.text.eq_ignore_ascii_case(text)) {
            known.rules |= rules;
            return;
        }
        let literal = self.literals.len();
        self.literals.push(Literal { text: text.into(), rules });
        let at = rarest(text);
        self.anchor([text[at], text[at + 1], text[at + 2]], at + 1, literal);
        match text.get(at + 3) {
            Some(next) => self.anchor([text[at + 1], text[at + 2], *next], at + 2, literal),
            None if rarity(text[0]) > rarity(text[2]) => (0..32).for_each(|any| self.anchor([any, text[0], text[1]], 0, literal)),
            None => (0..32).for_each(|any| self.anchor([text[1], text[2], any], 2, literal)),
        }
    }

    fn anchor(&mut self, bytes: [u8; 3], at: usize, literal: usize) {
        let gram = gram(bytes);
        let bucket = &mut self.matter[usize::from(gram)];
        if *bucket == 0 {
            *bucket = u8::try_from(self.buckets.len()).unwrap_or(u8::MAX);
            if *bucket != u8::MAX || self.buckets.len() == usize::from(u8::MAX) {
                self.buckets.push(Vec::new());
            }
        }
        self.buckets[usize::from(*bucket)].push(Anchor { gram, at, literal });
    }

    /// Whether one of the grams that begin at the first, third and fifth byte of eight matters.
    #[inline(always)]
    pub(super) fn matter(&self, eight: u64) -> bool {
        let grams = three(eight);
        let of = |gram: u64| self.matter[(gram & 0x7fff) as usize];
        of(grams) | of(grams >> 16) | of(grams >> 32) != 0
    }

    /// The rules of which a literal stands in the text, with a gram that begins at this byte or two or four bytes behind it.
    #[cold]
    pub(super) fn rules(&self, text: &[u8], eight: u64, at: usize) -> u128 {
        let mut rules = 0;
        let mut grams = three(eight);
        for at in [at, at + 2, at + 4] {
            let gram = (grams & 0x7fff) as u16;
            grams >>= 16;
            for anchor in &self.buckets[usize::from(self.matter[usize::from(gram)])] {
                if anchor.gram == gram && Self::stands(&self.literals[anchor.literal].text, text, (at + 1).wrapping_sub(anchor.at)) {
                    rules |= self.literals[anchor.literal].rules;
                }
            }
        }
        rules
    }

    #[inline]
    fn stands(literal: &[u8], text: &[u8], begin: usize) -> bool {
        let there = text.get(begin..).and_then(|there| there.get(..literal.len()));
        there.is_some_and(|there| there.iter().zip(literal).all(|(there, byte)| there.eq_ignore_ascii_case(byte)))
    }
}

/// How seldom telemetry has a byte that has these five bits: `0` to `9` share theirs with `p` to `y`, `-`, `.` and `/` with `m`, `n` and `o`, and ids are full of them.
fn rarity(byte: u8) -> usize {
    const COMMON: &[u8] = b" etaoinsrmldcuphgfxwbvykjqz";
    let letter = byte & 0x1f | 0x60;
    let place = match letter {
        b'`' => 0,
        0x7f => COMMON.len() / 2,
        _ => COMMON.iter().position(|common| *common == letter).unwrap_or(COMMON.len()),
    };
    if (b'p'..=b'y').contains(&letter) { place.min(8) } else { place }
}

/// Where in a literal the three or, if it has them, four bytes begin that telemetry has least often.
fn rarest(literal: &[u8]) -> usize {
    let weight = |three: &[u8]| three.iter().map(|byte| rarity(*byte)).sum::<usize>();
    let four = |window: &[u8]| window.windows(SHORTEST).map(weight).min().unwrap_or(0);
    let windows = literal.windows(4.min(literal.len())).enumerate();
    windows.max_by_key(|(_, window)| four(window)).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(grams: &Grams, text: &[u8]) -> u128 {
        let eight = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| text.get(at + byte).copied().unwrap_or(0)));
        let places = (0..text.len()).step_by(6).filter(|at| grams.matter(eight(*at)));
        places.fold(0, |all, at| all | grams.rules(text, eight(at), at))
    }

    #[test]
    fn literals_are_found_wherever_they_stand() {
        let literals = ["Bearer", "eyJ", "sk-", "akia", "://", "-----begin", "0Q~"];
        let mut grams = Grams::new();
        literals.iter().enumerate().for_each(|(number, literal)| grams.add(literal.as_bytes(), 1 << number));
        for (number, literal) in literals.iter().enumerate() {
            for before in 0..12 {
                for behind in 0..9 {
                    let text = format!("{}{}{}", "\u{1}".repeat(before), literal.to_uppercase(), " ".repeat(behind));
                    assert_eq!(rules(&grams, text.as_bytes()), 1 << number, "{text}");
                }
            }
        }
        for other in ["", "b", "be arer", "the key of it", "a:/b", "----begin"] {
            assert_eq!(rules(&grams, other.as_bytes()), 0, "{other}");
        }
    }

    #[test]
    fn one_literal_of_several_rules_is_one() {
        let mut grams = Grams::new();
        grams.add(b"token=", 1);
        grams.add(b"TOKEN=", 2);
        assert_eq!(rules(&grams, b"a token=b"), 3);
        assert_eq!(grams.literals.len(), 1);
    }
}
