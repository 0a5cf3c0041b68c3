//! Small tables from span id to marks, one per trace, cut from shared memory so that most traces cost no allocation of their own.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// One trace's table: a block of 8, 16, 32 ... rows. It must be given back to the [`IdTables`] that it came from.
#[derive(Debug, Default)]
pub(super) struct IdTable {
    /// The block's place; `None` before the first id.
    block: Option<Block>,
    ids: u32,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    class: u8,
    number: u32,
}

/// The blocks of all traces of a lane, by size.
///
/// One table for each trace rather than one for all: the spans of a trace come together, and a block of 16 rows is three cache lines. It
/// also goes in one step when the trace does.
#[derive(Debug, Default)]
pub(super) struct IdTables {
    classes: Vec<Class>,
    hasher: RandomState,
    /// What the blocks in use take.
    bytes: u64,
}

/// Blocks of one size.
#[derive(Debug, Default)]
struct Class {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
    in_use: usize,
}

/// Memory for several blocks, or for one large one. A row whose marks are 0 is empty.
#[derive(Debug, Default)]
struct Chunk {
    ids: Box<[u64]>,
    marks: Box<[u32]>,
}

/// Rows of the smallest block.
const SMALLEST: usize = 8;
/// Rows of a chunk, unless one block needs more.
const CHUNK: usize = 4096;
/// Bytes of a row.
const ROW: u64 = 12;

fn rows(class: u8) -> usize {
    SMALLEST << class
}

fn blocks_per_chunk(class: u8) -> usize {
    (CHUNK / rows(class)).max(1)
}

impl IdTables {
    /// The marks of an id, to be read and changed. Marks that are left 0 read as an empty row, so whoever asks for an id marks it.
    pub(super) fn marks(&mut self, table: &mut IdTable, id: u64) -> &mut u32 {
        let block = match table.block {
            Some(block) if (table.ids as usize) < rows(block.class) / 4 * 3 => block,
            Some(block) => self.grow(table, block),
            None => self.take(0),
        };
        table.block = Some(block);
        let hash = self.hasher.hash_one(id);
        let (ids, marks) = self.block_mut(block);
        let row = find_row(ids, marks, hash, id);
        if marks[row] == 0 {
            ids[row] = id;
            table.ids += 1;
        }
        &mut marks[row]
    }

    /// The marks of an id; 0 where it is unknown.
    pub(super) fn get(&self, table: &IdTable, id: u64) -> u32 {
        let Some(block) = table.block else { return 0 };
        let (ids, marks) = self.block(block);
        marks[find_row(ids, marks, self.hasher.hash_one(id), id)]
    }

    /// All ids with their marks, in no order that means anything.
    pub(super) fn iter(&self, table: &IdTable) -> impl Iterator<Item = (u64, u32)> {
        let (ids, marks) = table.block.map_or((&[][..], &[][..]), |block| self.block(block));
        ids.iter().copied().zip(marks.iter().copied()).filter(|(_, marks)| *marks != 0)
    }

    /// Takes a table back.
    pub(super) fn release(&mut self, table: IdTable) {
        if let Some(block) = table.block {
            self.give(block);
        }
    }

    /// What all tables take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn grow(&mut self, table: &IdTable, block: Block) -> Block {
        let larger = self.take(block.class + 1);
        // Both are in chunks of different classes, but the borrow checker sees one `self`: the old rows are copied out, and this is rare.
        let old: Vec<(u64, u32)> = self.iter(table).collect();
        for (id, mark) in old {
            let hash = self.hasher.hash_one(id);
            let (ids, marks) = self.block_mut(larger);
            let row = find_row(ids, marks, hash, id);
            (ids[row], marks[row]) = (id, mark);
        }
        self.give(block);
        larger
    }

    fn take(&mut self, class: u8) -> Block {
        if self.classes.len() <= usize::from(class) {
            self.classes.resize_with(usize::from(class) + 1, Class::default);
        }
        self.bytes += rows(class) as u64 * ROW;
        let number = self.classes[usize::from(class)].take(class);
        let block = Block { class, number };
        self.block_mut(block).1.fill(0);
        block
    }

    fn give(&mut self, block: Block) {
        self.bytes -= rows(block.class) as u64 * ROW;
        self.classes[usize::from(block.class)].give(block);
    }

    fn block(&self, block: Block) -> (&[u64], &[u32]) {
        let (rows, per_chunk) = (rows(block.class), blocks_per_chunk(block.class));
        let chunk = &self.classes[usize::from(block.class)].chunks[block.number as usize / per_chunk];
        let start = block.number as usize % per_chunk * rows;
        (&chunk.ids[start..start + rows], &chunk.marks[start..start + rows])
    }

    fn block_mut(&mut self, block: Block) -> (&mut [u64], &mut [u32]) {
        let (rows, per_chunk) = (rows(block.class), blocks_per_chunk(block.class));
        let chunk = &mut self.classes[usize::from(block.class)].chunks[block.number as usize / per_chunk];
        let start = block.number as usize % per_chunk * rows;
        (&mut chunk.ids[start..start + rows], &mut chunk.marks[start..start + rows])
    }
}

