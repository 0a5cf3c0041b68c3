//! The freedoms that protobuf gives a sender, each of them a reason why a reader that was only tried on one encoder is wrong.

use super::super::dice::Dice;
use super::Message;
use super::schema::{Kind, Label, Table, table};
use super::tree::{Content, Node, read, write};

/// One thing that a sender may do without changing what a message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Freedom {
    /// Fields in any order (those of one number, and those of one `oneof`, among themselves in the order they had).
    AnyOrder,
    /// A message that may occur once in several parts, which a reader merges.
    SplitMessages,
    /// A value that may occur once several times, of which the last counts.
    Overwritten,
    /// A default value written out instead of left out.
    WrittenDefaults,
    /// Numbers, tags and lengths in more bytes than they need.
    LongVarints,
    /// 32-bit numbers with bits above the 32nd, and truths other than 1.
    WideNumbers,
    /// Lists of numbers one by one, or in several packed parts, or both.
    Unpacked,
    /// Fields of numbers that nobody knows, of every wire type, groups among them.
    UnknownFields,
}

impl Freedom {
    /// All of them.
    pub const ALL: [Freedom; 8] = [
        Freedom::AnyOrder,
        Freedom::SplitMessages,
        Freedom::Overwritten,
        Freedom::WrittenDefaults,
        Freedom::LongVarints,
        Freedom::WideNumbers,
        Freedom::Unpacked,
        Freedom::UnknownFields,
    ];
}

/// What to do to the bytes: which freedoms are taken, how often (in percent of the places where each could be), and the seed of the choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The freedoms taken.
    pub freedoms: Vec<Freedom>,
    /// How many of 100 places are changed.
    pub percent: u32,
    /// Other places, other values.
    pub seed: u64,
}

impl Rewrite {
    /// All freedoms, each in a fifth of the places.
    pub fn all(seed: u64) -> Self {
        Self { freedoms: Freedom::ALL.to_vec(), percent: 20, seed }
    }

    /// One freedom, in half of the places.
    pub fn only(freedom: Freedom, seed: u64) -> Self {
        Self { freedoms: vec![freedom], percent: 50, seed }
    }
}

/// Other bytes that mean the same as these, which must be as prost writes them: prost decodes both to equal structs.
pub fn rewrite(message: Message, bytes: &[u8], how: &Rewrite) -> Vec<u8> {
    let mut writer = Writer { how, dice: Dice::new(how.seed) };
    let table = table(message);
    let nodes = writer.message(table, read(table, bytes), 0);
    let mut out = Vec::with_capacity(2 * bytes.len());
    write(&nodes, &mut || if writer.takes(Freedom::LongVarints) { 1 + writer.dice.below(9) } else { 0 }, &mut out);
    out
}

struct Writer<'a> {
    how: &'a Rewrite,
    dice: Dice,
}

