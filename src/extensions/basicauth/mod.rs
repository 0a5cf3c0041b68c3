#![doc = include_str!("README.md")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tracetailor_core::component::{
    Authenticator, BoxFuture, BuildContext, BuildError, Component, Credentials, Extension, ExtensionContext, ExtensionFactory, Extensions,
    Identity, Outgoing, RunError, Services, Stability, Unauthenticated,
};
use tracetailor_core::config::{ConfigErrors, Schema, Secret, Validate};
use tracetailor_net::credentials::{SecretFile, watch};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who is let in, for receivers.
    pub htpasswd: Option<Htpasswd>,
    /// Who we are, for exporters.
    pub client_auth: Option<ClientAuth>,
}

/// Who is let in: a line `name:password` for each.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Htpasswd {
    /// A file with the lines. It is read again when it changes.
    pub file: String,
    /// The lines, written out here. Of a name in both, this password holds.
    pub inline: Secret,
}

/// Who we are.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientAuth {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// A file with the name, read again when it changes.
    pub username_file: String,
    /// A file with the password, read again when it changes.
    pub password_file: String,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        match (&self.htpasswd, &self.client_auth) {
            (None, None) => errors
                .error_here("says neither who is let in nor who we are", "add htpasswd for a receiver, or client_auth for an exporter"),
            (Some(_), Some(_)) => {
                errors.error("client_auth", "htpasswd is given as well", "write two extensions, such as basicauth/in and basicauth/out")
            }
            _ => {}
        }
        if let Some(htpasswd) = &self.htpasswd
            && htpasswd.file.is_empty()
            && htpasswd.inline.is_empty()
        {
            errors.at("htpasswd").error_here("lets nobody in", "add file or inline");
        }
        if let Some(client) = &self.client_auth
            && client.username.is_empty()
            && client.username_file.is_empty()
        {
            errors.at("client_auth").error("username", "is missing", "add username or username_file");
        }
    }
}

/// How one is made.
pub const FACTORY: ExtensionFactory = ExtensionFactory::of::<BasicAuth>("basicauth", Stability::Beta, include_str!("README.md"));

/// Lets in who knows a name and its password, or shows a name and its password.
pub enum BasicAuth {
    /// For receivers.
    LetsIn(Arc<Known>),
    /// For exporters.
    Shows(Arc<Shown>),
}

/// Who is let in.
pub struct Known {
    written: BTreeMap<String, Secret>,
    file: Option<SecretFile>,
}

/// Who we are.
pub struct Shown {
    name: Text,
    password: Text,
}

/// A text, as written or from a file.
enum Text {
    Written(Secret),
    File(SecretFile),
}

impl Component for BasicAuth {
    type Kind = Extensions;
    type Config = Config;

    fn build(config: &Config, _context: &BuildContext) -> Result<Box<dyn Extension>, BuildError> {
        if let Some(client) = &config.client_auth {
            let name = Text::of("client_auth.username_file", &client.username_file, Secret::from(client.username.clone()))?;
            let password = Text::of("client_auth.password_file", &client.password_file, client.password.clone())?;
            return Ok(Box::new(Self::Shows(Arc::new(Shown { name, password }))));
        }
        let htpasswd = config.htpasswd.clone().unwrap_or_default();
        let file = (!htpasswd.file.is_empty()).then(|| read("htpasswd.file", &htpasswd.file)).transpose()?;
        let written = lines(&htpasswd.inline)?;
        if let Some(file) = &file {
            lines(&file.get())?;
        }
        Ok(Box::new(Self::LetsIn(Arc::new(Known { written, file }))))
    }
}

impl Extension for BasicAuth {
    fn offer(&self, services: &mut Services) {
        match self {
            BasicAuth::LetsIn(known) => services.offer::<dyn Authenticator>(known.clone()),
            BasicAuth::Shows(shown) => services.offer::<dyn Credentials>(shown.clone()),
        }
    }

    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
        let files = match *self {
            BasicAuth::LetsIn(known) => known.file.iter().cloned().collect(),
            BasicAuth::Shows(shown) => [&shown.name, &shown.password].into_iter().filter_map(Text::file).cloned().collect(),
        };
        Box::pin(async move {
            watch(files, context.stop).await;
            Ok(())
        })
    }
}

impl Authenticator for Known {
    fn authenticate(&self, header: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Unauthenticated> {
        let shown = header("authorization").map(Secret::from).ok_or(Unauthenticated("there is no authorization header"))?;
        let coded = shown.expose().strip_prefix("Basic ").ok_or(Unauthenticated("the header has another scheme"))?;
        let decoded = STANDARD.decode(coded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Secret::from);
        let decoded = decoded.ok_or(Unauthenticated("the header is not base64 of a name and a password"))?;
        let (name, password) = decoded.expose().split_once(':').ok_or(Unauthenticated("the header holds no name and password"))?;
        // A name that is not known is compared, too, so that the time does not tell which there are.
        match self.password_of(name).unwrap_or_default().is(password) && self.password_of(name).is_some() {
            true => Ok(Identity::default()),
            false => Err(Unauthenticated("name or password is wrong")),
        }
    }
}

impl Known {
    fn password_of(&self, name: &str) -> Option<Secret> {
        let in_file = || lines(&self.file.as_ref()?.get()).ok()?.remove(name);
        self.written.get(name).cloned().or_else(in_file)
    }
}

impl Credentials for Shown {
    fn sign<'a>(&'a self, request: &'a mut Outgoing<'_>) -> BoxFuture<'a, Result<(), RunError>> {
        Box::pin(async move {
            let pair = Secret::from(format!("{}:{}", self.name.get().expose(), self.password.get().expose()));
            let value = format!("Basic {}", STANDARD.encode(pair.expose()));
            request.headers.push(("authorization".to_owned(), Secret::from(value)));
            Ok(())
        })
    }
}

impl Text {
    fn of(key: &str, file: &str, written: Secret) -> Result<Self, BuildError> {
        Ok(if file.is_empty() { Text::Written(written) } else { Text::File(read(key, file)?) })
    }

    fn get(&self) -> Secret {
        match self {
            Text::Written(text) => text.clone(),
            Text::File(file) => file.get(),
        }
    }

    fn file(&self) -> Option<&SecretFile> {
        match self {
            Text::Written(_) => None,
            Text::File(file) => Some(file),
        }
    }
}

fn read(key: &str, file: &str) -> Result<SecretFile, BuildError> {
    SecretFile::read(file).map_err(|error| BuildError::new(format!("{key}: {file} cannot be read: {error}"), "name a file that is there"))
}

/// Names and passwords, one pair on a line. Passwords that are hashed are refused rather than compared as they stand, which would let in
/// whoever knows the hash.
fn lines(text: &Secret) -> Result<BTreeMap<String, Secret>, BuildError> {
    let mut known = BTreeMap::new();
    for (number, line) in text.expose().lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let place = format!("htpasswd, line {}", number + 1);
        let Some((name, password)) = line.split_once(':') else {
            return Err(BuildError::new(format!("{place}: is not a name and a password"), "write name:password"));
        };
        if password.starts_with("$2") || password.starts_with("$apr1$") || password.starts_with("{SHA}") {
            let wrong = format!("{place}: the password of {name} is hashed; here that is planned and does not work yet");
            return Err(BuildError::new(wrong, "write the password itself, from a file that only the gateway can read"));
        }
        known.insert(name.to_owned(), Secret::from(password.to_owned()));
    }
    Ok(known)
}

#[cfg(test)]
mod tests;
