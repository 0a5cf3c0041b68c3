//! How an answer is given: what was asked for to one stream, what is said about it to the other, and a number for programs.

use std::io::{self, Write};
use std::process::ExitCode;

/// The configuration is wrong.
const WRONG: u8 = 1;
/// The command line was not understood.
const NOT_UNDERSTOOD: u8 = 2;
/// Something outside was in the way.
const IN_THE_WAY: u8 = 3;
/// Nothing is known of what was asked for.
const UNKNOWN: u8 = 4;

/// What came of a command.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    asked: String,
    remarks: String,
    code: u8,
}

impl Outcome {
    /// It was done, and this is what was asked for.
    pub(crate) fn done(asked: String) -> Self {
        Self { asked, ..Self::default() }
    }

    /// The configuration is wrong, and this is why.
    pub(crate) fn wrong(remarks: String) -> Self {
        Self { remarks, code: WRONG, ..Self::default() }
    }

    /// The command line asks for something that there is not.
    pub(crate) fn not_understood(remarks: String) -> Self {
        Self { remarks, code: NOT_UNDERSTOOD, ..Self::default() }
    }

    /// Something outside was in the way.
    pub(crate) fn in_the_way(remarks: String) -> Self {
        Self { remarks, code: IN_THE_WAY, ..Self::default() }
    }

    /// Nothing is known of what was asked for, and this is what can be said all the same.
    pub(crate) fn unknown(asked: String) -> Self {
        Self { asked, code: UNKNOWN, ..Self::default() }
    }

    /// The same with remarks about it.
    #[must_use]
    pub(crate) fn remarking(self, remarks: String) -> Self {
        Self { remarks, ..self }
    }

    /// What goes to one stream, what to the other, and the number.
    #[cfg(test)]
    pub(crate) fn parts(&self) -> (String, String, u8) {
        (self.asked.clone(), self.remarks.clone(), self.code)
    }

    /// Says it where it belongs. A reader that hung up is not an error of ours.
    pub(crate) fn tell(&self) -> ExitCode {
        let _ = io::stdout().lock().write_all(self.asked.as_bytes());
        let _ = io::stderr().lock().write_all(self.remarks.as_bytes());
        ExitCode::from(self.code)
    }
}