impl Writer<'_> {
    fn takes(&mut self, freedom: Freedom) -> bool {
        self.how.freedoms.contains(&freedom) && self.dice.percent(self.how.percent)
    }

    /// Children first, then the message's own fields, one freedom after the other.
    fn message(&mut self, table: &'static Table, nodes: Vec<Node>, depth: usize) -> Vec<Node> {
        let mut nodes: Vec<Node> = nodes.into_iter().flat_map(|node| self.field(table, node, depth)).collect();
        self.write_defaults(table, &mut nodes);
        if self.takes(Freedom::AnyOrder) {
            self.shuffle(table, &mut nodes);
        }
        while self.takes(Freedom::UnknownFields) {
            let at = self.dice.below(nodes.len() + 1);
            nodes.insert(at, self.unknown(table, depth));
        }
        nodes
    }

    /// What one field becomes: itself, its parts, or itself with values before it that do not count.
    fn field(&mut self, table: &'static Table, node: Node, depth: usize) -> Vec<Node> {
        let Some(field) = table.field(node.number) else { return vec![node] };
        let number = node.number;
        match node.content {
            Content::Message(inner, nodes) => {
                let nodes = self.message(inner, nodes, depth + 1);
                match field.label {
                    Label::Repeated => vec![Node { number, content: Content::Message(inner, nodes) }],
                    Label::OneOf => [self.rivals(table, number), self.split(number, inner, nodes)].concat(),
                    _ => self.split(number, inner, nodes),
                }
            }
            Content::Packed(scalars) => self.unpack(number, scalars),
            content => {
                let content = self.widen(field.kind, content);
                let mut nodes = if field.label == Label::OneOf { self.rivals(table, number) } else { Vec::new() };
                while field.label != Label::Repeated && self.takes(Freedom::Overwritten) {
                    nodes.push(Node { number, content: self.other_value(&content) });
                }
                nodes.push(Node { number, content });
                nodes
            }
        }
    }

    /// Other members of the `oneof` than the one that is meant, which comes later and counts.
    fn rivals(&mut self, table: &'static Table, meant: u32) -> Vec<Node> {
        let others: Vec<_> = table.fields.iter().filter(|field| field.label == Label::OneOf && field.number != meant).collect();
        let mut rivals = Vec::new();
        while self.takes(Freedom::Overwritten) {
            let other = others[self.dice.below(others.len())];
            let content = match other.kind {
                Kind::Message(table) => Content::Message(table, Vec::new()),
                Kind::Fixed64 => self.other_value(&Content::Fixed64([0; 8])),
                Kind::Fixed32 => self.other_value(&Content::Fixed32([0; 4])),
                Kind::Bytes => self.other_value(&Content::Bytes(Vec::new())),
                Kind::Int64 | Kind::Int32 | Kind::Bool => self.other_value(&Content::Varint(0)),
            };
            rivals.push(Node { number: other.number, content });
        }
        rivals
    }

    fn split(&mut self, number: u32, table: &'static Table, mut nodes: Vec<Node>) -> Vec<Node> {
        let mut parts = Vec::new();
        while self.takes(Freedom::SplitMessages) {
            let rest = nodes.split_off(self.dice.below(nodes.len() + 1));
            parts.push(Node { number, content: Content::Message(table, std::mem::replace(&mut nodes, rest)) });
        }
        parts.push(Node { number, content: Content::Message(table, nodes) });
        parts
    }

    fn unpack(&mut self, number: u32, scalars: Vec<Content>) -> Vec<Node> {
        if !self.takes(Freedom::Unpacked) {
            return vec![Node { number, content: Content::Packed(scalars) }];
        }
        let mut nodes = Vec::new();
        let mut scalars = scalars.into_iter().peekable();
        while scalars.peek().is_some() {
            if self.dice.percent(50) {
                nodes.extend(scalars.next().map(|content| Node { number, content }));
            } else {
                let some = 1 + self.dice.below(3);
                nodes.push(Node { number, content: Content::Packed(scalars.by_ref().take(some).collect()) });
            }
        }
        nodes
    }

    fn widen(&mut self, kind: Kind, content: Content) -> Content {
        match (kind, content) {
            (Kind::Int32, Content::Varint(value)) if self.takes(Freedom::WideNumbers) => {
                Content::Varint((value & 0xffff_ffff) | (self.dice.roll() << 32))
            }
            (Kind::Bool, Content::Varint(value)) if value != 0 && self.takes(Freedom::WideNumbers) => {
                Content::Varint(self.dice.between(1, u64::MAX - 1))
            }
            (_, content) => content,
        }
    }

    /// A value of the same type, to be overwritten by the right one that follows.
    fn other_value(&mut self, content: &Content) -> Content {
        match content {
            Content::Varint(_) => Content::Varint(self.dice.roll() >> self.dice.below(64)),
            Content::Fixed64(_) => Content::Fixed64(self.dice.roll().to_le_bytes()),
            Content::Fixed32(_) => Content::Fixed32((self.dice.roll() as u32).to_le_bytes()),
            _ => Content::Bytes(self.text()),
        }
    }

    /// ASCII, since the field may be one of text.
    fn text(&mut self) -> Vec<u8> {
        let length = self.dice.below(24);
        (0..length).map(|_| b'a' + self.dice.below(26) as u8).collect()
    }

    fn write_defaults(&mut self, table: &'static Table, nodes: &mut Vec<Node>) {
        for field in table.fields.iter().filter(|field| field.label == Label::Single) {
            if nodes.iter().any(|node| node.number == field.number) {
                continue;
            }
            let content = match field.kind {
                Kind::Int64 | Kind::Int32 | Kind::Bool => Content::Varint(0),
                Kind::Fixed64 => Content::Fixed64([0; 8]),
                Kind::Fixed32 => Content::Fixed32([0; 4]),
                Kind::Bytes => Content::Bytes(Vec::new()),
                Kind::Message(_) => continue,
            };
            if self.takes(Freedom::WrittenDefaults) {
                nodes.push(Node { number: field.number, content });
            }
        }
    }

    /// Any order in which fields of one number, and the members of a `oneof`, still follow each other as they did.
    fn shuffle(&mut self, table: &'static Table, nodes: &mut Vec<Node>) {
        let key = |node: &Node| match table.field(node.number) {
            Some(field) if field.label == Label::OneOf => 0,
            _ => node.number,
        };
        let mut keys: Vec<u32> = nodes.iter().map(key).collect();
        for last in (1..keys.len()).rev() {
            keys.swap(last, self.dice.below(last + 1));
        }
        let mut left = std::mem::take(nodes);
        for wanted in keys {
            let at = left.iter().position(|node| key(node) == wanted);
            nodes.extend(at.map(|at| left.remove(at)));
        }
    }

    fn unknown(&mut self, table: &'static Table, depth: usize) -> Node {
        let number = self.unknown_number(table);
        let content = match self.dice.below(if depth > 20 { 4 } else { 5 }) {
            0 => Content::Varint(self.dice.roll() >> self.dice.below(64)),
            1 => Content::Fixed64(self.dice.roll().to_le_bytes()),
            2 => Content::Fixed32((self.dice.roll() as u32).to_le_bytes()),
            3 => {
                let length = self.dice.below(40);
                Content::Bytes(self.dice.bytes(length))
            }
            _ => Content::Group((0..self.dice.below(3)).map(|_| self.unknown(table, depth + 1)).collect()),
        };
        Node { number, content }
    }

    /// Small numbers that the message leaves free, and large ones up to the largest there is.
    fn unknown_number(&mut self, table: &'static Table) -> u32 {
        loop {
            let number = match self.dice.below(3) {
                0 => self.dice.between(1, 30),
                1 => self.dice.between(31, 5_000),
                _ => self.dice.between(5_001, (1 << 29) - 1),
            } as u32;
            if table.field(number).is_none() {
                return number;
            }
        }
    }
}
