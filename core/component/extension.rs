//! The contract of an extension: it takes no part in pipelines and serves those that do.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::BoxFuture;
use super::context::BuildContext;
use super::error::RunError;
use super::id::ComponentId;
use super::stop::Stop;
use crate::config::Secret;

/// Something that serves the other components, or whoever runs the gateway: it says whether the gateway is healthy, checks who sends, signs
/// what is sent, keeps things on disk.
///
/// # When it runs
///
/// Extensions are built first, in the order of `service.extensions`, so that the others find what they [offer](Extension::offer) when they
/// are built. They are started before receivers and asked to stop after exporters, because both may need them to the last.
///
/// # Who owns what
///
/// What it offers is shared: it is called from any thread at any time, also while `run` runs and after it has returned. No batch ever
/// reaches an extension.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use tracetailor_core::component::{
///     Authenticator, BoxFuture, Extension, ExtensionContext, Identity, RunError, Services, Unauthenticated,
/// };
/// use tracetailor_core::config::Secret;
///
/// struct Token(Secret);
///
/// impl Authenticator for Token {
///     fn authenticate(&self, header: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Unauthenticated> {
///         let presented = header("authorization").ok_or(Unauthenticated("there is no authorization header"))?;
///         match presented.strip_prefix("Bearer ").is_some_and(|token| self.0.is(token)) {
///             true => Ok(Identity::default()),
///             false => Err(Unauthenticated("the token is not the right one")),
///         }
///     }
/// }
///
/// struct TokenAuth(Arc<Token>);
///
/// impl Extension for TokenAuth {
///     fn offer(&self, services: &mut Services) {
///         services.offer::<dyn Authenticator>(self.0.clone());
///     }
///
///     fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
///         Box::pin(async move { Ok(context.stop.asked().await) })
///     }
/// }
///
/// let id = "token".parse().unwrap();
/// let mut services = Services::default().by(&id);
/// TokenAuth(Arc::new(Token(Secret::from("s3cret".to_owned())))).offer(&mut services);
/// let auth = services.of::<dyn Authenticator>(&id).unwrap();
/// assert!(auth.authenticate(&|_| Some("Bearer s3cret".to_owned())).is_ok());
/// assert!(auth.authenticate(&|_| None).is_err());
/// ```
pub trait Extension: Send {
    /// Says what it has for others. Called once, before anything that could ask for it is built.
    fn offer(&self, _services: &mut Services) {}

    /// Runs until it is asked to stop. One that has nothing to run waits for just that.
    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>>;
}

/// What an extension is handed when it runs.
#[derive(Clone, Debug)]
pub struct ExtensionContext {
    /// What it was built with.
    pub build: BuildContext,
    /// Tells when to stop.
    pub stop: Stop,
}

impl Deref for ExtensionContext {
    type Target = BuildContext;

    fn deref(&self) -> &BuildContext {
        &self.build
    }
}

/// What extensions offer, by the extension's id and by what it is: `services.of::<dyn Authenticator>(&id)`.
#[derive(Clone, Default)]
pub struct Services {
    offered: BTreeMap<ComponentId, Vec<Offered>>,
    by: Option<ComponentId>,
}

/// A service, and as what it was offered.
type Offered = (TypeId, Arc<dyn Any + Send + Sync>);

impl Services {
    /// The same, taking what is offered next as offered by this extension.
    #[must_use]
    pub fn by(mut self, id: &ComponentId) -> Self {
        self.offered.entry(id.clone()).or_default();
        self.by = Some(id.clone());
        self
    }

    /// Offers a service. `S` is what others will ask for, mostly a `dyn` trait.
    pub fn offer<S: ?Sized + Send + Sync + 'static>(&mut self, service: Arc<S>) {
        if let Some(id) = &self.by {
            // An Arc in an Arc: only a sized type can be looked up by its own.
            self.offered.entry(id.clone()).or_default().push((TypeId::of::<S>(), Arc::new(service)));
        }
    }

    /// A service of an extension, if that offers it.
    pub fn of<S: ?Sized + Send + Sync + 'static>(&self, id: &ComponentId) -> Option<Arc<S>> {
        let (_, service) = self.offered.get(id)?.iter().find(|(kind, _)| *kind == TypeId::of::<S>())?;
        service.downcast_ref::<Arc<S>>().cloned()
    }

    /// The extensions there are.
    pub fn ids(&self) -> impl Iterator<Item = &ComponentId> {
        self.offered.keys()
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

/// A service: checks who sends.
pub trait Authenticator: Send + Sync {
    /// Looks at the headers of a request, given by their lower-case names, before its body is read. Answers at once: what it needs from
    /// elsewhere (keys, lists) its extension fetches beforehand.
    fn authenticate(&self, header: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Unauthenticated>;
}

/// Who sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The tenant, where the authenticator tells tenants apart.
    pub tenant: Option<String>,
}

/// A sender is not let in. The reason is for the log: a client is told only that it was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unauthenticated(pub &'static str);

/// A service: adds what proves to a destination who we are.
pub trait Credentials: Send + Sync {
    /// Adds headers to a request that is otherwise ready: a signature covers the body as it will be sent, compressed.
    fn sign<'a>(&'a self, request: &'a mut Outgoing<'_>) -> BoxFuture<'a, Result<(), RunError>>;
}

/// A request about to be sent.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// `POST`.
    pub method: &'a str,
    /// Where to.
    pub uri: &'a str,
    /// Headers, by lower-case name.
    pub headers: Vec<(String, Secret)>,
    /// The body as it will be sent.
    pub body: &'a [u8],
}

/// A service that the gateway itself offers, under the id `gateway`: for those who let a person look at it and steer it.
pub trait Steering: Send + Sync {
    /// Reads the configuration again and takes it on, or says why it goes on with the old one.
    fn reload(&self) -> BoxFuture<'static, Reloaded>;

    /// The configuration that is in force, as YAML, with secrets hidden.
    fn configuration(&self) -> String;

    /// Whether pipelines take telemetry now; if not, why not: starting, stopping.
    fn ready(&self) -> Result<(), String>;
}

impl dyn Steering {
    /// Under what id the gateway offers it. No configured extension has it: it has no type.
    pub const ID: &'static str = "gateway";
}

/// What came of a request to reload: what changed, or all that is wrong with the new configuration.
pub type Reloaded = Result<String, String>;
