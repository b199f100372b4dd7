//! The help texts of the command line, and what it says without AWS.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn doctor(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_doctor")).args(args).env_clear().stdin(Stdio::null()).output().unwrap()
}

/// The help texts are committed, so that a change of the command line is seen in review: `UPDATE_HELP=1` writes them.
#[test]
fn the_help_texts_are_as_committed() {
    for command in ["", "check", "drill", "events", "services"] {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|arg| !arg.is_empty()).collect();
        let help = String::from_utf8(doctor(&args).stdout).unwrap();
        let name = if command.is_empty() { "doctor" } else { command };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/help/{name}.txt"));
        if std::env::var_os("UPDATE_HELP").is_some() {
            fs::write(&file, &help).unwrap();
        }
        assert_eq!(help, fs::read_to_string(&file).unwrap(), "{}: UPDATE_HELP=1 writes it", file.display());
    }
}

#[test]
fn an_unusable_argument_exits_with_2() {
    let output = doctor(&["check", "--from", "no-such-file"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no-such-file"));
}
