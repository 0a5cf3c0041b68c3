//! TLS of those who connect.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tracetailor_core::component::BuildError;
use tracetailor_core::config::ClientTls;
use tracetailor_core::time::{Clock, LogTime};

use super::material::{certificates, private_key, provider, versions};

/// How connections are encrypted. Files are read when it is made, and again at the first connection after `reload_interval`.
pub struct TlsClient {
    block: ClientTls,
    protocols: Vec<Vec<u8>>,
    clock: Clock,
    loaded: Mutex<(Arc<ClientConfig>, LogTime)>,
}

impl TlsClient {
    /// From the block, offering these protocols (`h2`, `http/1.1`) in this order.
    pub fn new(block: &ClientTls, protocols: &[&str], clock: Clock) -> Result<Self, BuildError> {
        let protocols: Vec<Vec<u8>> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let loaded = (Arc::new(load(block, &protocols)?), clock.now());
        Ok(Self { block: block.clone(), protocols, clock, loaded: Mutex::new(loaded) })
    }

    /// What the next connection is made with.
    pub fn config(&self) -> Arc<ClientConfig> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let (every, now) = (Duration::from(self.block.reload_interval), self.clock.now());
        if !every.is_zero() && now.since(loaded.1) >= every {
            loaded.1 = now;
            match load(&self.block, &self.protocols) {
                Ok(config) => loaded.0 = Arc::new(config),
                Err(error) => tracing::warn!(%error, "tls files were read again and cannot be used, those read before stay in use"),
            }
        }
        loaded.0.clone()
    }

    /// Whose certificate a server must show that was dialled as `host`.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, rustls_pki_types::InvalidDnsNameError> {
        let name = if self.block.server_name_override.is_empty() { host } else { &self.block.server_name_override };
        ServerName::try_from(name.to_owned())
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClient")
    }
}

fn load(block: &ClientTls, protocols: &[Vec<u8>]) -> Result<ClientConfig, BuildError> {
    let provider = provider(&block.cipher_suites, &block.curve_preferences)?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(block.min_version, block.max_version))
        .map_err(|error| BuildError::new(format!("tls: {error}"), "give versions, suites and curves that go together"))?;
    let builder = if block.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        let listed = certificates("ca", &block.ca_file, &block.ca_pem)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(block, &listed)?), provider).build();
        let nobody = |error| BuildError::new(format!("tls: {error}"), "name the signers to trust in tls.ca_file: the system knows none");
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Trusted { signed: verifier.map_err(nobody)?, listed }))
    };
    let own = certificates("cert", &block.cert_file, &block.cert_pem)?;
    let mut config = match private_key(&block.key_file, &block.key_pem)? {
        Some(key) => builder.with_client_auth_cert(own, key).map_err(|error| {
            BuildError::new(format!("tls: certificate and key cannot be used: {error}"), "give the key of this certificate")
        })?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.to_vec();
    Ok(config)
}

/// The signers to trust.
fn roots(block: &ClientTls, listed: &[CertificateDer<'static>]) -> Result<RootCertStore, BuildError> {
    let mut roots = match listed.is_empty() || block.include_system_ca_certs_pool {
        true => system_roots().clone(),
        false => RootCertStore::empty(),
    };
    for certificate in listed {
        roots.add(certificate.clone()).map_err(|error| {
            BuildError::new(
                format!("tls.ca_file (or ca_pem) holds a certificate that cannot be used: {error}"),
                "give the signer's own certificate",
            )
        })?;
    }
    Ok(roots)
}

/// What the system trusts, read once: it is some hundred files on some systems.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

/// Accepts who is signed by somebody trusted, and who shows the very certificate that is listed: `openssl req -x509` makes certificates for
/// servers that call themselves signers, which the rules for signed ones refuse.
#[derive(Debug)]
struct Trusted {
    signed: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.signed.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // That it has not expired was looked at before.
            Err(error) if error.to_string().contains("CaUsedAsEndEntity") && self.listed.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

/// Accepts whoever answers, as `insecure_skip_verify` asks for. That the other side has the key of the certificate it shows is still
/// checked: it costs nothing, and a broken connection is found out.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
