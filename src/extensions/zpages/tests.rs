//! It takes a Collector's keys, warns, and does nothing.

use tracetailor_core::component::Stop;
use tracetailor_core::config::{Path, load};
use tracetailor_core::testing::assert_manual;

use super::*;

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
}

#[test]
fn a_collectors_block_is_taken_with_a_warning() {
    for yaml in ["", "{endpoint: 'localhost:55679', expvar: {enabled: true}}"] {
        let mut errors = ConfigErrors::default();
        let path = Path::of("extensions").key("zpages");
        assert!(FACTORY.read(&load(yaml, "g.yaml").unwrap(), &path, &mut errors).is_some(), "{yaml}");
        let told = errors.to_string();
        assert!(told.contains("warning: extensions.zpages: ") && told.contains("nobody listens\n    remove it; "), "{told}");
    }
    let error = FACTORY.parse("nope: 1").map(|_| ()).expect_err("no such key").to_string();
    assert!(error.contains("extensions.zpages.nope: there is no such key"), "{error}");
}

#[test]
fn it_runs_until_the_stop() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (stopper, stop) = Stop::new();
    let build = BuildContext::alone("zpages");
    let extension = FACTORY.parse("").unwrap().build(&build).unwrap();
    stopper.ask();
    runtime.block_on(extension.run(ExtensionContext { build, stop })).unwrap();
}
