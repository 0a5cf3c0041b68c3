//! How users learn a language: an expression is read, drawn, and shown to spans from a file.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tracetailor::core::ledger::{Books, Fate, LineName, Nobody, Receipt};
use tracetailor::core::ottl::{Condition, Conditions, Contexts, ErrorMode, Problems, Reads, Scene, Statement, Statements};
use tracetailor::core::telemetry::json::{from_protobuf, to_protobuf};
use tracetailor::core::telemetry::{Intake, Interner, Limits, Origin, Signal, Source, Telemetry};
use tracetailor::core::time::Clock;

use super::Outcome;

/// Read an OTTL condition or statement, and show how it is understood.
#[derive(Args, Debug)]
pub(super) struct Ottl {
    /// The condition or statement: 'IsMatch(span.name, "^GET")', 'set(span.name, "a") where span.kind == SPAN_KIND_SERVER'.
    expression: String,
    /// What it is about.
    #[arg(long, value_enum, default_value_t = About::Traces)]
    signal: About,
    /// The context of paths that do not say theirs: span, resource, log, datapoint.
    #[arg(long)]
    context: Option<String>,
    /// A file of spans in OTLP/JSON to ask it about, or to run it on.
    #[arg(long, value_name = "FILE")]
    span: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum About {
    Traces,
    Logs,
    Metrics,
}

impl From<About> for Signal {
    fn from(about: About) -> Self {
        match about {
            About::Traces => Signal::Traces,
            About::Logs => Signal::Logs,
            About::Metrics => Signal::Metrics,
        }
    }
}

/// Draws it, and says what it does to the spans of the file, if there is one.
pub(super) fn ottl(asked: &Ottl) -> Outcome {
    let contexts = Contexts::of(asked.signal.into());
    if let Some(name) = &asked.context
        && contexts.level(name).is_none()
    {
        let names: Vec<&str> = contexts.names().collect();
        return Outcome::not_understood(format!("there is no context {name}; there are {}\n", names.join(", ")));
    }
    let context = asked.context.as_deref();
    let outcome = match Condition::parse(&contexts, context, &asked.expression) {
        Ok(condition) => drawn_condition(condition, asked),
        // Whatever is no condition may be a statement, and then the statement's problems are those to be told.
        Err(problems) => match Statement::parse(&contexts, context, &asked.expression) {
            Ok(statement) => drawn_statement(statement, asked),
            Err(of_statement) if begins_with_editor(&asked.expression) => Err(told(&of_statement)),
            Err(_) => Err(told(&problems)),
        },
    };
    match outcome {
        Ok(text) => Outcome::done(text),
        Err(text) => Outcome::wrong(text),
    }
}

/// Whether it looks like a statement: a word in small letters, and a parenthesis.
fn begins_with_editor(expression: &str) -> bool {
    let rest = expression.trim_start().trim_start_matches(|letter: char| letter.is_ascii_lowercase() || letter == '_');
    rest.len() < expression.trim_start().len() && rest.trim_start().starts_with('(')
}

fn told(problems: &Problems) -> String {
    format!("{problems}\n")
}

fn drawn_condition(condition: Condition, asked: &Ottl) -> Result<String, String> {
    let mut text = format!("A condition of the context {}.\n\n{}\n", condition.context(), condition.tree());
    put_reads(&mut text, &condition.reads());
    put_warnings(&mut text, condition.warnings());
    let Some(batch) = batch(asked)? else { return Ok(text) };
    let mut conditions = Conditions::of(vec![condition], ErrorMode::Propagate);
    text += "\n";
    for item in batch.items() {
        let scene = Scene::of_item(item, &Source::default(), &Clock::system());
        let outcome = match conditions.any(&scene) {
            Ok(true) => "holds".to_owned(),
            Ok(false) => "does not hold".to_owned(),
            Err(failure) => format!("fails: {failure}"),
        };
        let _ = writeln!(text, "{:?}: {outcome}", item.name());
    }
    batch.settle(Fate::Delivered);
    Ok(text)
}

fn drawn_statement(statement: Statement, asked: &Ottl) -> Result<String, String> {
    let mut text = format!("A statement.\n\n{}\n", statement.tree());
    put_reads(&mut text, statement.reads());
    put_warnings(&mut text, statement.warnings());
    let Some(mut batch) = batch(asked)? else { return Ok(text) };
    let mut statements = Statements::of(Vec::new(), vec![statement], ErrorMode::Ignore);
    let _ = statements.run(&mut batch, &Clock::system());
    for (_, failed) in statements.take_failures() {
        let _ = writeln!(text, "\nIt fails, {} times: {}", failed.count, failed.error);
    }
    let mut json = Vec::new();
    let written = from_protobuf(asked.signal.into(), &batch.to_bytes(), &mut json);
    batch.settle(Fate::Delivered);
    written.map_err(|error| format!("{error}\n"))?;
    let _ = writeln!(text, "\n{}", String::from_utf8_lossy(&json));
    Ok(text)
}

fn put_reads(text: &mut String, reads: &Reads) {
    *text += "reads:\n";
    for path in &reads.paths {
        let _ = writeln!(text, "  {}", path.text);
    }
    if reads.paths.is_empty() {
        *text += "  nothing\n";
    }
    if reads.looks_around {
        *text += "  and whatever its functions look at\n";
    }
}

fn put_warnings(text: &mut String, warnings: &Problems) {
    if !warnings.is_empty() {
        let _ = writeln!(text, "\n{warnings}");
    }
}

/// The spans of the file, as a receiver would hand them on.
fn batch(asked: &Ottl) -> Result<Option<Telemetry>, String> {
    let Some(path) = &asked.span else { return Ok(None) };
    let name = path.display();
    let json = fs::read(path).map_err(|error| format!("{name} cannot be read: {error}\n"))?;
    let signal = asked.signal.into();
    let mut request = Vec::new();
    let rejected = to_protobuf(signal, &json, &mut request).map_err(|error| format!("{name} is no OTLP/JSON: {error}\n"))?;
    if let Some(reason) = rejected.reasons.first() {
        return Err(format!("{name}: {reason}\n"));
    }
    let parsed = Intake::new(Interner::new(), Limits::default()).parse(signal, request.into());
    let parsed = parsed.map_err(|refusal| format!("{name} is refused: {refusal}\n"))?;
    let books = Books::new();
    let line = books.line(LineName::Pipeline("ottl".to_owned()), signal);
    let share = Receipt::open(&books, Arc::new(Nobody), 0).accept(&line, parsed.total());
    Ok(Some(parsed.from_origin(Origin { share, source: Arc::default(), received_at: Clock::system().now() })))
}
