//! Lambda: functions and their event source mappings.

use std::io::{Cursor, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{EmulatorClient, RefusedCall, SqsQueue};

impl EmulatorClient {
    /// Creates a function that runs a binary, with its environment and a timeout in seconds.
    pub fn create_function(&self, name: &str, binary: &Path, environment: &[(String, String)], timeout: u32) {
        let variables: serde_json::Map<String, Value> =
            environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let request = json!({
            "FunctionName": name,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": format!("arn:aws:iam::{}:role/{name}", self.account()),
            "Timeout": timeout,
            "MemorySize": 128,
            "Code": {"ZipFile": STANDARD.encode(zip_binary(binary))},
            "Environment": {"Variables": variables},
        });
        self.try_post("lambda", "/2015-03-31/functions", request.to_string().as_bytes())
            .unwrap_or_else(|refused| panic!("CreateFunction answered {}: {}", refused.status, refused.body));
    }

    /// Feeds a function from a queue, with partial batch responses; gives the mapping's id back.
    pub fn create_mapping(&self, queue: &SqsQueue, function: &str) -> String {
        let request = json!({
            "EventSourceArn": queue.arn,
            "FunctionName": function,
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        });
        let answer = self
            .try_post("lambda", "/2015-03-31/event-source-mappings/", request.to_string().as_bytes())
            .unwrap_or_else(|refused| {
                panic!("the mapping was refused, {}: {}", refused.status, refused.body)
            });
        let answer: Value = serde_json::from_str(&answer).unwrap_or(Value::Null);
        answer["UUID"].as_str().unwrap_or_else(|| panic!("no id: {answer}")).to_owned()
    }

    /// Invokes a function and waits for its answer; a function error is in the answer's `errorMessage`.
    ///
    /// # Errors
    ///
    /// If the emulator refuses the call.
    pub fn invoke(&self, function: &str, payload: &Value) -> Result<Value, RefusedCall> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let answer = self.try_post("lambda", &path, payload.to_string().as_bytes())?;
        Ok(serde_json::from_str(&answer).unwrap_or(Value::String(answer)))
    }

    /// Ends a mapping and its function, so that its process does not outlive the test. Ignores what is already gone.
    pub fn delete_function(&self, name: &str, mapping: &str) {
        let _gone = self.try_delete("lambda", &format!("/2015-03-31/event-source-mappings/{mapping}"));
        let _gone = self.try_delete("lambda", &format!("/2015-03-31/functions/{name}"));
    }
}

/// A zip with one executable entry, `bootstrap`, as Lambda wants it.
///
/// # Panics
///
/// If the binary cannot be read.
pub fn zip_binary(binary: &Path) -> Vec<u8> {
    let code = std::fs::read(binary).unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    zip.start_file("bootstrap", options).expect("memory can be written");
    zip.write_all(&code).expect("memory can be written");
    zip.finish().expect("memory can be written").into_inner()
}
