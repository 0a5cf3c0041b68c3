//! Statements as a processor has them: read from a configuration, run on every batch.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::call::Edit;
use super::check::{Checker, innermost};
use super::checked::Test;
use super::compile::{Memory, Program};
use super::conditions::{Condition, ErrorMode, Failed, Failure, Failures};
use super::eval::{Look, Values, arguments, known_values};
use super::functions::{Edit as Made, Takes, Work, changed_text};
use super::one_pass;
use super::parse;
use super::problem::{EvalError, Problems};
use super::reads::Reads;
use super::subject::{Change, Subject, changed_entries, kept};
use super::table::{Contexts, Level};
use super::tree;
use super::value::Value;
use crate::config::ConfigErrors;
use crate::telemetry::{Context, ContextCache, ItemMut, OnePass, Source, Telemetry, Value as Kept};
use crate::time::Clock;

/// One statement, read and checked.
#[derive(Debug)]
pub struct Statement {
    text: String,
    level: Level,
    tree: tree::Statement,
    edit: Edit,
    condition: Program,
    /// What it always puts, where that is known.
    puts: Option<Kept>,
    warnings: Problems,
    reads: Reads,
}

impl Statement {
    /// Reads a statement. Paths that do not say their context are of `context`.
    pub fn parse(contexts: &Contexts, context: Option<&str>, text: &str) -> Result<Self, Problems> {
        let tree = parse::statement(text).map_err(|problem| Problems::new(text, vec![problem]))?;
        let own = match context {
            Some(name) => contexts.level(name),
            None => level_of(contexts, &tree),
        };
        let mut checker = Checker { contexts, own, problems: Vec::new() };
        let edit = checker.edit(tree.at, &tree.editor);
        let test = tree.condition.as_ref().map_or(Some(Test::Known(true)), |condition| checker.test(condition));
        if own.is_none() && checker.problems.is_empty() {
            checker.error(0, "no path says what this changes", "write span.name instead of name, or choose a context");
        }
        let problems = Problems::new(text, checker.problems);
        match (edit, test, own) {
            (Some(edit), Some(test), Some(level)) if !problems.has_errors() => {
                let mut reads = Reads::of(&test);
                edit.arguments.iter().for_each(|argument| reads.add(argument));
                let condition = Program::alone(vec![test]);
                let puts = always_put(&edit);
                Ok(Self { text: text.to_owned(), level, tree, edit, condition, puts, warnings: problems, reads })
            }
            _ => Err(problems),
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it was understood.
    pub fn tree(&self) -> &tree::Statement {
        &self.tree
    }

    /// What it runs on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What it hardly means.
    pub fn warnings(&self) -> &Problems {
        &self.warnings
    }

    /// What it looks at; what it changes is not among it.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// When it edits, as it was understood.
    pub(super) fn tests(&self) -> &[Test] {
        &self.condition.tests
    }

    /// What it edits.
    pub(super) fn edit(&self) -> &Edit {
        &self.edit
    }

    /// What it always puts, where that is known.
    pub(super) fn puts(&self) -> Option<&Kept> {
        self.puts.as_ref()
    }

    /// True when it makes the same of every item of a context: what items share, by what they share.
    fn is_shared(&self) -> bool {
        let target = self.edit.target.as_ref().is_some_and(super::place::Place::is_shared);
        target && self.reads.is_shared() && !self.reads.paths.iter().any(|path| path.text.contains(".cache"))
    }

    /// What it changes at a scene.
    fn plan<'s: 'a, 'a>(&'s self, look: &Look<'a>) -> Result<Change<'s>, EvalError> {
        for test in &self.condition.tests {
            if !test.holds(look)? {
                return Ok(Change::Nothing);
            }
        }
        if let Some(known) = &self.puts {
            return Ok(Change::Put(known));
        }
        let mut values = Values::new();
        arguments(self.edit.editor.parameters, &self.edit.arguments, look, &mut values)?;
        let work = match &self.edit.work {
            Work::Item(work) => return work(&look.scene, &mut values).map(Change::Puts),
            Work::Text(work) => {
                let Some(place) = &self.edit.target else { return Ok(Change::Nothing) };
                return Ok(match changed_text(&**work, &place.read(&look.scene)?)? {
                    Made::Set(value) => Change::Set(place.fitted(value)?),
                    _ => Change::Nothing,
                });
            }
            Work::Put(work) | Work::Change(work) => work,
        };
        let Some(place) = &self.edit.target else { return Ok(Change::Nothing) };
        let mut before = Value::Nil;
        if matches!(self.edit.work, Work::Change(_)) {
            before = place.read(&look.scene)?;
            if self.edit.editor.parameters.first().is_some_and(|first| first.takes == Takes::MapTarget) && !matches!(before, Value::Map(_))
            {
                return Err(EvalError::Expected { wanted: "a map", got: before.type_of().name() });
            }
            if let Some(target) = values.first_mut() {
                *target = before.clone();
            }
        }
        Ok(match work(&mut values)? {
            Made::Nothing => Change::Nothing,
            Made::Set(value) => Change::Set(place.fitted(value)?),
            Made::Without(key) if place.is_item_attributes() => Change::Without(SmallVec::from_slice(key.as_bytes())),
            Made::Without(key) => Change::without(before, &key),
            Made::Entries(entries) if place.is_item_attributes() => {
                Change::Entries(entries.into_iter().map(|(number, entry)| (number, kept(entry))).collect())
            }
            Made::Entries(entries) => {
                Change::Set(changed_entries(before, entries.into_iter().map(|(number, entry)| (number, kept(entry)))))
            }
        })
    }
}

/// The statements in order, those together that can be.
fn runs(statements: &[Statement]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (number, statement) in statements.iter().enumerate() {
        if let Some(Run { numbers, together: Some(together) }) = runs.last_mut()
            && one_pass::add(together, statement)
        {
            numbers.end += 1;
            continue;
        }
        let mut together = OnePass::default();
        let is_plain = one_pass::add(&mut together, statement);
        runs.push(Run { numbers: number..number + 1, together: is_plain.then_some(together) });
    }
    runs
}

/// What an edit puts whatever it is shown.
fn always_put(edit: &Edit) -> Option<Kept> {
    let (Work::Put(work), Some(place)) = (&edit.work, &edit.target) else { return None };
    match work(&mut known_values(&edit.arguments)?) {
        Ok(Made::Set(value)) => place.fitted(value).ok(),
        _ => None,
    }
}

fn level_of(contexts: &Contexts, tree: &tree::Statement) -> Option<Level> {
    let arguments = tree.editor.arguments.iter().map(|(_, node)| node).chain(&tree.condition);
    arguments.filter_map(|node| innermost(contexts, node)).max()
}

/// The texts of a group of statements, and the keys that they stand at.
#[derive(Clone, Copy, Debug)]
pub struct GroupText<'t> {
    /// The context, where it is given; else it is the innermost one that any path says.
    pub context: Option<&'t str>,
    /// One of which must hold, if there are any: key and texts.
    pub conditions: (&'t str, &'t [String]),
    /// Run in order: key and texts.
    pub statements: (&'t str, &'t [String]),
}

/// A group of statements: of one context, run in order on each item of it.
#[derive(Debug)]
pub struct Statements {
    texts: Vec<String>,
    level: Level,
    conditions: Program,
    list: Vec<Step>,
    /// The list in order: what is run one by one, and what is run at once where it can be.
    runs: Vec<Run>,
    /// Room for what texts become.
    made: String,
    mode: ErrorMode,
    memory: Memory,
    failures: Failures,
    /// What the whole group makes of a context, where that is all it goes by.
    contexts: Option<Changed>,
}

/// Some statements in a row, and how they are run together; nothing where they are not.
#[derive(Debug)]
struct Run {
    numbers: Range<usize>,
    together: Option<OnePass>,
}

/// A statement, and what it made of contexts where that is all it goes by.
#[derive(Debug)]
struct Step {
    statement: Statement,
    contexts: Option<Changed>,
}

/// What became of contexts; `None` of one that stayed.
type Changed = ContextCache<Result<Option<Arc<Context>>, Failure>>;

impl Statements {
    /// Reads a group, and tells what is wrong with each text where it stands; `None` where one is refused.
    pub fn read(errors: &mut ConfigErrors, contexts: &Contexts, group: &GroupText<'_>, mode: ErrorMode) -> Option<Self> {
        let context = group.context.or_else(|| inferred(contexts, group));
        let conditions = super::read_conditions(errors, group.conditions.0, contexts, context, group.conditions.1);
        let mut statements = Vec::new();
        for (index, text) in group.statements.1.iter().enumerate() {
            let mut here = errors.at(group.statements.0).index(index);
            let statement = Statement::parse(contexts, context, text);
            statement.as_ref().map_or_else(|problems| problems, |statement| &statement.warnings).tell(&mut here);
            statements.push(statement.ok());
        }
        Some(Self::of(conditions?, statements.into_iter().collect::<Option<_>>()?, mode))
    }

