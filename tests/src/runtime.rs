//! A Lambda Runtime API server of our own, which runs one function binary as a child process and hands it payloads.
//!
//! One connection is one thread; they report to the [`Function`], which alone decides. Output goes through a file: when the function polls again, all that it
//! wrote for the last payload is there.

use std::fs::File;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::http::Request;
use crate::paths;

/// How long a function may take to poll, and to answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running function process.
#[derive(Debug)]
pub struct Function {
    child: Child,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    reports: Receiver<Report>,
    /// The poll that waits for a payload.
    poll: Option<Sender<Vec<u8>>>,
    first_poll: Duration,
    output: PathBuf,
    read: usize,
}

/// What came of one payload.
#[derive(Debug)]
pub struct Answer {
    /// The response or the error.
    pub outcome: Outcome,
    /// The same, byte for byte.
    pub raw: String,
    /// From the payload to the answer.
    pub took: Duration,
    /// What the function wrote to standard output and standard error meanwhile.
    pub lines: Vec<String>,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function answered.
    Response(Value),
    /// The function reported an error.
    Error(Value),
    /// The process ended without an answer.
    Died,
}

impl Function {
    /// Starts `binary` with nothing but `environment` and Lambda's own variables, and waits until it polls.
    ///
    /// # Panics
    ///
    /// If it ends or reports an error before it polls; with its output.
    pub fn start(binary: &Path, environment: &[(String, String)]) -> Self {
        Self::try_start(binary, environment).unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// Starts `binary` like [`Function::start`].
    ///
    /// # Errors
    ///
    /// Why it did not poll, with its output.
    ///
    /// # Panics
    ///
    /// If this machine has no port, no space, or cannot execute the binary.
    pub fn try_start(binary: &Path, environment: &[(String, String)]) -> Result<Self, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (reporter, reports) = channel();
        let ended = Arc::new(AtomicBool::new(false));
        let accepting = Arc::clone(&ended);
        let arn = function_arn(environment);
        std::thread::spawn(move || serve(&listener, &arn, &accepting, &reporter));

        let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let output = paths::leftovers().join(format!("{name}-{}-{number}.log", std::process::id()));
        let file = File::create(&output).expect("the target directory can be written");
        let errors = file.try_clone().expect("a file can be opened twice");
        let started = Instant::now();
        let child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let mut function =
            Self { child, address, ended, reports, poll: None, first_poll: Duration::ZERO, output, read: 0 };
        match function.next_report() {
            Some(Report::Poll { at, reply }) => {
                function.first_poll = at - started;
                function.poll = Some(reply);
                Ok(function)
            }
            other => Err(format!("{name} did not start ({other:?}):\n{}", function.lines().join("\n"))),
        }
    }

    /// Hands the function a payload and waits for its answer, and until it polls again.
    ///
    /// # Panics
    ///
    /// If it neither answers nor ends.
    pub fn invoke(&mut self, payload: &[u8]) -> Answer {
        let poll = self.poll.take().expect("a function that died is not invoked again");
        let sent = Instant::now();
        let mut answer =
            Answer { outcome: Outcome::Died, raw: String::new(), took: Duration::ZERO, lines: Vec::new() };
        if poll.send(payload.to_vec()).is_ok() {
            loop {
                match self.next_report() {
                    Some(Report::Poll { reply, .. }) => {
                        self.poll = Some(reply);
                        break;
                    }
                    Some(Report::Answer { outcome, raw, at }) => {
                        (answer.outcome, answer.raw, answer.took) = (outcome, raw, at - sent);
                    }
                    None => break,
                }
            }
        }
        answer.lines = self.lines();
        answer
    }

    /// From the start of the process to its first poll.
    pub fn first_poll(&self) -> Duration {
        self.first_poll
    }

    /// The most memory that the process has held so far, in KiB.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        peak.unwrap_or_else(|| panic!("no peak memory: the process has ended"))
    }

    /// The next report, or `None` when the process has ended.
    fn next_report(&mut self) -> Option<Report> {
        let start = Instant::now();
        loop {
            match self.reports.recv_timeout(Duration::from_millis(20)) {
                Ok(report) => return Some(report),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.child.try_wait().ok().flatten().is_some() {
                // Its last words may still be on their way through a connection's thread.
                return self.reports.recv_timeout(Duration::from_millis(200)).ok();
            }
            assert!(
                start.elapsed() < DEADLINE,
                "nothing for {DEADLINE:?}; output:\n{}",
                self.lines().join("\n")
            );
        }
    }

    /// The output since the last time.
    fn lines(&mut self) -> Vec<String> {
        let output = std::fs::read(&self.output).unwrap_or_default();
        let new = String::from_utf8_lossy(output.get(self.read..).unwrap_or_default()).into_owned();
        self.read = output.len();
        new.lines().map(str::to_owned).collect()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _reaped = self.child.wait();
        // Wakes the accepting thread, so that it ends.
        self.ended.store(true, Ordering::Relaxed);
        let _nobody = TcpStream::connect(self.address);
        if !std::thread::panicking() {
            let _already_gone = std::fs::remove_file(&self.output);
        }
    }
}

/// What a connection tells the [`Function`].
#[derive(Debug)]
enum Report {
    Poll { at: Instant, reply: Sender<Vec<u8>> },
    Answer { outcome: Outcome, raw: String, at: Instant },
}

/// The ARN that Lambda would tell a function with this environment: in the emulator the access key is the account.
fn function_arn(environment: &[(String, String)]) -> String {
    let value = |name: &str, default: &str| {
        let found = environment.iter().find(|(known, _)| known == name);
        found.map_or(default.to_owned(), |(_, value)| value.clone())
    };
    let (region, account) = (value("AWS_REGION", "us-east-1"), value("AWS_ACCESS_KEY_ID", "100000000000"));
    format!("arn:aws:lambda:{region}:{account}:function:f")
}

fn serve(listener: &TcpListener, arn: &str, ended: &AtomicBool, reporter: &Sender<Report>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        let (reporter, arn) = (reporter.clone(), arn.to_owned());
        std::thread::spawn(move || drop(converse(stream, &arn, &reporter)));
    }
}

/// Serves one connection until it closes.
fn converse(stream: TcpStream, arn: &str, reporter: &Sender<Report>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(Request { line, body, .. }) = Request::read(&mut reader)? {
        let at = Instant::now();
        let value =
            || serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        let outcome = if line.contains("/runtime/invocation/next") {
            let (reply, payload) = channel();
            if reporter.send(Report::Poll { at, reply }).is_err() {
                return Ok(());
            }
            let Ok(payload) = payload.recv() else { return Ok(()) };
            write_invocation(&mut writer, arn, &payload)?;
            continue;
        } else if line.contains("/response ") {
            Outcome::Response(value())
        } else {
            Outcome::Error(value())
        };
        let raw = String::from_utf8_lossy(&body).into_owned();
        if reporter.send(Report::Answer { outcome, raw, at }).is_err() {
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
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + DEADLINE;
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
