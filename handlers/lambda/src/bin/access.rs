//! The `access` function.
fn main() {}
