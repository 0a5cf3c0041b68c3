//! Where lines go: stderr, stdout, and files that are appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

/// Somewhere to write lines to.
#[derive(Debug)]
pub(super) enum Output {
    Stderr,
    Stdout,
    File(File),
}

/// A file cannot be written to.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be written to {path}: {source}")]
pub struct OutputError {
    path: String,
    source: io::Error,
}

pub(super) fn open(paths: &[String]) -> Result<Vec<Output>, OutputError> {
    paths.iter().map(|path| open_one(path)).collect()
}

fn open_one(path: &str) -> Result<Output, OutputError> {
    match path {
        "stderr" => Ok(Output::Stderr),
        "stdout" => Ok(Output::Stdout),
        _ => {
            let file = OpenOptions::new().create(true).append(true).open(path.strip_prefix("file://").unwrap_or(path));
            file.map(Output::File).map_err(|source| OutputError { path: path.to_owned(), source })
        }
    }
}

impl Output {
    /// Writes a line, or does not: that the log cannot be written is nothing to stop a gateway for, and there is no log to say it in.
    pub(super) fn write(&self, line: &str) {
        let _ = match self {
            Output::Stderr => io::stderr().lock().write_all(line.as_bytes()),
            Output::Stdout => io::stdout().lock().write_all(line.as_bytes()),
            // Appended in one call, so that lines of several threads do not mix.
            Output::File(file) => (&*file).write_all(line.as_bytes()),
        };
    }
}
