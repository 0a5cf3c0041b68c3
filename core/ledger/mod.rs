//! The books: every item accepted is accounted for, once per destination.

/// Placeholder of the seam.
#[derive(Debug)]
pub struct Share;
