//! The command `tracetailor`: reads the command line, answers, and tells the caller by the exit code how it went.

use std::process::ExitCode;

use clap::Parser;

mod cli;

/// Chosen once, here, for everything in the process; docs/decisions/0003-mimalloc.md says why.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::Cli::parse().answer()
}
