//! Where lines go without the gateway's own log: the console, or files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use tracetailor_core::component::BuildError;
use tracetailor_core::time::{LogTime, Rfc3339};

use super::summary::Summary;

pub(super) const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// The places that lines are written to, one line at a time, whichever lane it comes from.
#[derive(Default)]
pub(super) struct Outputs(Mutex<Vec<Output>>);

enum Output {
    Stdout,
    Stderr,
    File(File),
}

impl Outputs {
    /// Opens them, unless another lane has.
    pub(super) fn open(&self, paths: &[String]) -> Result<(), BuildError> {
        let mut outputs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if outputs.is_empty() {
            *outputs = paths.iter().map(|path| Output::open(path)).collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// Writes what there is to tell of a batch.
    pub(super) fn write(&self, now: LogTime, summary: &Summary, text: Option<&str>) -> io::Result<()> {
        let time = Rfc3339(now);
        let mut lines = format!("{time}\tINFO\t{}\t{summary}\n", summary.title());
        if let Some(text) = text {
            lines += &format!("{time}\tINFO\t{text}\n");
        }
        let mut outputs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.iter_mut().try_for_each(|output| output.write(lines.as_bytes()))
    }
}

impl Output {
    fn open(path: &str) -> Result<Self, BuildError> {
        match path {
            STDOUT => return Ok(Output::Stdout),
            STDERR => return Ok(Output::Stderr),
            _ => {}
        }
        let path = path.strip_prefix("file://").unwrap_or(path);
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map(Output::File).map_err(|error| {
            let wrong = format!("output_paths: cannot open {path}: {error}");
            BuildError::new(wrong, "name a file in a directory that is there and may be written, stdout or stderr")
        })
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Output::Stdout => io::stdout().write_all(lines),
            Output::Stderr => io::stderr().write_all(lines),
            Output::File(file) => file.write_all(lines),
        }
    }
}
