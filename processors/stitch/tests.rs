//! The stage from outside: what goes in, what comes out, what the books say.

mod life;
mod properties;

use tracetailor_core::testing::{assert_manual, run_stories};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
    run_stories(&FACTORY);
}
