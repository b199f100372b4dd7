//! The templates pass their checks, and the checks notice whatever is deleted or weakened.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod templates {
    mod code;
    mod documents;
    mod forwarding;
    mod lint;
    mod mutations;
    mod permissions;
}
