//! Runs `replay` for a test, and checks each line of a JSON report against the committed schema.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::schema_check::StrictSchema;

/// Runs a command. Every line of a report must be as the schema says, and the first must be the header.
pub(crate) fn replay(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replay"));
    let output = command.args(args).stdin(Stdio::null()).output().unwrap();
    let is_report = matches!(args.first(), Some(&"run" | &"proof" | &"reads"));
    if !is_report || !args.windows(2).any(|pair| pair == ["--format", "json"]) || output.stdout.is_empty() {
        return output;
    }
    let schema = StrictSchema::compile(include_str!("../../schema/report-line.json"));
    for (index, line) in output.stdout.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let value: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(index == 0, value["kind"] == "header", "{args:?}: {value}");
        assert_eq!(schema.find_violation(&value), None, "{args:?}: {value}");
    }
    output
}
