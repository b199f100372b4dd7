//! A proxy between a function and one emulated service: it passes calls on and records them.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::aws::EmulatorClient;
use crate::http::HttpRequest;

/// A running proxy; it takes no more calls when it is dropped.
#[derive(Debug)]
pub struct CallRecorder {
    state: Arc<RecorderState>,
    address: SocketAddr,
}

/// One call that a function made.
#[derive(Clone, Debug)]
pub struct RecordedCall {
    /// Such as `Publish`.
    pub operation: String,
    /// The request, as JSON whatever the protocol.
    pub request: Value,
}

#[derive(Debug)]
struct RecorderState {
    aws: EmulatorClient,
    service: &'static str,
    calls: Mutex<Vec<RecordedCall>>,
    ended: AtomicBool,
}

impl CallRecorder {
    /// A proxy in front of a service, `dynamodb` or `sns`, of an account.
    pub fn start(aws: &EmulatorClient, service: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(RecorderState {
            aws: aws.clone(),
            service,
            calls: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&state);
        std::thread::spawn(move || accept_connections(&listener, &accepting));
        Self { state, address }
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes the calls since the last time, in their order.
    pub fn take_calls(&self) -> Vec<RecordedCall> {
        std::mem::take(&mut *self.state.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for CallRecorder {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread, so that it ends.
        let _wake_up = TcpStream::connect(self.address);
    }
}

fn accept_connections(listener: &TcpListener, state: &Arc<RecorderState>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if state.ended.load(Ordering::Relaxed) {
            return;
        }
        let state = Arc::clone(state);
        std::thread::spawn(move || drop(serve_connection(&stream, &state)));
    }
}

/// Serves one connection until it closes.
fn serve_connection(mut stream: &TcpStream, state: &RecorderState) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(received) = HttpRequest::read(&mut reader)? {
        let target = received.header("x-amz-target");
        let is_query = target.is_empty();
        let (call, answer) = if is_query {
            let form: BTreeMap<String, String> =
                form_urlencoded::parse(&received.body).into_owned().collect();
            let operation = form.get("Action").cloned().unwrap_or_default();
            let answer = state.aws.try_form(state.service, &received.body);
            (RecordedCall { operation, request: json!(form) }, answer)
        } else {
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let request: Value = serde_json::from_slice(&received.body)?;
            let answer = state.aws.try_json(state.service, target, &request);
            (RecordedCall { operation, request }, answer.map(|answer| answer.to_string()))
        };
        state.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        let (status, body) = answer.map_or_else(|refused| (refused.status, refused.body), |body| (200, body));
        let kind = if is_query { "text/xml" } else { "application/x-amz-json-1.0" };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        // In one write: a second one may wait for the first one's acknowledgement.
        stream.write_all((head + &body).as_bytes())?;
    }
    Ok(())
}
