//! The smallest function that speaks the Lambda Runtime API, with nothing of the product in it: if it fails, the test bed is broken, not the function.
//!
//! It reports every SQS record whose body starts with `poison` as failed, ends without an answer on `"die"` and with its last words on
//! `"answer and die"`, reports an error on `"error"`, and answers anything else with the payload and the names of its environment variables.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    loop {
        let (id, payload) = call(&api, "GET", "next", "")?;
        println!("got {} bytes", payload.len());
        let payload: Value = serde_json::from_str(&payload)?;
        match payload.as_str() {
            Some("die") => return Ok(()),
            Some("answer and die") => {
                call(&api, "POST", &format!("{id}/response"), r#""the last words""#)?;
                return Ok(());
            }
            Some("error") => call(&api, "POST", &format!("{id}/error"), r#"{"errorMessage":"asked for"}"#)?,
            _ => call(&api, "POST", &format!("{id}/response"), &answer(&payload).to_string())?,
        };
    }
}

fn answer(payload: &Value) -> Value {
    let Some(records) = payload["Records"].as_array() else {
        let environment: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
        return json!({"payload": payload, "environment": environment});
    };
    let mut failures = Vec::new();
    for record in records {
        if record["body"].as_str().is_some_and(|body| body.starts_with("poison")) {
            failures.push(json!({"itemIdentifier": record["messageId"]}));
        }
    }
    json!({"batchItemFailures": failures})
}

/// Calls the Runtime API; gives the request id and the body back.
fn call(api: &str, method: &str, path: &str, body: &str) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(api)?;
    let length = body.len();
    let request = format!(
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut id = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((id, String::from_utf8_lossy(&body).into_owned()))
}
