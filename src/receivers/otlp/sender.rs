//! Who sends, as far as it is asked for: the tenant that an authenticator tells, headers that processors want, and those that become
//! attributes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use http::header::HeaderMap;
use tracetailor_core::component::{Authenticator, BuildError};
use tracetailor_core::config::Auth;
use tracetailor_core::telemetry::{Path, Signal, Source, Telemetry, Value};
use tracetailor_net::grpc::Code;

use super::outcome::Refusal;

/// Who sent a request.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) source: Arc<Source>,
    /// Values for resource attributes, by their place among those asked for.
    lifted: Vec<(usize, Value)>,
}

/// What is asked of whoever sends.
pub(super) struct Door {
    /// What is known of a sender where nothing is asked.
    pub(super) plain: Arc<Source>,
    pub(super) auth: Option<Checked>,
    pub(super) include_metadata: bool,
    pub(super) lifts: Arc<Vec<Lift>>,
}

/// What checks who sends, and the query parameters that it may look at besides headers.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) params: Vec<String>,
}

/// A header that becomes a resource attribute.
#[derive(Debug)]
pub(super) struct Lift {
    header: HeaderName,
    /// In the order of [`Signal::ALL`].
    paths: Vec<Path>,
}

impl Lift {
    /// Those that are configured.
    pub(super) fn all(configured: &BTreeMap<String, String>) -> Result<Vec<Lift>, BuildError> {
        configured.iter().map(|(header, attribute)| Lift::new(header, attribute)).collect()
    }

    fn new(header: &str, attribute: &str) -> Result<Lift, BuildError> {
        let wrong = |what: String| BuildError::new(what, "write metadata_attributes: {x-tenant: tenant.id}");
        let name = HeaderName::from_bytes(header.as_bytes()).map_err(|_| wrong(format!("{header:?} is no name of a header")))?;
        let quoted = attribute.replace('\\', "\\\\").replace('"', "\\\"");
        let path = |signal| Path::parse(signal, &format!("resource.attributes[\"{quoted}\"]"));
        let paths: Result<Vec<Path>, _> = Signal::ALL.into_iter().map(path).collect();
        Ok(Lift { header: name, paths: paths.map_err(|_| wrong(format!("{attribute:?} is no name of an attribute")))? })
    }
}

impl Door {
    /// Who sends, if it may.
    pub(super) fn admit(&self, headers: &HeaderMap, query: Option<&str>) -> Result<Sender, Refusal> {
        let tenant = self.auth.as_ref().map_or(Ok(None), |auth| self.authenticate(auth, headers, query))?;
        let source = if tenant.is_none() && !self.include_metadata {
            self.plain.clone()
        } else {
            let metadata = if self.include_metadata { metadata_of(headers) } else { Vec::new() };
            Arc::new(Source { tenant, metadata, ..Source::clone(&self.plain) })
        };
        let value = |lift: &Lift| headers.get(&lift.header).map(|value| Value::from(&*String::from_utf8_lossy(value.as_bytes())));
        let lifted = self.lifts.iter().enumerate().filter_map(|(place, lift)| Some((place, value(lift)?)));
        Ok(Sender { source, lifted: lifted.collect() })
    }

    fn authenticate(&self, auth: &Checked, headers: &HeaderMap, query: Option<&str>) -> Result<Option<String>, Refusal> {
        let header = |name: &str| {
            let header = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            header.or_else(|| auth.params.iter().any(|param| param == name).then(|| param(query?, name))?)
        };
        auth.authenticator.authenticate(&header).map(|who| who.tenant).map_err(|why| {
            tracing::debug!(receiver = self.plain.receiver, %why, "a request was not let in");
            Refusal::new("unauthenticated", Code::UNAUTHENTICATED, "unauthenticated")
        })
    }
}

impl Sender {
    /// Writes the attributes that its headers stand for.
    pub(super) fn mark(&self, lifts: &[Lift], batch: &mut Telemetry) {
        let signal = batch.signal();
        let place = Signal::ALL.iter().position(|known| *known == signal).unwrap_or_default();
        for (lift, value) in &self.lifted {
            let path = &lifts[*lift].paths[place];
            batch.map_contexts(|context| context.set(path, value).ok());
        }
    }

    pub(super) fn marks(&self) -> bool {
        !self.lifted.is_empty()
    }
}

/// The value of a parameter of a query, as it stands there.
fn param(query: &str, name: &str) -> Option<String> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// Headers as processors may ask for them.
fn metadata_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let known = headers.iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    known.collect()
}

impl Checked {
    /// The one that an `auth` block names.
    pub(super) fn new(auth: &Auth, services: &tracetailor_core::component::Services) -> Result<Self, BuildError> {
        let id = auth.authenticator.parse()?;
        let found = services.of::<dyn Authenticator>(&id);
        let authenticator = found.ok_or_else(|| {
            let wrong = format!("auth.authenticator names {id}, which checks nobody here");
            BuildError::new(wrong, "name an extension such as basicauth or bearertokenauth, and list it in service.extensions")
        })?;
        Ok(Self { authenticator, params: auth.request_params.iter().cloned().collect() })
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checked")
    }
}
