//! TLS for those who listen: certificates from the configuration, read again when they change, and the old ones kept where the new ones are
//! no good.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tracetailor_core::config::{ServerTls, TlsVersion};

/// Why TLS cannot be spoken as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct TlsError {
    /// The key of the `tls` block.
    pub key: &'static str,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl TlsError {
    fn new(key: &'static str, why: impl fmt::Display) -> Self {
        Self { key, why: why.to_string() }
    }
}

/// What a listener speaks TLS with.
pub struct Tls {
    keys: ServerTls,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    read_at: Instant,
    /// When the file with the clients' signers was last written.
    signers_of: Option<SystemTime>,
}

/// How often the clients' signers are looked at, at most.
const SIGNERS_EVERY: Duration = Duration::from_secs(1);

impl Tls {
    /// Reads certificates and keys.
    pub fn new(keys: &ServerTls) -> Result<Self, TlsError> {
        let current = Current { config: Arc::new(read(keys)?), read_at: Instant::now(), signers_of: written(&keys.client_ca_file) };
        Ok(Self { keys: keys.clone(), current: Mutex::new(current) })
    }

    /// What to accept the next connection with. Files are read again here where it is time to; where they are no good, the old ones go on
    /// being used and `failed` is told.
    pub(super) fn acceptor(&self, failed: impl FnOnce(&TlsError)) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let age = current.read_at.elapsed();
        let every = self.keys.reload_interval.get();
        let is_time = !every.is_zero() && age >= every;
        let signers_of =
            if self.keys.client_ca_file_reload && age >= SIGNERS_EVERY { written(&self.keys.client_ca_file) } else { current.signers_of };
        if is_time || signers_of != current.signers_of {
            current.read_at = Instant::now();
            match read(&self.keys) {
                Ok(config) => {
                    current.config = Arc::new(config);
                    current.signers_of = signers_of;
                }
                Err(error) => failed(&error),
            }
        }
        TlsAcceptor::from(current.config.clone())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn written(file: &str) -> Option<SystemTime> {
    std::fs::metadata(Path::new(file)).and_then(|found| found.modified()).ok()
}

fn read(keys: &ServerTls) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(provider(keys)?);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(keys))
        .map_err(|error| TlsError::new("min_version", error))?;
    let builder = if keys.client_ca_file.is_empty() {
        builder.with_no_client_auth()
    } else {
        let signers = Arc::new(signers(&keys.client_ca_file)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(signers, provider).build();
        builder.with_client_cert_verifier(verifier.map_err(|error| TlsError::new("client_ca_file", error))?)
    };
    let mut config =
        builder.with_single_cert(certificates(keys)?, private_key(keys)?).map_err(|error| TlsError::new("cert_file", error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// ring, with what the configuration asks for and nothing else.
fn provider(keys: &ServerTls) -> Result<CryptoProvider, TlsError> {
    let mut provider = rustls::crypto::ring::default_provider();
    if !keys.cipher_suites.is_empty() {
        // The suites of TLS 1.3 cannot be chosen, here as in Go.
        let is_asked = |suite: &rustls::SupportedCipherSuite| {
            suite.tls13().is_some() || keys.cipher_suites.iter().any(|name| name.replace("TLS_", "") == suite_name(suite))
        };
        let known: Vec<String> = provider.cipher_suites.iter().map(suite_name).collect();
        if let Some(unknown) = keys.cipher_suites.iter().find(|name| !known.contains(&name.replace("TLS_", ""))) {
            return Err(TlsError::new(
                "cipher_suites",
                format!("{unknown} is not spoken here; of TLS 1.2 there are: TLS_{}", known.join(", TLS_")),
            ));
        }
        provider.cipher_suites.retain(is_asked);
    }
    if !keys.curve_preferences.is_empty() {
        let groups: Result<Vec<_>, TlsError> = keys.curve_preferences.iter().map(|name| curve(name)).collect();
        provider.kx_groups = groups?;
    }
    Ok(provider)
}

fn suite_name(suite: &rustls::SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replace("TLS13_", "").replace("TLS_", "")
}

fn curve(name: &str) -> Result<&'static dyn rustls::crypto::SupportedKxGroup, TlsError> {
    use rustls::crypto::ring::kx_group::{SECP256R1, SECP384R1, X25519};
    match name {
        "X25519" => Ok(X25519),
        "P256" | "CurveP256" => Ok(SECP256R1),
        "P384" | "CurveP384" => Ok(SECP384R1),
        other => Err(TlsError::new("curve_preferences", format!("{other} is not spoken here; write X25519, P256 or P384"))),
    }
}

fn versions(keys: &ServerTls) -> Vec<&'static SupportedProtocolVersion> {
    let is_within =
        |version: TlsVersion| keys.min_version.is_none_or(|least| version >= least) && keys.max_version.is_none_or(|most| version <= most);
    let all = [(TlsVersion::V1_3, &rustls::version::TLS13), (TlsVersion::V1_2, &rustls::version::TLS12)];
    all.into_iter().filter(|(version, _)| is_within(*version)).map(|(_, version)| version).collect()
}

fn certificates(keys: &ServerTls) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let key = if keys.cert_file.is_empty() { "cert_pem" } else { "cert_file" };
    let pem = pem(key, &keys.cert_file, &keys.cert_pem)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(TlsError::new(key, "holds no certificate in PEM")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(TlsError::new(key, error)),
    }
}

fn private_key(keys: &ServerTls) -> Result<PrivateKeyDer<'static>, TlsError> {
    let key = if keys.key_file.is_empty() { "key_pem" } else { "key_file" };
    let pem = pem(key, &keys.key_file, keys.key_pem.expose())?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::new(key, "holds no private key in PEM"))
}

fn signers(file: &str) -> Result<RootCertStore, TlsError> {
    let pem = pem("client_ca_file", file, "")?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| TlsError::new("client_ca_file", error))?;
        store.add(certificate).map_err(|error| TlsError::new("client_ca_file", error))?;
    }
    if store.is_empty() {
        return Err(TlsError::new("client_ca_file", "holds no certificate in PEM"));
    }
    Ok(store)
}

fn pem(key: &'static str, file: &str, written: &str) -> Result<Vec<u8>, TlsError> {
    if file.is_empty() {
        return Ok(written.as_bytes().to_vec());
    }
    std::fs::read(file).map_err(|error| TlsError::new(key, format!("{file} cannot be read: {error}")))
}
