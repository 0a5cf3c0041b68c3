//! The command line: what can be asked of the binary, and who answers.

mod ask;
mod check;
mod list;
mod ottl;
mod say;
mod send;
mod token;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tracetailor::config::{Format, Sources};

pub(crate) use say::Outcome;

const EXIT_CODES: &str = "\
Exit codes:
  0  what was asked was done
  1  the configuration is wrong; nothing was started or changed
  2  the command line was not understood
  3  something outside was in the way: a port that is taken, a gateway that does not answer
  4  nothing is known of what was asked for: a trace on which nothing was decided";

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
    /// Run the gateway (the default).
    Run(Run),
    /// Check a configuration and name all its problems at once.
    Validate(Configuration),
    /// List the components there are, as YAML.
    Components {
        /// Print a configuration instead, with every one of them and all their keys.
        #[arg(long)]
        example: bool,
    },
    /// Show the manual of a component.
    Explain {
        /// Its type, as in the configuration: otlp, memory_limiter. Or with its section before it: exporters.otlp.
        component: String,
    },
    /// Print a JSON Schema of configuration files, for editors.
    Schema,
    /// Print the configuration that would be in force, with secrets hidden.
    ///
    /// All files and --set merged, references expanded, what --leave-out takes out left out. Keys that nobody wrote are not shown: they
    /// have their defaults, which `tracetailor explain COMPONENT` lists.
    #[command(alias = "print-initial-config")]
    PrintConfig {
        #[command(flatten)]
        configuration: Configuration,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = PrintFormat::Yaml)]
        format: PrintFormat,
    },
    /// Ask a running gateway to read its configuration again.
    Reload {
        /// Where its admin extension listens.
        #[arg(long, visible_alias = "at", value_name = "HOST:PORT", default_value = "127.0.0.1:8889")]
        admin: String,
    },
    /// Say why a trace was kept or dropped: ask running gateways what their tail sampling decided on it.
    ///
    /// Exits with 4 where nothing is known of the trace, and then says what can be known all the same.
    Why {
        /// Its id, or a traceparent, or whatever was pasted.
        #[arg(value_name = "TRACE_ID")]
        trace: String,
        #[command(flatten)]
        gateways: Gateways,
    },
    /// List the services that running gateways have seen, and what service_name makes of their names.
    Services(Gateways),
    /// Say how healthy the traces are that running gateways receive.
    Doctor(Gateways),
    /// Read an OTTL condition or statement, show how it is understood, and ask it about spans.
    Ottl(ottl::Ottl),
    /// Send a trace of three services to an OTLP endpoint, and say where to look for it.
    Send(send::Send),
    /// Print the digest that a value became by redaction's action hmac: what to look for in a back end.
    Token {
        #[command(flatten)]
        configuration: Configuration,
        /// The value; - reads it from standard input, which keeps it out of the shell's history.
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Print what makes a shell complete this command line.
    #[command(alias = "completion")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Args, Debug)]
struct Run {
    #[command(flatten)]
    configuration: Configuration,
    /// Read the configuration again when one of its files changes.
    #[arg(long)]
    watch: bool,
}

/// Gateways that run.
#[derive(Args, Debug)]
struct Gateways {
    /// Where their admin extensions listen. Every address of a name is asked: a headless service of Kubernetes names them all.
    #[arg(long, visible_alias = "admin", value_name = "HOST[:PORT]", default_value = "127.0.0.1:8889")]
    at: String,
    /// How to print what they answer.
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    format: AnswerFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AnswerFormat {
    Text,
    Json,
}

#[derive(Args, Debug)]
struct Configuration {
    /// Configuration in the Collector's YAML: a file, or file:, env: or yaml: and what follows. Several are merged in their order.
    #[arg(long = "config", value_name = "FILE")]
    configs: Vec<String>,
    /// Set a key over what the files say: --set exporters.debug.verbosity=detailed
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Leave components out of every pipeline, and references to them out of their users.
    #[arg(long, value_name = "ID[,ID]")]
    leave_out: Vec<String>,
    /// The Collector's feature gates; those that mean nothing here are named in a warning.
    #[arg(long, value_name = "GATE[,-GATE]", allow_hyphen_values = true)]
    feature_gates: Vec<String>,
    /// Refuse environment variables that are not defined, instead of warning and leaving them empty.
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PrintFormat {
    Yaml,
    Json,
}

impl Cli {
    /// Does what was asked, and says by the exit code how it went.
    pub(crate) fn answer(self) -> ExitCode {
        let outcome = match self.command {
            Some(Command::Run(run)) => return run.start(),
            Some(Command::Validate(configuration)) => check::validate(&configuration.sources()),
            Some(Command::Components { example: false }) => list::components(),
            Some(Command::Components { example: true }) => list::example(),
            Some(Command::Explain { component }) => list::explain(&component),
            Some(Command::Schema) => list::schema(),
            Some(Command::PrintConfig { configuration, format }) => check::print_config(&configuration.sources(), format.into()),
            Some(Command::Reload { admin }) => ask::reload(&admin),
            Some(Command::Why { trace, gateways }) => gateways.ask(ask::WHY, &trace),
            Some(Command::Services(gateways)) => gateways.ask(ask::SERVICES, ""),
            Some(Command::Doctor(gateways)) => gateways.ask(ask::DOCTOR, ""),
            Some(Command::Ottl(asked)) => ottl::ottl(&asked),
            Some(Command::Send(errand)) => send::send(&errand),
            Some(Command::Token { configuration, value }) => token::token(&configuration.sources(), &value),
            Some(Command::Completions { shell }) => completions(shell),
            None if self.run.is_bare() => Outcome::done(welcome()),
            None => return self.run.start(),
        };
        outcome.tell()
    }
}

impl Gateways {
    fn ask(&self, page: ask::Page, question: &str) -> Outcome {
        let form = match self.format {
            AnswerFormat::Text => ask::Form::Text,
            AnswerFormat::Json => ask::Form::Json,
        };
        ask::page(page, question, &self.at, form)
    }
}

impl Run {
    fn is_bare(&self) -> bool {
        let Configuration { configs, set, leave_out, feature_gates, strict } = &self.configuration;
        !(self.watch || *strict) && [configs, set, leave_out, feature_gates].into_iter().all(Vec::is_empty)
    }

    fn start(self) -> ExitCode {
        let watch = if self.watch { tracetailor::Watch::Files } else { tracetailor::Watch::Nothing };
        tracetailor::run(self.configuration.sources(), watch)
    }
}

impl Configuration {
    fn sources(self) -> Sources {
        let Configuration { configs, set, leave_out, feature_gates, strict } = self;
        if configs.is_empty() {
            Cli::command().error(ErrorKind::MissingRequiredArgument, "name at least one configuration: --config gateway.yaml").exit();
        }
        Sources { configs, set, leave_out, feature_gates, strict }
    }
}

impl From<PrintFormat> for Format {
    fn from(format: PrintFormat) -> Self {
        match format {
            PrintFormat::Yaml => Format::Yaml,
            PrintFormat::Json => Format::Json,
        }
    }
}

fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tracetailor", &mut script);
    Outcome::done(String::from_utf8_lossy(&script).into_owned())
}

/// The answer to somebody who only wanted to see what this is.
fn welcome() -> String {
    format!(
        "Tracetailor {}: a gateway for OpenTelemetry that samples, stitches, labels and redacts.\n\n\
         tracetailor --config gateway.yaml             runs it\n\
         tracetailor validate --config gateway.yaml    checks a configuration\n\
         tracetailor components                        lists what it has\n\
         tracetailor --help                            lists all commands\n",
        env!("CARGO_PKG_VERSION")
    )
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
