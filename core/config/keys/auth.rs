//! Which extension checks who sends, or signs what is sent.

use serde::{Deserialize, Serialize};

use super::several::CommaList;
use crate::config::errors::ConfigErrors;
use crate::config::validate::Validate;

/// The Collector's `auth:` block, the same for those who listen and those who send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The id of the extension, as in `extensions`: `basicauth/clients`.
    pub authenticator: String,
    /// Query parameters of a request that the extension may look at, besides its headers.
    pub request_params: CommaList,
}

impl Validate for Auth {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.authenticator.is_empty() {
            errors.error_here("authenticator is missing", "name an extension, such as authenticator: basicauth, or remove the block");
        }
    }
}
