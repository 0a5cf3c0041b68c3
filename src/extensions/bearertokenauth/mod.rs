#![doc = include_str!("README.md")]

use std::sync::Arc;

use serde::Deserialize;
use tracetailor_core::component::{
    Authenticator, BoxFuture, BuildContext, BuildError, Component, Credentials, Extension, ExtensionContext, ExtensionFactory, Extensions,
    Identity, Outgoing, RunError, Services, Stability, Unauthenticated,
};
use tracetailor_core::config::{ConfigErrors, Schema, Secret, Validate};
use tracetailor_net::credentials::{SecretFile, watch};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What stands before the token; empty for nothing.
    pub scheme: String,
    /// The header that the token stands in.
    pub header: String,
    /// The token.
    pub token: Secret,
    /// Several tokens: whoever shows one of them is let in. The first is the one that is sent.
    pub tokens: Vec<Secret>,
    /// A file with the token, or with several, one on a line. It is read again when it changes, and goes before the other two.
    pub filename: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scheme: "Bearer".to_owned(),
            header: "Authorization".to_owned(),
            token: Secret::default(),
            tokens: Vec::new(),
            filename: String::new(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.filename.is_empty() && self.token.is_empty() && self.tokens.is_empty() {
            errors.error_here("there is no token", "add token, tokens or filename");
        }
        if !self.token.is_empty() && !self.tokens.is_empty() {
            errors.error("tokens", "token is given as well", "keep one of the two");
        }
        if self.tokens.iter().any(Secret::is_empty) {
            errors.error("tokens", "one of them is empty, and would let anybody in", "remove it");
        }
        if http::HeaderName::from_bytes(self.header.as_bytes()).is_err() {
            errors.error("header", "is no name of a header", "write one such as Authorization");
        }
    }
}

/// How one is made.
pub const FACTORY: ExtensionFactory =
    ExtensionFactory::of::<BearerTokenAuth>("bearertokenauth", Stability::Beta, include_str!("README.md"));

/// Shows a token, and lets in who shows one.
pub struct BearerTokenAuth(Arc<Tokens>);

struct Tokens {
    /// In lower case, as headers are asked for.
    header: String,
    /// With the blank behind it; empty for none.
    scheme: String,
    written: Vec<Secret>,
    file: Option<SecretFile>,
}

impl Component for BearerTokenAuth {
    type Kind = Extensions;
    type Config = Config;

    fn build(config: &Config, _context: &BuildContext) -> Result<Box<dyn Extension>, BuildError> {
        let unreadable =
            |error| BuildError::new(format!("filename: {} cannot be read: {error}", config.filename), "name a file with a token");
        let file = (!config.filename.is_empty()).then(|| SecretFile::read(&config.filename)).transpose().map_err(unreadable)?;
        let written = if config.token.is_empty() { config.tokens.clone() } else { vec![config.token.clone()] };
        let scheme = if config.scheme.is_empty() { String::new() } else { format!("{} ", config.scheme) };
        let tokens = Tokens { header: config.header.to_ascii_lowercase(), scheme, written, file };
        if tokens.all().is_empty() {
            return Err(BuildError::new(format!("filename: {} holds no token", config.filename), "write one into it"));
        }
        Ok(Box::new(Self(Arc::new(tokens))))
    }
}

impl Extension for BearerTokenAuth {
    fn offer(&self, services: &mut Services) {
        services.offer::<dyn Authenticator>(self.0.clone());
        services.offer::<dyn Credentials>(self.0.clone());
    }

    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
        let files = self.0.file.iter().cloned().collect();
        Box::pin(async move {
            watch(files, context.stop).await;
            Ok(())
        })
    }
}

impl Tokens {
    /// All that let in, as they are now.
    fn all(&self) -> Vec<Secret> {
        let Some(file) = &self.file else { return self.written.clone() };
        let lines = file.get();
        lines.expose().lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| Secret::from(line.to_owned())).collect()
    }
}

impl Authenticator for Tokens {
    fn authenticate(&self, header: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Unauthenticated> {
        let shown = header(&self.header).map(Secret::from).ok_or(Unauthenticated("the header with the token is missing"))?;
        let token = shown.expose().strip_prefix(&self.scheme).ok_or(Unauthenticated("the header has another scheme"))?;
        // All are compared, so that the time tells nothing of which is near.
        match self.all().iter().fold(false, |found, known| found | known.is(token)) {
            true => Ok(Identity::default()),
            false => Err(Unauthenticated("the token is not known")),
        }
    }
}

impl Credentials for Tokens {
    fn sign<'a>(&'a self, request: &'a mut Outgoing<'_>) -> BoxFuture<'a, Result<(), RunError>> {
        Box::pin(async move {
            let tokens = self.all();
            let token = tokens.first().ok_or("there is no token")?;
            request.headers.push((self.header.clone(), Secret::from(format!("{}{}", self.scheme, token.expose()))));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
