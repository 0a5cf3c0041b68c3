//! Who is let in and who is not: certificates, tokens, pages of other origins; and what of a sender goes along.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tracetailor_core::component::{Authenticator, BuildContext, ComponentId, Identity, Services, Unauthenticated};
use tracetailor_core::telemetry::Decoded;
use tracetailor_net::grpc::Code;

use super::client::{answer, framed};
use super::taking::{JSON, PROTOBUF, TRACES, spans};
use super::{Behind, Gateway, call, post, raw};

/// A signer, and certificates of it, as files.
struct Certificates {
    folder: tempfile::TempDir,
    signer: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let signer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let certificates = Self { folder: tempfile::tempdir().unwrap(), signer };
        certificates.write("ca.pem", &certificates.signer.pem());
        certificates.issue("server");
        certificates.issue("client");
        certificates
    }

    fn issue(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.signer).unwrap();
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn server_block(&self, more: &str) -> String {
        let (cert, key) = (self.path("server.pem"), self.path("server.key"));
        format!("tls: {{cert_file: '{}', key_file: '{}'{more}}}", cert.display(), key.display())
    }

    /// Posts over TLS, with a certificate or without; gives what came back and the server's certificate.
    fn post(&self, port: u16, name: Option<&str>) -> Result<(u16, Vec<u8>), std::io::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(pem(&self.path("ca.pem"))).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = match name {
            None => config.with_no_client_auth(),
            Some(name) => {
                let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key"))).unwrap();
                config.with_client_auth_cert(vec![pem(&self.path(&format!("{name}.pem")))], key).unwrap()
            }
        };
        let server = ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(Arc::new(config), server).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port))?);
        let body = spans("good");
        let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-protobuf\r\n";
        stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes())?;
        stream.write_all(&body)?;
        let mut said = Vec::new();
        let read = stream.read_to_end(&mut said);
        if said.is_empty() {
            read?;
        }
        let shown = stream.conn.peer_certificates().map(|shown| shown[0].to_vec()).unwrap_or_default();
        Ok((answer(&said).status, shown))
    }
}

