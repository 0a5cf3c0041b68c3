//! Having requests signed by an extension, if the user named one.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tracetailor_core::component::{BuildError, ComponentId, Credentials, Outgoing, Services};
use tracetailor_core::config::{Auth, Secret};

use super::headers::header_value;
use super::{ClientError, Route};

/// Whoever signs requests; most often nobody.
#[derive(Clone, Default)]
pub struct Signer(Option<Arc<dyn Credentials>>);

impl Signer {
    /// The extension that an `auth:` block names.
    pub fn of(auth: Option<&Auth>, services: &Services) -> Result<Self, BuildError> {
        let Some(auth) = auth else { return Ok(Self(None)) };
        let id: ComponentId = auth.authenticator.parse()?;
        let credentials = services.of::<dyn Credentials>(&id).ok_or_else(|| {
            let right = "list one in service.extensions that does, such as basicauth with client_auth or bearertokenauth with a token";
            BuildError::new(format!("{id} is no extension that signs requests"), right)
        })?;
        Ok(Self(Some(credentials)))
    }

    /// The headers that the signature adds to a request; it covers the body as it will be sent.
    pub async fn sign(&self, route: &Route, body: &Bytes) -> Result<HeaderMap, ClientError> {
        let mut signed = HeaderMap::new();
        let Some(credentials) = &self.0 else { return Ok(signed) };
        let uri = route.uri().to_string();
        let mut outgoing = Outgoing { method: "POST", uri: &uri, headers: Vec::new(), body };
        let told = route.headers().iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        outgoing.headers.extend(told.map(|(name, value)| (name, Secret::from(value))));
        let failed = |error: tracetailor_core::component::RunError| ClientError::new(format!("the request cannot be signed: {error}"));
        credentials.sign(&mut outgoing).await.map_err(failed)?;
        for (name, value) in &outgoing.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), header_value(value)) {
                signed.insert(name, value);
            }
        }
        Ok(signed)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Signer" } else { "Signer(none)" })
    }
}
