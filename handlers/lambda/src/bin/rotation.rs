//! The `rotation` function.
fn main() {}
