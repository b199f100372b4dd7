//! The invariants of the code base that no compiler checks: who may depend on whom, how long a file may be, what is never called, what the promises name.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture {
    mod dependencies;
    mod documents;
    mod import_cycles;
    mod policy;
    mod promises;
    mod rules;
    mod sources;
}
