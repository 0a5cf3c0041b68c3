//! The file for what no destination takes: one line of OTLP JSON for each batch that was set aside, with the reason.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tracetailor_core::telemetry::{Signal, json};

/// Writes to one file. It is opened for each letter, so that it can be moved away while the gateway runs.
#[derive(Debug)]
pub(super) struct DeadLetters {
    path: PathBuf,
    /// Held while a letter is written, so that no two are mixed.
    writing: Mutex<()>,
}

impl DeadLetters {
    pub(super) fn at(path: &str) -> Self {
        Self { path: PathBuf::from(path), writing: Mutex::default() }
    }

    /// Appends one letter. It blocks, so it is called where that is allowed.
    ///
    /// The line is a request in OTLP JSON with two keys more, which readers of OTLP pass over: who set it aside, and why.
    pub(super) fn write(&self, exporter: &str, reason: &str, signal: Signal, request: &[u8]) -> io::Result<()> {
        let mut body = Vec::with_capacity(request.len() * 3);
        json::from_protobuf(signal, request, &mut body).map_err(io::Error::other)?;
        let mut line = serde_json::to_vec(&serde_json::json!({ "exporter": exporter, "reason": reason }))?;
        // Two objects become one: the brace between them becomes a comma, unless the second has nothing.
        line.pop();
        if body.get(1).is_some_and(|next| *next != b'}') {
            line.push(b',');
        }
        line.extend_from_slice(body.get(1..).unwrap_or_default());
        line.push(b'\n');
        self.append(&line)
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)?.write_all(line)
    }
}
