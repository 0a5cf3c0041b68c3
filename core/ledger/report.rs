//! The books as they stand: for metrics, for a page that a person reads, and for the assertion at the end of every test.

use std::fmt;

use super::books::{Books, Line, LineName};
use super::cause::{Cause, CauseName};
use super::column::{Column, Side, Sums};
use crate::telemetry::Signal;

/// What all lines had counted at one moment. Shown as text it is a table.
#[derive(Clone, Debug)]
pub struct Report {
    /// By signal, pipelines before exporters, each by name.
    pub lines: Vec<LineReport>,
    /// Receipts that have not settled.
    pub open_receipts: u64,
}

/// One line of the books.
#[derive(Clone, Debug)]
pub struct LineReport {
    /// Whose line it is.
    pub name: LineName,
    /// The signal that it counts.
    pub signal: Signal,
    /// Every column.
    pub sums: Sums,
    /// Why, for the columns that have reasons: what is not zero, in no order to rely on. For each column it adds up to the sum.
    pub causes: Vec<CauseReport>,
    /// What each store and queue says it holds.
    pub held: Vec<HeldReport>,
}

/// How many units one cause put into one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseReport {
    /// The column.
    pub column: Column,
    /// The cause.
    pub name: CauseName,
    /// The units.
    pub units: u64,
}

/// What the stores or queues of one name hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldReport {
    /// As they registered.
    pub name: String,
    /// The units, over all of that name. Below zero only by a bug of theirs.
    pub units: i64,
}

/// The books do not balance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbalanced {
    /// A line has units unaccounted for (or, below zero, accounted for twice).
    #[error("{line}, {signal:?}: {income} in, {outgo} out, {held} held: {residual} unaccounted for")]
    Line {
        /// Whose line it is.
        line: LineName,
        /// The signal.
        signal: Signal,
        /// All that came in.
        income: u64,
        /// All that went out.
        outgo: u64,
        /// What is held.
        held: i64,
        /// What is missing.
        residual: i64,
    },
    /// Units left one line and did not enter another of these books.
    #[error("{signal:?}: {moved_out} units moved out of their lines, {moved_in} moved in")]
    Moves {
        /// The signal.
        signal: Signal,
        /// Units that left a line.
        moved_out: u64,
        /// Units that entered one.
        moved_in: u64,
    },
}

impl Report {
    /// Reads all that went out, then what is held, then all that came in: a unit that moves meanwhile is seen to have come and not yet to
    /// have gone. Hence a live residual is what is on its way, and never negative.
    pub(super) fn of(books: &Books, lines: &[Line]) -> Report {
        let open_receipts = books.open_receipts();
        let mut reports: Vec<LineReport> = lines.iter().map(LineReport::empty).collect();
        for (line, report) in lines.iter().zip(&mut reports) {
            report.read_out(books, line);
        }
        for (line, report) in lines.iter().zip(&mut reports) {
            report.held = line.gauges().read();
        }
        for (line, report) in lines.iter().zip(&mut reports) {
            report.read_in(line);
        }
        Report { lines: reports, open_receipts }
    }

    /// The line of that name and signal.
    pub fn line(&self, name: &LineName, signal: Signal) -> Option<&LineReport> {
        self.lines.iter().find(|line| line.name == *name && line.signal == signal)
    }

    /// All lines of a signal, added up.
    pub fn total(&self, signal: Signal) -> Sums {
        let mut total = Sums::default();
        for line in self.lines.iter().filter(|line| line.signal == signal) {
            total += line.sums;
        }
        total
    }

    /// Whether every line balances by itself, and all of them together. Meant for moments when nothing is on its way.
    pub fn balanced(&self) -> Result<(), Unbalanced> {
        self.lines.iter().try_for_each(LineReport::balanced)?;
        for signal in Signal::ALL {
            let total = self.total(signal);
            let (moved_out, moved_in) = (total[Column::MovedOut], total[Column::MovedIn]);
            if moved_out != moved_in {
                return Err(Unbalanced::Moves { signal, moved_out, moved_in });
            }
        }
        Ok(())
    }

    /// Panics unless the books [balance](Report::balanced), with the line that is off and the whole table. For tests.
    #[track_caller]
    pub fn assert_balanced(&self) {
        if let Err(error) = self.balanced() {
            panic!("{error}\n{self}");
        }
    }
}

impl LineReport {
    fn empty(line: &Line) -> LineReport {
        let (causes, held) = (Vec::new(), Vec::new());
        LineReport { name: line.name().clone(), signal: line.signal(), sums: Sums::default(), causes, held }
    }

    fn read_out(&mut self, books: &Books, line: &Line) {
        for (column, cause, units) in line.counts().read(Side::Out) {
            self.sums[column] += units;
            if cause != Cause::NONE {
                self.causes.push(CauseReport { column, name: books.cause_name(cause), units });
            }
        }
    }

    fn read_in(&mut self, line: &Line) {
        for (column, _, units) in line.counts().read(Side::In) {
            self.sums[column] += units;
        }
    }

    /// What all stores and queues of the line hold.
    pub fn held_units(&self) -> i64 {
        self.held.iter().map(|held| held.units).sum()
    }

    /// What came in and neither went out nor is held. 0 when nothing is on its way.
    pub fn residual(&self) -> i64 {
        self.sums.side(Side::In).wrapping_sub(self.sums.side(Side::Out)).cast_signed() - self.held_units()
    }

    /// Whether the residual is 0.
    pub fn balanced(&self) -> Result<(), Unbalanced> {
        match self.residual() {
            0 => Ok(()),
            residual => Err(Unbalanced::Line {
                line: self.name.clone(),
                signal: self.signal,
                income: self.sums.side(Side::In),
                outgo: self.sums.side(Side::Out),
                held: self.held_units(),
                residual,
            }),
        }
    }
}

/// A row per line with the columns that are not zero everywhere, and below it the causes and what is held.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<Column> = Column::ALL.into_iter().filter(|column| self.lines.iter().any(|line| line.sums[*column] > 0)).collect();
        write!(f, "{:32} {:>8}", "line", "signal")?;
        for column in &columns {
            write!(f, " {:>13}", column.name())?;
        }
        writeln!(f, " {:>13} {:>13}", "held", "residual")?;
        self.lines.iter().try_for_each(|line| line.write(f, &columns))?;
        writeln!(f, "receipts open: {}", self.open_receipts)
    }
}

impl LineReport {
    fn write(&self, f: &mut fmt::Formatter<'_>, columns: &[Column]) -> fmt::Result {
        write!(f, "{:32} {:>8}", self.name.to_string(), self.signal.name())?;
        for column in columns {
            write!(f, " {:>13}", self.sums[*column])?;
        }
        writeln!(f, " {:>13} {:>13}", self.held_units(), self.residual())?;
        for CauseReport { column, name, units } in &self.causes {
            writeln!(f, "    {} by {}, {}: {units}", column.name(), name.component, name.reason)?;
        }
        for HeldReport { name, units } in &self.held {
            writeln!(f, "    held by {name}: {units}")?;
        }
        Ok(())
    }
}
