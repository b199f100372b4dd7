//! Between a function and one emulated service: passes calls on and keeps what was asked.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::aws::Client;
use crate::http::Request;

/// A running meter; takes no more calls when it is dropped.
#[derive(Debug)]
pub struct Meter {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    aws: Client,
    service: &'static str,
    calls: Mutex<Vec<(String, Value)>>,
    ended: AtomicBool,
}

impl Meter {
    /// A meter in front of a service, `dynamodb` or `sns`, of an account.
    pub fn start(aws: &Client, service: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (calls, ended) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { aws: aws.clone(), service, calls, ended });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || drop(converse(&stream, &shared)));
            }
        });
        Self { shared, address }
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes the calls since the last time: operation and request.
    pub fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread, so that it ends.
        let _nobody = TcpStream::connect(self.address);
    }
}

/// Serves one connection until it closes.
fn converse(mut stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        let target = request.header("x-amz-target");
        let (operation, asked, answer) = if target.is_empty() {
            let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
            let operation = form.get("Action").cloned().unwrap_or_default();
            (operation, json!(form), shared.aws.try_form(shared.service, &request.body))
        } else {
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let asked: Value = serde_json::from_slice(&request.body)?;
            let answer = shared.aws.try_json(shared.service, target, &asked);
            (operation, asked, answer.map(|answer| answer.to_string()))
        };
        shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push((operation, asked));
        let (status, body) = answer.map_or_else(|refused| (refused.status, refused.body), |body| (200, body));
        let kind = if target.is_empty() { "text/xml" } else { "application/x-amz-json-1.0" };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        // In one write: a second one may wait for the first one's acknowledgement.
        stream.write_all((head + &body).as_bytes())?;
    }
    Ok(())
}
