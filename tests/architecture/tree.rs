//! The files of the repository as they lie on disk: what git ignores and what cargo builds are left out.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// Paths relative to the top, with `/`, to the text. Files that are not text are there with an empty one.
pub(crate) type Tree = BTreeMap<String, String>;

/// Folders that hold what programs made. Folders of cargo tell by a tag of their own.
const MADE: [&str; 3] = [".git", "fuzz/artifacts", "fuzz/corpus"];

/// The repository that this test was built in.
pub(crate) fn repository() -> io::Result<Tree> {
    let mut tree = Tree::new();
    read(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut tree)?;
    Ok(tree)
}

fn read(folder: &Path, name: &str, tree: &mut Tree) -> io::Result<()> {
    if MADE.contains(&name) || folder.join("CACHEDIR.TAG").exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let path = if name.is_empty() { file_name } else { format!("{name}/{file_name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read(&entry.path(), &path, tree)?;
        } else if kind.is_file() {
            let text = String::from_utf8(fs::read(entry.path())?).unwrap_or_default();
            tree.insert(path, text);
        }
    }
    Ok(())
}

/// The folders directly in `folder`, sorted.
pub(crate) fn folders<'a>(tree: &'a Tree, folder: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> =
        tree.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/')?.split_once('/')).map(|(name, _)| name).collect();
    names.dedup();
    names
}
