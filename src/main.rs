//! The command `tracetailor`.

fn main() {}
