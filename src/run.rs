//! `tracetailor run`: from a configuration to a gateway that runs until it is told to stop.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::{self, Sources};

/// Whether the configuration is read again when its files change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// Only when somebody asks for it.
    #[default]
    Nothing,
    /// When the content of one of them is another.
    Files,
}

/// Runs the gateway. This build reads and checks the configuration, and then says that it cannot run it.
pub fn run(sources: Sources, _watch: Watch) -> ExitCode {
    let loaded = config::load(&sources);
    let mut out = io::stderr().lock();
    let _ = write!(out, "{}", loaded.problems);
    if loaded.plan.is_none() {
        return ExitCode::from(1);
    }
    let _ = writeln!(out, "error: nothing was started: this build reads a configuration; it does not run a gateway yet");
    ExitCode::from(3)
}