    /// Those that were read one by one, all of one context.
    pub fn of(conditions: Vec<Condition>, statements: Vec<Statement>, mode: ErrorMode) -> Self {
        let texts: Vec<String> =
            statements.iter().map(|statement| statement.text.clone()).chain(conditions.iter().map(|c| c.text().to_owned())).collect();
        let levels = statements.iter().map(|statement| statement.level).chain(conditions.iter().map(Condition::level));
        let level = levels.max().unwrap_or(Level::Item);
        let is_shared = conditions.iter().all(|condition| condition.reads().is_shared())
            && statements.iter().all(Statement::is_shared)
            && level < Level::Item;
        let step = |statement: Statement| Step { contexts: statement.is_shared().then(Changed::lingering), statement };
        Self {
            failures: Failures::of(texts.len()),
            runs: runs(&statements),
            made: String::new(),
            texts,
            level,
            conditions: Program::new(conditions.into_iter().map(Condition::into_test).collect()),
            list: statements.into_iter().map(step).collect(),
            mode,
            memory: Memory::default(),
            contexts: is_shared.then(Changed::lingering),
        }
    }

    /// What the group is run on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The texts that errors are numbered by: of the statements, and behind them of the conditions.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// What becomes of errors.
    pub fn mode(&self) -> ErrorMode {
        self.mode
    }

