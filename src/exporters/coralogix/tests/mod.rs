//! The exporter against a strict ingress of ours: it takes what Coralogix takes, and says no as Coralogix does.

mod ingress;
mod keys;
mod sending;
