//! Between a function and the emulated `DynamoDB`: passes calls on and keeps what was asked.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

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
    calls: Mutex<Vec<(String, Value)>>,
    ended: AtomicBool,
}

impl Meter {
    /// A meter in front of the tables of an account.
    pub fn start(aws: &Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Shared { aws: aws.clone(), calls: Mutex::default(), ended: AtomicBool::new(false) };
        let shared = Arc::new(shared);
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
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(&request.body)?;
        let answer = shared.aws.try_json("dynamodb", target, &body);
        shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push((operation, body));
        let (status, body) = match answer {
            Ok(body) => (200, body.to_string()),
            Err(refused) => (refused.status, refused.body),
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} -\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {length}\r\n\r\n"
        );
        // In one write: a second one may wait for the first one's acknowledgement.
        stream.write_all((head + &body).as_bytes())?;
    }
    Ok(())
}
