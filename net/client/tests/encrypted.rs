//! TLS: who is trusted, who we are, and what the mistakes are called.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tracetailor_core::config::{ClientTls, Period, TlsVersion};

use super::*;

/// Signs certificates.
struct Signer(CertifiedIssuer<'static, KeyPair>);

impl Signer {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = format!("signer {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// One that calls itself a signer and serves under this name, as `openssl req -x509` makes them.
    fn serving(name: &str, year: i32) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A destination with a certificate for a name, which may want to see one of this signer's, too.
    async fn destination(&self, name: &str, protocols: &[&str], wants_certificate: bool) -> Destination {
        self.shows(self.sign(name), protocols, wants_certificate).await
    }

    /// A destination that shows this certificate.
    async fn shows(&self, (certificate, key): (String, String), protocols: &[&str], wants_certificate: bool) -> Destination {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = if wants_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap()).unwrap();
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let mut config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let wrap = move |socket, _| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
            let acceptor = acceptor.clone();
            Box::pin(async move { acceptor.accept(socket).await.ok() })
        };
        Destination::start_with("127.0.0.1:0", [], wrap).await.unwrap()
    }

    fn trusted(&self) -> ClientTls {
        ClientTls { ca_pem: self.pem(), ..ClientTls::default() }
    }
}

fn client(to: &Destination, protocol: Protocol, tls: &ClientTls) -> Client {
    Client::new(settings(to, protocol).encrypted(tls).unwrap())
}

#[tokio::test]
async fn the_better_protocol_is_chosen_where_there_is_a_choice() {
    let signer = Signer::new();
    for (offered, protocol, expected) in [
        (&["h2", "http/1.1"][..], Protocol::Negotiated, Version::HTTP_2),
        (&["http/1.1"], Protocol::Negotiated, Version::HTTP_11),
        (&[], Protocol::Negotiated, Version::HTTP_11),
        (&["h2", "http/1.1"], Protocol::Http1, Version::HTTP_11),
        (&["h2"], Protocol::Http2, Version::HTTP_2),
        (&[], Protocol::Http2, Version::HTTP_2),
    ] {
        let destination = signer.destination("127.0.0.1", offered, false).await;
        let client = client(&destination, protocol, &signer.trusted());
        let all = futures_util::future::join_all((0..3).map(|_| post(&client))).await;
        assert!(all.iter().all(Result::is_ok), "{offered:?} {protocol:?}: {all:?}");
        assert_eq!(destination.seen()[0].version, expected, "{offered:?} {protocol:?}");
        if expected == Version::HTTP_2 {
            assert_eq!(destination.connections(), 1, "{offered:?} {protocol:?}");
        }
    }
}

#[tokio::test]
async fn a_stranger_is_not_trusted_unless_everybody_is() {
    let signer = Signer::new();
    let destination = signer.destination("127.0.0.1", &["h2"], false).await;
    let told = failure(&client(&destination, Protocol::Http2, &Signer::new().trusted())).await;
    assert!(told.contains("UnknownIssuer") && told.ends_with("name the certificate of whoever signed it in tls.ca_file"), "{told}");
    let anybody = ClientTls { insecure_skip_verify: true, ..ClientTls::default() };
    post(&client(&destination, Protocol::Http2, &anybody)).await.unwrap();
}

#[tokio::test]
async fn the_very_certificate_may_be_listed() {
    let itself = |signer: &Signer| (signer.pem(), signer.0.key().serialize_pem());
    let signer = Signer::serving("collector.test", 2100);
    let destination = signer.shows(itself(&signer), &["h2"], false).await;
    let named = |signer: &Signer, name: &str| ClientTls { server_name_override: name.to_owned(), ..signer.trusted() };
    post(&client(&destination, Protocol::Http2, &named(&signer, "collector.test"))).await.unwrap();
    assert!(failure(&client(&destination, Protocol::Http2, &named(&signer, "other.test"))).await.contains("not valid for name"));
    let other = Signer::serving("collector.test", 2100);
    assert!(failure(&client(&destination, Protocol::Http2, &named(&other, "collector.test"))).await.starts_with("no TLS with"));
    let old = Signer::serving("collector.test", 2001);
    let expired = old.shows(itself(&old), &["h2"], false).await;
    assert!(failure(&client(&expired, Protocol::Http2, &named(&old, "collector.test"))).await.contains("expired"));
}

