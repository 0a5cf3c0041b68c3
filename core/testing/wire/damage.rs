//! Bytes that no sender should send.

use super::super::dice::Dice;
use super::Message;
use super::schema::{Kind, Table, table};
use super::tree::{put_varint, take_varint};

/// One way to break bytes. Not every break is seen: a flipped bit in a text is another text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Damage {
    /// One bit is another.
    FlipBit,
    /// One byte is another.
    ChangeByte,
    /// The end is missing.
    Truncate,
    /// A piece in the middle is missing.
    Cut,
    /// A piece is there twice.
    Repeat,
    /// Arbitrary bytes stand in the middle.
    Insert,
    /// A length says a little less or more than there is.
    LengthOff,
    /// A length says far more than there is, up to 2^64 - 1.
    LengthHuge,
    /// A known field has a wire type that is not its own, the two that do not exist among them.
    WrongWireType,
    /// A field has number 0.
    FieldZero,
    /// A number goes on for more than ten bytes.
    EndlessVarint,
    /// A group ends that never began, or begins and never ends.
    OpenGroup,
    /// A text is not UTF-8.
    BadUtf8,
}

impl Damage {
    /// All of them.
    pub const ALL: [Damage; 13] = [
        Damage::FlipBit,
        Damage::ChangeByte,
        Damage::Truncate,
        Damage::Cut,
        Damage::Repeat,
        Damage::Insert,
        Damage::LengthOff,
        Damage::LengthHuge,
        Damage::WrongWireType,
        Damage::FieldZero,
        Damage::EndlessVarint,
        Damage::OpenGroup,
        Damage::BadUtf8,
    ];
}

/// The bytes, which must be as prost writes them, broken in one way that the seed chooses.
pub fn damage(message: Message, bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let kind = Damage::ALL[dice.below(Damage::ALL.len())];
    damage_by(kind, message, bytes, dice.roll())
}

/// The bytes broken in this way, at a place that the seed chooses. Where there is no such place they stay as they are.
///
/// Lengths of the messages around a change are not mended: what is inserted or cut shifts everything behind it.
pub fn damage_by(kind: Damage, message: Message, bytes: &[u8], seed: u64) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let dice = &mut Dice::new(seed);
    let places = Places::of(table(message), bytes);
    match kind {
        Damage::FlipBit => change_byte(bytes, dice, |byte, dice| byte ^ 1 << dice.below(8)),
        Damage::ChangeByte => change_byte(bytes, dice, |byte, dice| byte.wrapping_add(dice.between(1, 255) as u8)),
        Damage::Truncate => bytes[..dice.below(bytes.len())].to_vec(),
        Damage::Cut => splice(bytes, piece(bytes, dice), &[]),
        Damage::Repeat => {
            let piece = piece(bytes, dice);
            splice(bytes, piece.end..piece.end, &bytes[piece.clone()])
        }
        Damage::Insert => {
            let at = dice.below(bytes.len() + 1);
            let length = 1 + dice.below(16);
            splice(bytes, at..at, &dice.bytes(length))
        }
        Damage::LengthOff => relength(bytes, &places, dice, |length, dice| match dice.percent(50) {
            true => length + dice.between(1, 20),
            false => length.saturating_sub(dice.between(1, 20)),
        }),
        Damage::LengthHuge => relength(bytes, &places, dice, |_, dice| u64::MAX >> dice.below(40)),
        Damage::WrongWireType => retag(bytes, &places, dice, |tag, dice| tag ^ dice.between(1, 7)),
        Damage::FieldZero => retag(bytes, &places, dice, |tag, _| tag & 7),
        Damage::EndlessVarint => insert_before_tag(bytes, &places, dice, &[0xff; 12]),
        Damage::OpenGroup => {
            let tag = [0xa3 + dice.below(2) as u8, 0x06];
            insert_before_tag(bytes, &places, dice, &tag)
        }
        Damage::BadUtf8 => spoil_text(bytes, &places, dice),
    }
}

/// Where in the bytes the tags, lengths and texts begin, all levels of messages together.
#[derive(Default)]
struct Places {
    tags: Vec<usize>,
    lengths: Vec<usize>,
    texts: Vec<std::ops::Range<usize>>,
}

impl Places {
    fn of(table: &'static Table, bytes: &[u8]) -> Self {
        let mut places = Self::default();
        places.walk(table, bytes, 0..bytes.len());
        places
    }

    fn walk(&mut self, table: &'static Table, bytes: &[u8], message: std::ops::Range<usize>) {
        let mut at = message.start;
        while at < message.end {
            self.tags.push(at);
            let tag = varint_at(bytes, &mut at);
            match tag & 7 {
                0 => _ = varint_at(bytes, &mut at),
                1 => at += 8,
                5 => at += 4,
                _ => {
                    self.lengths.push(at);
                    let length = varint_at(bytes, &mut at) as usize;
                    self.delimited(table, bytes, (tag >> 3) as u32, at..at + length);
                    at += length;
                }
            }
        }
    }

    fn delimited(&mut self, table: &'static Table, bytes: &[u8], number: u32, body: std::ops::Range<usize>) {
        match table.field(number).map(|field| field.kind) {
            Some(Kind::Message(table)) => self.walk(table, bytes, body),
            Some(Kind::Bytes) if !body.is_empty() => self.texts.push(body),
            _ => {}
        }
    }
}

fn varint_at(bytes: &[u8], at: &mut usize) -> u64 {
    let mut rest = &bytes[*at..];
    let before = rest.len();
    let value = take_varint(&mut rest);
    *at += before - rest.len();
    value
}

fn splice(bytes: &[u8], range: std::ops::Range<usize>, new: &[u8]) -> Vec<u8> {
    [&bytes[..range.start], new, &bytes[range.end..]].concat()
}

fn piece(bytes: &[u8], dice: &mut Dice) -> std::ops::Range<usize> {
    let start = dice.below(bytes.len());
    start..start + 1 + dice.below((bytes.len() - start).min(64))
}

fn change_byte(bytes: &[u8], dice: &mut Dice, change: impl Fn(u8, &mut Dice) -> u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = dice.below(bytes.len());
    bytes[at] = change(bytes[at], dice);
    bytes
}

/// Writes another number over one that is there.
fn renumber(bytes: &[u8], at: usize, change: impl FnOnce(u64) -> u64) -> Vec<u8> {
    let mut end = at;
    let old = varint_at(bytes, &mut end);
    let mut new = Vec::new();
    put_varint(change(old), 0, &mut new);
    splice(bytes, at..end, &new)
}

fn relength(bytes: &[u8], places: &Places, dice: &mut Dice, change: impl Fn(u64, &mut Dice) -> u64) -> Vec<u8> {
    match places.lengths.get(dice.below(places.lengths.len())) {
        Some(&at) => renumber(bytes, at, |length| change(length, dice)),
        None => bytes.to_vec(),
    }
}

fn retag(bytes: &[u8], places: &Places, dice: &mut Dice, change: impl Fn(u64, &mut Dice) -> u64) -> Vec<u8> {
    let at = places.tags[dice.below(places.tags.len())];
    renumber(bytes, at, |tag| change(tag, dice))
}

fn insert_before_tag(bytes: &[u8], places: &Places, dice: &mut Dice, new: &[u8]) -> Vec<u8> {
    let at = places.tags[dice.below(places.tags.len())];
    splice(bytes, at..at, new)
}

fn spoil_text(bytes: &[u8], places: &Places, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(text) = places.texts.get(dice.below(places.texts.len())) {
        bytes[text.start + dice.below(text.len())] = 0xff;
    }
    bytes
}
