//! Who is let in, and what is shown.

use tracetailor_core::component::ComponentId;
use tracetailor_core::config::ConfigErrors;
use tracetailor_core::testing::assert_manual;

use super::*;

fn services(yaml: &str) -> Services {
    let mut services = Services::default().by(&ComponentId::of("auth"));
    FACTORY.parse(yaml).unwrap().build(&BuildContext::alone("auth")).unwrap_or_else(|error| panic!("{error}")).offer(&mut services);
    services
}

fn lets_in(services: &Services, name: &str, value: &str) -> bool {
    let auth = services.of::<dyn Authenticator>(&ComponentId::of("auth")).unwrap();
    auth.authenticate(&|asked| (asked == name).then(|| value.to_owned())).is_ok()
}

fn shown(services: &Services) -> Vec<(String, String)> {
    let credentials = services.of::<dyn Credentials>(&ComponentId::of("auth")).unwrap();
    let mut request = Outgoing { method: "POST", uri: "http://x", headers: Vec::new(), body: b"" };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(credentials.sign(&mut request)).unwrap();
    request.headers.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect()
}

#[test]
fn the_manual_has_the_keys() {
    assert_manual(&FACTORY);
}

#[test]
fn the_right_token_is_let_in_and_shown() {
    let services = services("token: s3cret");
    assert!(lets_in(&services, "authorization", "Bearer s3cret"));
    for wrong in ["Bearer s3cre", "Bearer s3cret2", "Bearer ", "s3cret", "bearer s3cret", ""] {
        assert!(!lets_in(&services, "authorization", wrong), "{wrong}");
    }
    assert!(!lets_in(&services, "x-token", "Bearer s3cret"));
    assert_eq!(shown(&services), [("authorization".to_owned(), "Bearer s3cret".to_owned())]);
}

#[test]
fn several_tokens_another_header_and_no_scheme() {
    let services = services("{tokens: [one, two], header: X-Token, scheme: ''}");
    assert!(lets_in(&services, "x-token", "one") && lets_in(&services, "x-token", "two") && !lets_in(&services, "x-token", "three"));
    assert_eq!(shown(&services), [("x-token".to_owned(), "one".to_owned())]);
}

#[test]
fn a_file_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "new\nold\n").unwrap();
    let services = services(&format!("{{filename: '{}', token: written}}", path.display()));
    assert!(lets_in(&services, "authorization", "Bearer new") && lets_in(&services, "authorization", "Bearer old"));
    assert!(!lets_in(&services, "authorization", "Bearer written") && !lets_in(&services, "authorization", "Bearer "));
    std::fs::write(&path, "\n").unwrap();
    let empty = FACTORY.parse(&format!("filename: '{}'", path.display())).unwrap().build(&BuildContext::alone("auth"));
    assert!(empty.is_err_and(|error| error.wrong.contains("holds no token")));
}

#[test]
fn what_would_let_in_anybody_is_refused() {
    let wrong = |yaml: &str| FACTORY.parse(yaml).map(|_| ()).map_err(|errors: ConfigErrors| errors.to_string()).unwrap_err();
    assert!(wrong("{}").contains("there is no token"));
    assert!(wrong("{tokens: [a, '']}").contains("would let anybody in"));
    assert!(wrong("{token: a, tokens: [b]}").contains("keep one of the two"));
    assert!(wrong("{token: a, header: 'x y'}").contains("is no name of a header"));
}
