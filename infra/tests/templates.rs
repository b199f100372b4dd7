//! The templates hold what is asked of them; and whatever is deleted from them or weakened, somebody notices.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod templates {
    mod code;
    mod forwarding;
    mod lint;
    mod mutations;
    mod permissions;
}
