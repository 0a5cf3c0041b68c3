//! Every seed of the fuzz target passes it, without a fuzzer and in every run.

use std::fs;
use std::path::Path;

use crate::testing::fuzz;

#[test]
fn the_seeds_of_the_walker_do_no_harm() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/walker");
    let files: Vec<_> = fs::read_dir(&seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 12, "{} holds {} seeds", seeds.display(), files.len());
    files.iter().for_each(|file| fuzz::walker(&fs::read(file).unwrap()));
}
