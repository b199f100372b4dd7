//! The notifications that people get: golden files, and hostile strings in them.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile_pages;
mod hostile_strings;
mod links;
mod pages;
mod shell_words;
