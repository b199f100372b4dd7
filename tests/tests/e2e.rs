//! End to end: the emulated AWS, the real function binaries behind rule, queue and mapping, and what follows from an event.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod e2e {
    mod access;
    mod concurrent;
    mod deploy;
    mod doctor;
    mod failure;
    mod fake;
    mod history;
    mod parity;
    mod poison;
    mod rotation;
    mod sweep;
    mod test_bed;
    mod tour;
}
