//! The command line: what can be asked of the binary, and what it answers as long as no gateway stands behind it.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Why everything that needs a gateway is refused. README.md says it in the same words, and a test compares them.
const NOT_YET: &str = "this build is the core library; it does not run a gateway yet";

/// What was asked is not in this build: `EX_UNAVAILABLE` of sysexits.h, so that no supervisor takes it for a crash or for a typing error.
const UNAVAILABLE: u8 = 69;

const EXIT_CODES: &str = "\
Exit codes:
  0   what was asked was done
  2   the command line was not understood
  69  what was asked needs a gateway, and this build has none yet";

/// A gateway for OpenTelemetry that samples, stitches, labels and redacts.
#[derive(Debug, Parser)]
#[command(name = "tracetailor", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// `run` may be left out, and its options then stand alone.
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway (the default; not in this build).
    Run(Run),
    /// Check a configuration and name all its errors at once (not in this build).
    Validate(Validate),
}

#[derive(Args, Debug)]
struct Run {
    /// Configuration in the Collector's YAML; several are merged in their order.
    #[arg(long = "config", value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct Validate {
    /// Configuration in the Collector's YAML; several are merged in their order.
    #[arg(long = "config", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Cli {
    /// What to say to this command line. No file it names is opened: half an answer about a configuration would be taken for a whole one.
    pub(crate) fn answer(self) -> Answer {
        match self.command {
            Some(Command::Run(run)) => Answer::Refused(Refusal { what: "nothing was started", files: run.files }),
            Some(Command::Validate(validate)) => Answer::Refused(Refusal { what: "nothing was checked", files: validate.files }),
            None if self.run.files.is_empty() => Answer::Welcome,
            None => Answer::Refused(Refusal { what: "nothing was started", files: self.run.files }),
        }
    }
}

/// What the binary says before it ends.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Nothing was asked, so nothing is refused.
    Welcome,
    /// Something was asked that needs a gateway.
    Refused(Refusal),
}

impl Answer {
    /// Says it where it belongs. A reader that hung up is not an error of ours.
    pub(crate) fn give(&self) -> ExitCode {
        match self {
            Answer::Welcome => {
                let _ = writeln!(io::stdout().lock(), "{}", Welcome);
                ExitCode::SUCCESS
            }
            Answer::Refused(refusal) => {
                let _ = writeln!(io::stderr().lock(), "{refusal}");
                ExitCode::from(UNAVAILABLE)
            }
        }
    }
}

/// The answer to somebody who only wanted to see what this is.
struct Welcome;

impl fmt::Display for Welcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Tracetailor {}: a gateway for OpenTelemetry, in the making.", env!("CARGO_PKG_VERSION"))?;
        writeln!(out)?;
        writeln!(out, "Do not put it in front of anything: {NOT_YET}.")?;
        writeln!(out, "What there is to see is in the library: README.md has the map, and")?;
        write!(out, "`cargo doc --workspace --no-deps --open` shows the pages. `tracetailor --help` lists the commands.")
    }
}

/// A request that only a later build can serve: what did not happen, why, and what would be right instead.
#[derive(Debug)]
pub(crate) struct Refusal {
    what: &'static str,
    files: Vec<PathBuf>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.what)?;
        for (index, file) in self.files.iter().enumerate() {
            write!(out, "{}{}", if index == 0 { " for " } else { ", " }, file.display())?;
        }
        writeln!(out)?;
        writeln!(out, "  why: {NOT_YET}")?;
        write!(out, "  instead: leave the gateway you have in place; CHANGELOG.md will say when `run` and `validate` arrive")
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent_in_itself() {
        Cli::command().debug_assert();
    }
}
