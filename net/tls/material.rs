//! What both ends of TLS are made of: certificates and keys in PEM, versions, cipher suites, curves. Every error names the key to mend.

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tracetailor_core::component::BuildError;
use tracetailor_core::config::{Secret, TlsVersion, quoted};

/// Certificates from `{name}_file` or `{name}_pem`, whichever is given; none where neither is.
pub fn certificates(name: &str, file: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let (key, bytes) = match (file, pem) {
        ("", "") => return Ok(Vec::new()),
        ("", pem) => (format!("tls.{name}_pem"), pem.as_bytes().to_vec()),
        (file, _) => (format!("tls.{name}_file"), read(&format!("tls.{name}_file"), file)?),
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(BuildError::new(format!("{key} holds no certificate"), "give a text that begins with -----BEGIN CERTIFICATE-----")),
    }
}

/// The private key from `key_file` or `key_pem`; none where neither is given.
pub fn private_key(file: &str, pem: &Secret) -> Result<Option<PrivateKeyDer<'static>>, BuildError> {
    let (key, bytes) = match (file, pem.is_empty()) {
        ("", true) => return Ok(None),
        ("", false) => ("tls.key_pem", pem.expose().as_bytes().to_vec()),
        (file, _) => ("tls.key_file", read("tls.key_file", file)?),
    };
    let right = "give a text that begins with -----BEGIN PRIVATE KEY-----, without a passphrase";
    let found = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| BuildError::new(format!("{key} holds no private key"), right));
    found.map(Some)
}

fn read(key: &str, file: &str) -> Result<Vec<u8>, BuildError> {
    std::fs::read(file).map_err(|error| {
        BuildError::new(format!("{key} cannot be read: {error}: {}", quoted(file)), "check that the file is there and may be read")
    })
}

/// The versions to speak. That both limits are spoken at all was checked with the configuration.
pub fn versions(least: Option<TlsVersion>, most: Option<TlsVersion>) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(TlsVersion::V1_3, &TLS13), (TlsVersion::V1_2, &TLS12)];
    let spoken = all.iter().filter(|(version, _)| least.is_none_or(|least| *version >= least) && most.is_none_or(|most| *version <= most));
    spoken.map(|(_, version)| *version).collect()
}

/// The cryptography, with these suites of TLS 1.2 and these curves; all there are where none are named.
pub fn provider(suites: &[String], curves: &[String]) -> Result<Arc<CryptoProvider>, BuildError> {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        let known: Vec<String> = ring::ALL_CIPHER_SUITES.iter().map(|suite| format!("{:?}", suite.suite())).collect();
        if let Some(unknown) = suites.iter().find(|suite| !known.contains(suite)) {
            let spoken: Vec<&str> = known.iter().map(String::as_str).filter(|name| name.starts_with("TLS_")).collect();
            let wrong = format!("tls.cipher_suites: {} is not spoken here", quoted(unknown));
            return Err(BuildError::new(wrong, format!("there are {}", spoken.join(", "))));
        }
        // Those of 1.3 are all good, and nobody names them.
        provider.cipher_suites.retain(|suite| suite.tls13().is_some() || suites.contains(&format!("{:?}", suite.suite())));
    }
    if !curves.is_empty() {
        provider.kx_groups = groups(curves)?;
    }
    Ok(Arc::new(provider))
}

/// Curves that others have and ring has not are passed over, as long as one is left.
fn groups(curves: &[String]) -> Result<Vec<&'static dyn rustls::crypto::SupportedKxGroup>, BuildError> {
    let mut groups = Vec::new();
    for curve in curves {
        match curve.as_str() {
            "X25519" => groups.push(ring::kx_group::X25519),
            "P256" => groups.push(ring::kx_group::SECP256R1),
            "P384" => groups.push(ring::kx_group::SECP384R1),
            "P521" | "X25519MLKEM768" => {}
            other => {
                return Err(BuildError::new(
                    format!("tls.curve_preferences: {} is no curve", quoted(other)),
                    "there are P256, P384, X25519",
                ));
            }
        }
    }
    if groups.is_empty() {
        return Err(BuildError::new("tls.curve_preferences names no curve that is spoken here", "add one of P256, P384, X25519"));
    }
    Ok(groups)
}