    /// What each statement looks at.
    pub fn reads(&self) -> impl Iterator<Item = &Reads> {
        self.list.iter().map(|step| step.statement.reads())
    }

    /// The errors since this was asked last, under any mode but `propagate`, with the text that failed.
    pub fn take_failures(&mut self) -> Vec<(String, Failed)> {
        self.failures.take(&self.texts)
    }

    /// Runs the group on everything in a batch. An error is that only under `propagate`; then some items are changed and others are not, and the batch
    /// should be refused.
    pub fn run(&mut self, batch: &mut Telemetry, clock: &Clock) -> Result<(), Failure> {
        if self.level < Level::Item {
            return self.run_on_contexts(batch, clock);
        }
        let sources: SmallVec<[Arc<Source>; 4]> = batch.origins().iter().map(|origin| Arc::clone(&origin.source)).collect();
        for index in 0..batch.len() {
            let Some(source) = batch.heads().get(index).map(|head| batch.origin_of(head)).and_then(|origin| sources.get(origin)) else {
                continue;
            };
            let mut item = batch.item_mut(index);
            if self.level == Level::Event {
                self.run_on_events(&mut item, source, clock)?;
            } else {
                item.at_once(|item| self.run_on(&mut Subject::Item(item), source, clock))?;
            }
        }
        Ok(())
    }

    fn run_on_contexts(&mut self, batch: &mut Telemetry, clock: &Clock) -> Result<(), Failure> {
        let mut failed = Ok(());
        batch.map_contexts_by_source(|context, source| {
            if failed.is_err() {
                return None;
            }
            // Taken out while it runs, since it needs the rest.
            let mut known = self.contexts.take();
            let changed = match &mut known {
                Some(known) => known.get(context, |context| self.changed_context(context, source, clock)).clone(),
                None => self.changed_context(context, source, clock),
            };
            self.contexts = known;
            changed.unwrap_or_else(|failure| {
                failed = Err(failure);
                None
            })
        });
        failed
    }

    fn changed_context(&mut self, context: &Arc<Context>, source: &Source, clock: &Clock) -> Result<Option<Arc<Context>>, Failure> {
        let mut subject = Subject::Context { context: Arc::clone(context), is_changed: false };
        self.run_on(&mut subject, source, clock)?;
        Ok(subject.into_changed_context())
    }

