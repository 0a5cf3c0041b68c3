//! Why a component could not be built, must be built anew, or stopped running.

use crate::config::KeyError;

/// Why a component could not be built from a configuration that is valid in itself: a file that is not there, a certificate that has
/// expired. What can be seen in the configuration alone is for [`Validate`](crate::config::Validate) to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}; {right}")]
pub struct BuildError {
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl BuildError {
    /// An error from its two halves.
    pub fn new(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), right: right.into() }
    }
}

impl From<KeyError> for BuildError {
    fn from(error: KeyError) -> Self {
        Self { wrong: error.wrong, right: error.right }
    }
}

/// A component cannot take on a new configuration as it is: the gateway builds another one in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this change needs a new instance")]
pub struct NeedsRebuild;

/// Why a receiver or an extension stopped before it was asked to. The gateway logs it and shuts down.
pub type RunError = Box<dyn std::error::Error + Send + Sync>;
