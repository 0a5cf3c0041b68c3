//! Who is let in, and what is shown.

use tracetailor_core::component::ComponentId;
use tracetailor_core::config::ConfigErrors;
use tracetailor_core::testing::assert_manual;

use super::*;

fn build(yaml: &str) -> Result<Services, BuildError> {
    let mut services = Services::default().by(&ComponentId::of("auth"));
    FACTORY.parse(yaml).unwrap().build(&BuildContext::alone("auth"))?.offer(&mut services);
    Ok(services)
}

fn lets_in(services: &Services, value: &str) -> bool {
    let auth = services.of::<dyn Authenticator>(&ComponentId::of("auth")).unwrap();
    auth.authenticate(&|name| (name == "authorization").then(|| value.to_owned())).is_ok()
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

#[test]
fn the_manual_has_the_keys() {
    assert_manual(&FACTORY);
}

#[test]
fn the_right_password_is_let_in() {
    let services = build("htpasswd: {inline: \"ada:pass:word\\nbob:secret\\n\"}").unwrap();
    assert!(lets_in(&services, &basic("ada:pass:word")) && lets_in(&services, &basic("bob:secret")));
    for wrong in
        [basic("ada:pass"), basic("ada:secret"), basic("eve:"), basic("eve"), basic(""), "Basic ???".to_owned(), "Bearer x".to_owned()]
    {
        assert!(!lets_in(&services, &wrong), "{wrong}");
    }
}

#[test]
fn a_file_is_read_again_and_what_is_written_here_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("htpasswd");
    std::fs::write(&path, "# ours\nada:old\nbob:file\n").unwrap();
    let services = build(&format!("htpasswd: {{file: '{}', inline: 'ada:new'}}", path.display())).unwrap();
    assert!(lets_in(&services, &basic("ada:new")) && lets_in(&services, &basic("bob:file")) && !lets_in(&services, &basic("ada:old")));
}

#[test]
fn a_hashed_password_is_refused_and_not_compared() {
    for hash in ["$2y$05$abc", "$apr1$x$y", "{SHA}abc="] {
        let error = build(&format!("htpasswd: {{inline: 'ada:{hash}'}}")).map(|_| ()).unwrap_err();
        assert!(error.wrong.contains("line 1: the password of ada is hashed") && !error.to_string().contains(hash), "{error}");
    }
}

#[test]
fn a_name_and_a_password_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "geheim\n").unwrap();
    let services = build(&format!("client_auth: {{username: ada, password_file: '{}'}}", path.display())).unwrap();
    let credentials = services.of::<dyn Credentials>(&ComponentId::of("auth")).unwrap();
    let mut request = Outgoing { method: "POST", uri: "http://x", headers: Vec::new(), body: b"" };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(credentials.sign(&mut request)).unwrap();
    assert_eq!(request.headers[0].0, "authorization");
    assert!(request.headers[0].1.is(&basic("ada:geheim")));
}

#[test]
fn it_does_one_of_the_two() {
    let wrong = |yaml: &str| FACTORY.parse(yaml).map(|_| ()).map_err(|errors: ConfigErrors| errors.to_string()).unwrap_err();
    assert!(wrong("{}").contains("neither who is let in nor who we are"));
    assert!(wrong("{htpasswd: {inline: 'a:b'}, client_auth: {username: a}}").contains("write two extensions"));
    assert!(wrong("htpasswd: {}").contains("lets nobody in"));
    assert!(wrong("client_auth: {password: x}").contains("add username or username_file"));
}