    /// Events are changed on their own, and written back together.
    fn run_on_events(&mut self, item: &mut ItemMut<'_>, source: &Source, clock: &Clock) -> Result<(), Failure> {
        let mut changed: Vec<(usize, Vec<u8>)> = Vec::new();
        let mut index = 0;
        // A statement may change the span as well, but never how many events it has.
        while let Some(bytes) = item.item().event(index).map(<[u8]>::to_vec) {
            let mut subject = Subject::Event { item, index, bytes, is_changed: false };
            self.run_on(&mut subject, source, clock)?;
            if let Subject::Event { bytes, is_changed: true, .. } = subject {
                changed.push((index, bytes));
            }
            index += 1;
        }
        if changed.is_empty() {
            return Ok(());
        }
        match (item.replace_events(&changed), self.mode) {
            (Ok(()), _) => Ok(()),
            (Err(error), mode) => self.failed(0, EvalError::because(error.to_string()), mode),
        }
    }

    fn run_on(&mut self, subject: &mut Subject<'_, '_>, source: &Source, clock: &Clock) -> Result<(), Failure> {
        let mut cache = Kept::Map(Vec::new());
        if !self.is_wanted(subject, source, clock, &cache)? {
            return Ok(());
        }
        for number in 0..self.runs.len() {
            let Run { numbers, together } = &mut self.runs[number];
            if let (Some(together), Subject::Item(item)) = (together, &mut *subject)
                && together.run(item, &mut self.made)
            {
                continue;
            }
            for number in numbers.clone() {
                let outcome = self.list[number].run(subject, source, clock, &mut cache);
                if let Err(error) = outcome {
                    self.failed(number, error, self.mode)?;
                }
            }
        }
        Ok(())
    }

    fn failed(&mut self, number: usize, error: EvalError, mode: ErrorMode) -> Result<(), Failure> {
        if mode == ErrorMode::Propagate {
            return Err(Failure { number, error });
        }
        self.failures.add(number, error);
        Ok(())
    }

    /// Whether one of the conditions holds, if there are any.
    fn is_wanted(&mut self, subject: &Subject<'_, '_>, source: &Source, clock: &Clock, cache: &Kept) -> Result<bool, Failure> {
        if self.conditions.tests.is_empty() {
            return Ok(true);
        }
        let look = self.conditions.look(subject.scene(source, clock, cache), &mut self.memory);
        for (place, test) in self.conditions.tests.iter().enumerate() {
            let number = self.list.len() + place;
            match (test.holds(&look), self.mode) {
                (Ok(true), _) => return Ok(true),
                (Ok(false), _) => {}
                (Err(error), ErrorMode::Propagate) => return Err(Failure { number, error }),
                (Err(error), _) => self.failures.add(number, error),
            }
        }
        Ok(false)
    }
}

impl Step {
    fn run(&mut self, subject: &mut Subject<'_, '_>, source: &Source, clock: &Clock, cache: &mut Kept) -> Result<(), EvalError> {
        if let (Some(contexts), Subject::Item(item)) = (&mut self.contexts, &mut *subject) {
            return Self::run_once(&self.statement, contexts, item, source, clock);
        }
        let change = {
            let look = self.statement.condition.look_once(subject.scene(source, clock, cache));
            self.statement.plan(&look)?
        };
        subject.change(self.statement.edit.target.as_ref(), change, cache)
    }

    /// What is the same for all items of a context is done to the context, once.
    fn run_once(
        statement: &Statement,
        contexts: &mut Changed,
        item: &mut ItemMut<'_>,
        source: &Source,
        clock: &Clock,
    ) -> Result<(), EvalError> {
        let context = Arc::clone(item.item().context());
        let changed = contexts.get(&context, |context| {
            let mut cache = Kept::Empty;
            let mut subject = Subject::Context { context: Arc::clone(context), is_changed: false };
            let change = statement.plan(&statement.condition.look_once(subject.scene(source, clock, &cache)));
            let made = change.and_then(|change| subject.change(statement.edit.target.as_ref(), change, &mut cache));
            made.map(|()| subject.into_changed_context()).map_err(|error| Failure { number: 0, error })
        });
        match changed {
            Ok(changed) => changed.iter().for_each(|changed| item.set_context(changed)),
            Err(failure) => return Err(failure.error.clone()),
        }
        Ok(())
    }
}

/// The innermost context that any text of a group speaks of.
fn inferred(contexts: &Contexts, group: &GroupText<'_>) -> Option<&'static str> {
    let conditions = group.conditions.1.iter().filter_map(|text| innermost(contexts, &parse::condition(text).ok()?));
    let statements = group.statements.1.iter().filter_map(|text| level_of(contexts, &parse::statement(text).ok()?));
    let level = conditions.chain(statements).max()?;
    contexts.at(level).map(|table| table.name)
}
