//! Encoded bytes as a tree of fields, and the tree as bytes again.

use super::schema::{Kind, Label, Table};

/// One field as it lies on the wire.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) number: u32,
    pub(super) content: Content,
}

/// What follows a field's tag.
#[derive(Clone)]
pub(super) enum Content {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Vec<u8>),
    Message(&'static Table, Vec<Node>),
    /// Several scalars in one field.
    Packed(Vec<Content>),
    /// The fields between a start and an end tag.
    Group(Vec<Node>),
}

impl Content {
    pub(super) fn wire_type(&self) -> u32 {
        match self {
            Content::Varint(_) => 0,
            Content::Fixed64(_) => 1,
            Content::Bytes(_) | Content::Message(..) | Content::Packed(_) => 2,
            Content::Group(_) => 3,
            Content::Fixed32(_) => 5,
        }
    }
}

/// Reads what prost wrote. Anything else is a mistake of the test that calls it, hence the panics.
pub(super) fn read(table: &'static Table, mut bytes: &[u8]) -> Vec<Node> {
    let mut nodes = Vec::new();
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes);
        let number = u32::try_from(tag >> 3).unwrap_or_else(|_| panic!("field number {} is too large", tag >> 3));
        let content = match tag & 7 {
            0 => Content::Varint(take_varint(&mut bytes)),
            1 => Content::Fixed64(take(&mut bytes)),
            5 => Content::Fixed32(take(&mut bytes)),
            2 => {
                let length = take_varint(&mut bytes) as usize;
                let (body, rest) = bytes.split_at(length);
                bytes = rest;
                delimited(table, number, body)
            }
            other => panic!("prost does not write wire type {other}"),
        };
        nodes.push(Node { number, content });
    }
    nodes
}

fn delimited(table: &'static Table, number: u32, body: &[u8]) -> Content {
    let Some(field) = table.field(number) else { return Content::Bytes(body.to_vec()) };
    match (field.label, field.kind) {
        (_, Kind::Message(table)) => Content::Message(table, read(table, body)),
        (_, Kind::Bytes) => Content::Bytes(body.to_vec()),
        (Label::Repeated, kind) => Content::Packed(unpack(kind, body)),
        _ => panic!("field {number} is a scalar and cannot have a length"),
    }
}

fn unpack(kind: Kind, mut body: &[u8]) -> Vec<Content> {
    let mut scalars = Vec::new();
    while !body.is_empty() {
        scalars.push(match kind {
            Kind::Fixed64 => Content::Fixed64(take(&mut body)),
            Kind::Fixed32 => Content::Fixed32(take(&mut body)),
            _ => Content::Varint(take_varint(&mut body)),
        });
    }
    scalars
}

pub(super) fn take_varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let [byte] = take::<1>(bytes);
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number of more than ten bytes")
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, rest) = bytes.split_first_chunk().unwrap_or_else(|| panic!("the bytes end in the middle of a field"));
    *bytes = rest;
    *head
}

/// How a number is written: the shortest way, or in more bytes than it needs.
pub(super) type Padding<'a> = dyn FnMut() -> usize + 'a;

/// Writes the fields. `padding` is asked, for every number written, how many bytes more than needed it shall take.
pub(super) fn write(nodes: &[Node], padding: &mut Padding<'_>, out: &mut Vec<u8>) {
    for node in nodes {
        let tag = node.number << 3;
        put_varint((tag | node.content.wire_type()).into(), padding(), out);
        write_content(&node.content, padding, out);
        if matches!(node.content, Content::Group(_)) {
            put_varint((tag | 4).into(), padding(), out);
        }
    }
}

fn write_content(content: &Content, padding: &mut Padding<'_>, out: &mut Vec<u8>) {
    match content {
        Content::Varint(value) => put_varint(*value, padding(), out),
        Content::Fixed64(bytes) => out.extend_from_slice(bytes),
        Content::Fixed32(bytes) => out.extend_from_slice(bytes),
        Content::Bytes(bytes) => put_delimited(bytes, padding, out),
        Content::Group(nodes) => write(nodes, padding, out),
        Content::Message(_, nodes) => {
            let mut body = Vec::new();
            write(nodes, padding, &mut body);
            put_delimited(&body, padding, out);
        }
        Content::Packed(scalars) => {
            let mut body = Vec::new();
            scalars.iter().for_each(|scalar| write_content(scalar, padding, &mut body));
            put_delimited(&body, padding, out);
        }
    }
}

fn put_delimited(body: &[u8], padding: &mut Padding<'_>, out: &mut Vec<u8>) {
    put_varint(body.len() as u64, padding(), out);
    out.extend_from_slice(body);
}

/// A number with `extra` bytes more than it needs, ten in all at most.
pub(super) fn put_varint(mut value: u64, extra: usize, out: &mut Vec<u8>) {
    let first = out.len();
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    for _ in 0..extra.min(10 - (out.len() - first)) {
        let last = out.len() - 1;
        out[last] |= 0x80;
        out.push(0);
    }
}
