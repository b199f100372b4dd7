//! Where things are: the workspace, the emulator's interpreter, the function binaries.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a folder of the workspace")
}

/// Cargo's target directory: `CARGO_TARGET_DIR`, else `target` in the workspace.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// The interpreter of the virtual environment that `tests/run` makes.
///
/// # Panics
///
/// If there is none.
pub fn python() -> PathBuf {
    let python = target().join("venv/bin/python");
    assert!(python.exists(), "no {}: `tests/run` makes it", python.display());
    python
}

/// The directory of the function binaries: `RESPONDER_FUNCTIONS`, else that of the build that is deployed (`[profile.function]`).
pub fn functions() -> PathBuf {
    match std::env::var_os("RESPONDER_FUNCTIONS") {
        Some(folder) => root().join(folder),
        None => target().join("function"),
    }
}

/// The binary of a function.
///
/// # Panics
///
/// If it was not built.
pub fn function(name: &str) -> PathBuf {
    let binary = functions().join(name);
    assert!(
        binary.exists(),
        "no {}: `tests/run` builds it, as does `cargo build --profile function -p responder-lambda`",
        binary.display()
    );
    binary
}

/// A command-line program of the workspace, `replay` or `doctor`, as the tests build it.
///
/// # Panics
///
/// If it was not built.
pub fn program(name: &str) -> PathBuf {
    let binary = target().join("debug").join(name);
    assert!(binary.exists(), "no {}: `tests/run` builds it", binary.display());
    binary
}

/// A directory for logs and other leftovers of the tests that are worth a look after a failure.
///
/// # Panics
///
/// If it cannot be made.
pub fn leftovers() -> PathBuf {
    let directory = target().join("acceptance");
    std::fs::create_dir_all(&directory).expect("the target directory can be written");
    directory
}
