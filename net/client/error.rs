//! Why a request has no answer, in words that say what to do where the cause is a usual one.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;

/// A request has no answer: no connection, or one that was lost. Whoever shows it adds no more: it is one line, without credentials.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    message: Arc<str>,
    is_unreached: bool,
}

impl ClientError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into().into(), is_unreached: false }
    }

    /// True where nobody was reached at all, so that nothing was sent.
    pub fn is_unreached(&self) -> bool {
        self.is_unreached
    }

    pub(super) fn unreached(self) -> Self {
        Self { is_unreached: true, ..self }
    }

    /// What was tried, and why it went wrong, down to the innermost cause.
    pub(super) fn of(tried: &str, error: &(dyn Error + 'static)) -> Self {
        let mut message = tried.to_owned();
        let mut cause = Some(error);
        let mut said = String::new();
        while let Some(error) = cause {
            let words = error.to_string();
            // A cause often repeats what its effect has said.
            if !said.contains(&words) {
                let _ = write!(message, ": {words}");
                said = words;
            }
            cause = error.source();
        }
        Self::new(message)
    }

    /// The same with what is mostly the reason.
    pub(super) fn hint(&self, hint: &str) -> Self {
        Self::new(format!("{}; {hint}", self.message))
    }
}