/// The row of an id, or the empty row where it would stand: there always is one, because a block is never full.
fn find_row(ids: &[u64], marks: &[u32], hash: u64, id: u64) -> usize {
    let mask = ids.len() - 1;
    let mut row = hash as usize & mask;
    while marks[row] != 0 && ids[row] != id {
        row = (row + 1) & mask;
    }
    row
}

impl Class {
    fn take(&mut self, class: u8) -> u32 {
        if self.free.is_empty() {
            let per_chunk = blocks_per_chunk(class);
            let first = self.chunks.len() * per_chunk;
            self.chunks.push(Chunk::default());
            self.free.extend((first..first + per_chunk).rev().map(super::segment::narrow));
        }
        let number = self.free.pop().unwrap_or_default();
        let chunk = &mut self.chunks[number as usize / blocks_per_chunk(class)];
        if chunk.ids.is_empty() {
            let rows = rows(class) * blocks_per_chunk(class);
            *chunk = Chunk { ids: vec![0; rows].into(), marks: vec![0; rows].into() };
        }
        self.in_use += 1;
        number
    }

    fn give(&mut self, block: Block) {
        self.in_use -= 1;
        self.free.push(block.number);
        if blocks_per_chunk(block.class) == 1 {
            self.chunks[block.number as usize] = Chunk::default();
        }
        if self.in_use == 0 {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::HashMap;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        /// Several tables that grow and go beside each other never see each other's ids.
        #[test]
        fn agrees_with_maps(steps in proptest::collection::vec((0usize..6, 0u64..300, 1u32..9, 0u8..40), 0..600)) {
            let mut tables = IdTables::default();
            let mut held: Vec<IdTable> = (0..6).map(|_| IdTable::default()).collect();
            let mut model: Vec<HashMap<u64, u32>> = vec![HashMap::new(); 6];
            for (which, id, bits, action) in steps {
                if action == 0 {
                    tables.release(std::mem::take(&mut held[which]));
                    model[which].clear();
                } else {
                    *tables.marks(&mut held[which], id) |= bits;
                    *model[which].entry(id).or_default() |= bits;
                }
                prop_assert_eq!(tables.get(&held[which], id), model[which].get(&id).copied().unwrap_or(0));
            }
            for (held, model) in held.into_iter().zip(model) {
                prop_assert_eq!(tables.iter(&held).collect::<HashMap<_, _>>(), model);
                tables.release(held);
            }
            prop_assert_eq!(tables.bytes(), 0);
            prop_assert!(tables.classes.iter().all(|class| class.chunks.is_empty()), "memory went with the last table");
        }
    }

    #[test]
    fn a_large_table_gives_its_memory_back_at_once() {
        let mut tables = IdTables::default();
        let (mut small, mut large) = (IdTable::default(), IdTable::default());
        (0..100_000).for_each(|id| *tables.marks(&mut large, id) = 1);
        *tables.marks(&mut small, 1) = 1;
        tables.release(large);
        assert_eq!(tables.bytes(), SMALLEST as u64 * ROW);
        let allotted: usize = tables.classes.iter().flat_map(|class| &class.chunks).map(|chunk| chunk.ids.len()).sum();
        assert!(allotted <= CHUNK, "{allotted} rows");
    }
}