#[tokio::test]
async fn the_name_on_the_certificate_must_fit_or_be_said() {
    let signer = Signer::new();
    let destination = signer.destination("collector.test", &["h2"], false).await;
    let told = failure(&client(&destination, Protocol::Http2, &signer.trusted())).await;
    assert!(told.ends_with("say in tls.server_name_override which of its names is meant"), "{told}");
    let named = ClientTls { server_name_override: "collector.test".to_owned(), ..signer.trusted() };
    post(&client(&destination, Protocol::Http2, &named)).await.unwrap();
}

#[tokio::test]
async fn who_asks_for_our_certificate_gets_it() {
    let signer = Signer::new();
    let destination = signer.destination("127.0.0.1", &["h2"], true).await;
    let told = failure(&client(&destination, Protocol::Http2, &signer.trusted())).await;
    assert!(told.contains("CertificateRequired") || told.contains("lost"), "{told}");
    let (cert_pem, key) = signer.sign("us");
    let known = ClientTls { cert_pem, key_pem: key.into(), ..signer.trusted() };
    post(&client(&destination, Protocol::Http2, &known)).await.unwrap();
}

#[tokio::test]
async fn tls_spoken_to_a_server_without_it_is_named() {
    let destination = Destination::start([]).await.unwrap();
    let told = failure(&client(&destination, Protocol::Http2, &Signer::new().trusted())).await;
    assert!(told.contains("does not seem to speak TLS"), "{told}");
}

#[tokio::test]
async fn files_are_read_again_after_the_interval() {
    let (first, second, folder) = (Signer::new(), Signer::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("ca.pem");
    fs::write(&file, first.pem()).unwrap();
    let ca_file = file.to_str().unwrap().to_owned();
    let tls = ClientTls { ca_file, reload_interval: Period::seconds(60), ..ClientTls::default() };
    let destination = second.destination("127.0.0.1", &["h2"], false).await;
    let settings = settings(&destination, Protocol::Http2);
    let clock = settings.clock.clone();
    let client = Client::new(settings.encrypted(&tls).unwrap());
    fs::write(&file, second.pem()).unwrap();
    assert!(failure(&client).await.contains("UnknownIssuer"));
    clock.advance(Duration::from_secs(61));
    post(&client).await.unwrap();
    // What cannot be used does not replace what can.
    fs::write(&file, "nonsense").unwrap();
    clock.advance(Duration::from_secs(61));
    destination.cut().await;
    let _ = post(&client).await;
    post(&client).await.unwrap();
}

#[test]
fn what_cannot_be_used_is_said_with_its_key() {
    let wrong = |tls: ClientTls| crate::tls::TlsClient::new(&tls, &["h2"], Clock::by_hand(START)).unwrap_err().wrong;
    let file = |file: &Path| file.to_str().unwrap().to_owned();
    let missing = ClientTls { ca_file: file(Path::new("/nowhere/ca.pem")), ..ClientTls::default() };
    assert!(wrong(missing).starts_with("tls.ca_file cannot be read"));
    assert_eq!(wrong(ClientTls { ca_pem: "nonsense".to_owned(), ..ClientTls::default() }), "tls.ca_pem holds no certificate");
    let signer = Signer::new();
    let (cert_pem, key) = signer.sign("us");
    let keyless = ClientTls { cert_pem: cert_pem.clone(), key_pem: "nonsense".to_owned().into(), ..signer.trusted() };
    assert_eq!(wrong(keyless), "tls.key_pem holds no private key");
    let strange = ClientTls { cert_pem, key_pem: signer.sign("them").1.into(), ..signer.trusted() };
    assert!(wrong(strange).starts_with("tls: certificate and key cannot be used"));
    let suites = ClientTls { cipher_suites: vec!["TLS_RSA_WITH_RC4_128_SHA".to_owned()].into(), ..signer.trusted() };
    assert!(wrong(suites).ends_with("is not spoken here"));
    let curves = ClientTls { curve_preferences: vec!["P521".to_owned()].into(), ..signer.trusted() };
    assert_eq!(wrong(curves), "tls.curve_preferences names no curve that is spoken here");
    drop(key);
}

#[tokio::test]
async fn versions_suites_and_curves_are_kept_to() {
    let signer = Signer::new();
    let destination = signer.destination("127.0.0.1", &["h2"], false).await;
    let narrow = ClientTls {
        max_version: Some(TlsVersion::V1_2),
        cipher_suites: vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()].into(),
        curve_preferences: vec!["X25519MLKEM768".to_owned(), "P256".to_owned()].into(),
        ..signer.trusted()
    };
    post(&client(&destination, Protocol::Http2, &narrow)).await.unwrap();
}
