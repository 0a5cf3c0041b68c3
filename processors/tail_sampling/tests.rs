//! The processor as a whole: its page, its configuration, its time.

use tracetailor_core::testing::{assert_manual, run_stories};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}
