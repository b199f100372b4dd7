//! The offline command line.
fn main() {}
