//! Values inside values inside values: cheap for a sender, deadly for a reader that recurses.

use super::tree::put_varint;

/// What is put into itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// A list in a list.
    List,
    /// A map in a map.
    Map,
    /// An unknown group in an unknown group, in the value.
    Group,
}

/// An `AnyValue` with so many levels: a list in a list in a list, and in the innermost a truth. 5,000 levels take some 34 KB.
pub fn nested(levels: usize, how: Nesting) -> Vec<u8> {
    if how == Nesting::Group {
        return [[0xa3, 0x06].repeat(levels), [0xa4, 0x06].repeat(levels)].concat();
    }
    let mut inside_out = vec![1, 2 << 3];
    for _ in 0..levels {
        match how {
            Nesting::List => wrap(1, &mut inside_out),
            _ => {
                wrap(2, &mut inside_out);
                wrap(1, &mut inside_out);
            }
        }
        wrap(if how == Nesting::List { 5 } else { 6 }, &mut inside_out);
    }
    inside_out.reverse();
    inside_out
}

/// A request of one valid span, of trace 1 and with id 1, whose only attribute is nested so deep.
pub fn nested_in_span(levels: usize, how: Nesting) -> Vec<u8> {
    let mut inside_out = nested(levels, how);
    inside_out.reverse();
    wrap(2, &mut inside_out);
    wrap(9, &mut inside_out);
    put_front(&[&[0x0a, 16][..], &1_u128.to_be_bytes(), &[0x12, 8], &1_u64.to_be_bytes()].concat(), &mut inside_out);
    for number in [2, 2, 1] {
        wrap(number, &mut inside_out);
    }
    inside_out.reverse();
    inside_out
}

/// Makes what is there the body of a field, written backwards so that nothing has to move.
fn wrap(number: u64, inside_out: &mut Vec<u8>) {
    let mut front = Vec::new();
    put_varint(number << 3 | 2, 0, &mut front);
    put_varint(inside_out.len() as u64, 0, &mut front);
    put_front(&front, inside_out);
}

fn put_front(front: &[u8], inside_out: &mut Vec<u8>) {
    inside_out.extend(front.iter().rev());
}
