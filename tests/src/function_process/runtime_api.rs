//! The connections of the Lambda Runtime API: polls get payloads, answers are reported.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::invocation_outcome::InvocationOutcome;
use crate::http::HttpRequest;

/// How long Lambda lets an invocation work, as the template says (`Timing`, `standard`).
const FUNCTION_TIMEOUT: Duration = Duration::from_mins(1);

/// A message of a connection to the [`FunctionProcess`](super::FunctionProcess).
#[derive(Debug)]
pub(super) enum RuntimeReport {
    Poll { at: Instant, reply: Sender<Vec<u8>> },
    Answer { outcome: InvocationOutcome, raw: String, at: Instant },
}

/// Serves connections until `ended` is set and one more connection arrives. Those that came before are served, too.
pub(super) fn accept_connections(
    listener: &TcpListener,
    arn: &str,
    ended: &AtomicBool,
    reporter: &Sender<RuntimeReport>,
) {
    for stream in listener.incoming().map_while(Result::ok) {
        // From here on the loop ends when no connection waits.
        if ended.load(Ordering::Relaxed) && listener.set_nonblocking(true).is_err() {
            return;
        }
        let reporter = reporter.clone();
        let arn = arn.to_owned();
        std::thread::spawn(move || drop(serve_connection(stream, &arn, &reporter)));
    }
}

/// Serves one connection until it closes.
fn serve_connection(stream: TcpStream, arn: &str, reporter: &Sender<RuntimeReport>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(HttpRequest { request_line, body, .. }) = HttpRequest::read(&mut reader)? {
        let at = Instant::now();
        if request_line.contains("/runtime/invocation/next") {
            let (reply, payload) = channel();
            if reporter.send(RuntimeReport::Poll { at, reply }).is_err() {
                return Ok(());
            }
            let Ok(payload) = payload.recv() else { return Ok(()) };
            write_invocation(&mut writer, arn, &payload)?;
            continue;
        }
        let raw = String::from_utf8_lossy(&body).into_owned();
        let value: Value = serde_json::from_slice(&body).unwrap_or_else(|_| raw.as_str().into());
        let outcome = if request_line.contains("/response ") {
            InvocationOutcome::Response(value)
        } else {
            InvocationOutcome::Error(value)
        };
        if reporter.send(RuntimeReport::Answer { outcome, raw, at }).is_err() {
            return Ok(());
        }
        writer.write_all(
            b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}",
        )?;
    }
    Ok(())
}

fn write_invocation(writer: &mut impl Write, arn: &str, payload: &[u8]) -> std::io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = COUNT.fetch_add(1, Ordering::Relaxed);
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + FUNCTION_TIMEOUT;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-{id:012}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: {arn}\r\n\
         Lambda-Runtime-Trace-Id: Root=1-00000000-000000000000000000000000\r\n\r\n",
        payload.len(),
        deadline.as_millis(),
    );
    // In one write: a second one may wait for the first one's acknowledgement.
    writer.write_all(&[head.as_bytes(), payload].concat())
}
