//! The `failure` function.
fn main() {}