fn pem(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[test]
fn tls_is_spoken_and_plaintext_to_it_is_told_so() {
    let certificates = Certificates::new();
    let block = certificates.server_block("");
    let gateway = Gateway::with(
        Behind::Delivers,
        &format!("protocols: {{grpc: {{endpoint: '127.0.0.1:0', {block}}}, http: {{endpoint: '127.0.0.1:0', {block}}}}}"),
    );
    assert_eq!(certificates.post(gateway.http, None).unwrap().0, 200);
    let plain = post(gateway.http, "/v1/traces", &[PROTOBUF], &spans("bad"));
    assert!(plain.status == 400 && plain.text().ends_with("without insecure: true"), "{plain:?}");
    let away = raw(gateway.grpc, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00");
    assert!(away.ends_with(b"this port speaks TLS"), "{away:?}");
    gateway.assert_refused("plaintext_to_tls", 2);
    // Half a handshake, and something that only begins like one.
    raw(gateway.http, b"\x16\x03\x01\x00\x05hello");
    gateway.assert_refused("tls_handshake", 1);
    assert_eq!(gateway.finish(), ["good"]);
}

#[test]
fn a_client_without_a_certificate_is_refused_where_one_is_asked_for() {
    let certificates = Certificates::new();
    let block = certificates.server_block(&format!(", client_ca_file: '{}'", certificates.path("ca.pem").display()));
    let gateway = Gateway::with(Behind::Delivers, &format!("protocols: {{http: {{endpoint: '127.0.0.1:0', {block}}}}}"));
    assert!(certificates.post(gateway.http, None).is_err());
    assert_eq!(certificates.post(gateway.http, Some("client")).unwrap().0, 200);
    let strangers = Certificates::new();
    std::fs::copy(certificates.path("ca.pem"), strangers.path("ca.pem")).unwrap();
    assert!(strangers.post(gateway.http, Some("client")).is_err());
    gateway.assert_refused("tls_handshake", 2);
    assert_eq!(gateway.finish(), ["good"]);
}

#[test]
fn certificates_are_read_again_and_bad_ones_are_not_taken() {
    let certificates = Certificates::new();
    let block = certificates.server_block(", reload_interval: 1ns");
    let gateway = Gateway::with(Behind::Delivers, &format!("protocols: {{http: {{endpoint: '127.0.0.1:0', {block}}}}}"));
    let first = certificates.post(gateway.http, None).unwrap().1;
    certificates.issue("server");
    let second = certificates.post(gateway.http, None).unwrap().1;
    assert!(!first.is_empty() && !second.is_empty() && first != second);
    certificates.write("server.pem", "rubbish");
    let third = certificates.post(gateway.http, None).unwrap().1;
    assert_eq!(second, third, "the old one is still used");
    let failures: u64 = gateway.count("tracetailor_tls_reload_failures_total");
    assert_eq!(failures, 1);
    assert_eq!(gateway.finish().len(), 3);
}

/// Lets in whoever says the word, and tells tenants by it.
struct Word;

impl Authenticator for Word {
    fn authenticate(&self, header: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Unauthenticated> {
        match header("x-word").as_deref() {
            Some("sesame") => Ok(Identity { tenant: Some("forty".to_owned()) }),
            _ => Err(Unauthenticated("the word is wrong")),
        }
    }
}

fn with_word(config: &str) -> Gateway {
    let mut context = BuildContext::alone("otlp");
    let mut services = Services::default().by(&ComponentId::of("word"));
    services.offer::<dyn Authenticator>(Arc::new(Word));
    context.services = services;
    Gateway::of(context, Behind::Delivers, config)
}

#[test]
fn who_is_not_let_in_learns_nothing_else() {
    let auth = "auth: {authenticator: word, request_params: [x-word]}";
    let gateway =
        with_word(&format!("protocols: {{grpc: {{endpoint: '127.0.0.1:0', {auth}}}, http: {{endpoint: '127.0.0.1:0', {auth}}}}}"));
    for path in ["/v1/traces", "/nothing/here"] {
        let answer = post(gateway.http, path, &[JSON], b"{}");
        assert!(answer.status == 401 && answer.text().contains("\"code\":16"), "{path}: {answer:?}");
    }
    assert_eq!(post(gateway.http, "/v1/traces", &[PROTOBUF, ("x-word", "sesame")], &spans("good")).status, 200);
    assert_eq!(post(gateway.http, "/v1/traces?a=b&x-word=sesame", &[PROTOBUF], &spans("good")).status, 200);
    for path in [TRACES, "/foo.Bar/Baz"] {
        assert_eq!(call(gateway.grpc, path, &[], framed(0, &spans("bad"))).0.code, Code::UNAUTHENTICATED);
    }
    assert_eq!(call(gateway.grpc, TRACES, &[("x-word", "sesame")], framed(0, &spans("good"))).0.code, Code::OK);
    gateway.assert_refused("unauthenticated", 4);
    assert_eq!(gateway.tenants(), [Some("forty".to_owned()), Some("forty".to_owned()), Some("forty".to_owned())]);
    assert_eq!(gateway.finish(), ["good", "good", "good"]);
}

#[test]
fn headers_go_along_where_they_are_asked_for() {
    let gateway = Gateway::with(
        Behind::Delivers,
        "{metadata_attributes: {X-Tenant: tenant.id, x-none: none}, protocols: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0', include_metadata: true}}}",
    );
    assert_eq!(post(gateway.http, "/v1/traces", &[PROTOBUF, ("X-Tenant", "acme")], &spans("a")).status, 200);
    assert_eq!(call(gateway.grpc, TRACES, &[("x-tenant", "umbrella")], framed(0, &spans("b"))).0.code, Code::OK);
    let metadata = gateway.metadata();
    assert!(metadata[0].contains(&("x-tenant".to_owned(), "acme".to_owned())), "{metadata:?}");
    assert_eq!(metadata[1], []);
    let Ok(Decoded::Traces(arrived)) = Decoded::decode(tracetailor_core::telemetry::Signal::Traces, &gateway.finish_bytes()[..]) else {
        panic!("what arrived does not decode");
    };
    let attribute = |index: usize| {
        let attributes = &arrived.resource_spans[index].resource.as_ref().unwrap().attributes;
        attributes.iter().map(|attribute| (attribute.key.clone(), format!("{:?}", attribute.value))).find(|(key, _)| key == "tenant.id")
    };
    assert!(
        attribute(0).is_some_and(|(_, value)| value.contains("acme")) && attribute(1).is_some_and(|(_, value)| value.contains("umbrella"))
    );
}

#[test]
fn a_browser_may_send_where_its_page_is_allowed() {
    let gateway = Gateway::with(
        Behind::Delivers,
        "protocols: {http: {endpoint: '127.0.0.1:0', response_headers: {X-Served-By: us}, cors: {allowed_origins: ['https://app.example', 'https://*.corp.example'], allowed_headers: [X-Mine], exposed_headers: [X-Seen], max_age: 600}}}",
    );
    let preflight = |origin: &str, headers: &str| {
        let request = format!(
            "OPTIONS /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: {origin}\r\naccess-control-request-method: POST\r\naccess-control-request-headers: {headers}\r\n\r\n"
        );
        answer(&raw(gateway.http, request.as_bytes()))
    };
    let allowed = preflight("https://app.example", "content-type,x-mine");
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, Some("https://app.example")), "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-headers"), Some("content-type,x-mine"));
    assert_eq!((allowed.header("access-control-max-age"), allowed.header("access-control-allow-credentials")), (Some("600"), Some("true")));
    for (origin, headers) in [("https://evil.example", "x-mine"), ("https://app.example", "x-other"), ("https://corp.example", "x-mine")] {
        let refused = preflight(origin, headers);
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (204, None), "{refused:?}");
    }
    let sent = post(gateway.http, "/v1/traces", &[PROTOBUF, ("origin", "https://a.corp.example")], &spans("good"));
    assert_eq!((sent.status, sent.header("access-control-allow-origin")), (200, Some("https://a.corp.example")), "{sent:?}");
    assert_eq!((sent.header("access-control-expose-headers"), sent.header("x-served-by")), (Some("X-Seen"), Some("us")));
    let silent = post(gateway.http, "/v1/traces", &[PROTOBUF], &spans("good"));
    assert_eq!((silent.status, silent.header("access-control-allow-origin")), (200, None));
    assert_eq!(gateway.finish(), ["good", "good"]);
}
