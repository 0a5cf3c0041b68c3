//! `status_code`: keeps traces with a span that ended in one of some ways.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema, quoted};
use tracetailor_core::telemetry::StatusCode;

use super::attribute::ByBit;
use super::{Block, Maker, Strictness, Voter};

/// In which.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct StatusCodes {
    /// `OK`, `ERROR` or `UNSET`.
    pub status_codes: OneOrMany<String>,
}

impl Block for StatusCodes {
    fn check(&self, errors: &mut ConfigErrors, _: Strictness) {
        if self.status_codes.is_empty() {
            errors.error("status_codes", "is empty: no span ends in none of them", "write [ERROR]");
        }
        for (index, code) in self.status_codes.iter().enumerate().filter(|(_, code)| code_of(code).is_none()) {
            let right = "write OK, ERROR or UNSET, in capitals";
            errors.at("status_codes").index(index).error_here(format!("there is no status code {}", quoted(code)), right);
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let codes = self.status_codes.iter().filter_map(|code| code_of(code)).collect();
        Box::new(ByBit { bit: maker.looks.status(codes), inverted: false })
    }
}

fn code_of(name: &str) -> Option<StatusCode> {
    match name {
        "OK" => Some(StatusCode::Ok),
        "ERROR" => Some(StatusCode::Error),
        "UNSET" => Some(StatusCode::Unset),
        _ => None,
    }
}
