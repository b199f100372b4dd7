//! A Lambda Runtime API server of our own, which runs one function binary as a child process and hands it payloads.
//!
//! One connection is one thread; they report to the [`FunctionProcess`], which alone decides. Output goes through a file: when the function polls again, all that it
//! wrote for the last payload is there.

mod invocation_outcome;
mod runtime_api;

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

pub use self::invocation_outcome::InvocationOutcome;
use self::runtime_api::{RuntimeReport, accept_connections};
use crate::{PATIENCE, paths};

/// How often the harness looks whether a silent process still runs.
const LIFE_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// A running function process.
#[derive(Debug)]
pub struct FunctionProcess {
    child: Child,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    reports: Receiver<RuntimeReport>,
    /// The poll that waits for a payload.
    poll: Option<Sender<Vec<u8>>>,
    first_poll: Duration,
    output: PathBuf,
    read: usize,
}

/// The answer to one payload.
#[derive(Debug)]
pub struct RuntimeAnswer {
    /// The response or the error.
    pub outcome: InvocationOutcome,
    /// The same, byte for byte.
    pub raw: String,
    /// From the payload to the answer.
    pub took: Duration,
    /// The lines that the function wrote to standard output and standard error meanwhile.
    pub lines: Vec<String>,
}

impl FunctionProcess {
    /// Starts `binary` with nothing but `environment` and Lambda's own variables, and waits until it polls.
    ///
    /// # Panics
    ///
    /// If it ends or reports an error before it polls; with its output.
    pub fn start(binary: &Path, environment: &[(String, String)]) -> Self {
        Self::try_start(binary, environment).unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// Starts `binary` like [`FunctionProcess::start`].
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
        std::thread::spawn(move || accept_connections(&listener, &arn, &accepting, &reporter));

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
            Some(RuntimeReport::Poll { at, reply }) => {
                function.first_poll = at - started;
                function.poll = Some(reply);
                Ok(function)
            }
            other => Err(format!("{name} did not start ({other:?}):\n{}", function.take_lines().join("\n"))),
        }
    }

    /// Hands the function a payload and waits for its answer, and until it polls again.
    ///
    /// # Panics
    ///
    /// If it neither answers nor ends.
    pub fn invoke(&mut self, payload: &[u8]) -> RuntimeAnswer {
        let poll = self.poll.take().expect("a function that died is not invoked again");
        let sent = Instant::now();
        let mut answer = RuntimeAnswer {
            outcome: InvocationOutcome::Died,
            raw: String::new(),
            took: Duration::ZERO,
            lines: Vec::new(),
        };
        if poll.send(payload.to_vec()).is_ok() {
            loop {
                match self.next_report() {
                    Some(RuntimeReport::Poll { reply, .. }) => {
                        self.poll = Some(reply);
                        break;
                    }
                    Some(RuntimeReport::Answer { outcome, raw, at }) => {
                        answer.outcome = outcome;
                        answer.raw = raw;
                        answer.took = at - sent;
                    }
                    None => break,
                }
            }
        }
        answer.lines = self.take_lines();
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

    /// The next report, or `None` when the process has ended and everything that it said was reported.
    fn next_report(&mut self) -> Option<RuntimeReport> {
        let start = Instant::now();
        loop {
            match self.reports.recv_timeout(LIFE_CHECK_INTERVAL) {
                Ok(report) => return Some(report),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.child.try_wait().ok().flatten().is_some() {
                // Its last words may still be on their way through a connection's thread. They all have arrived when no thread is left.
                self.stop_accepting();
                return self.reports.recv().ok();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "nothing for {PATIENCE:?}; output:\n{}",
                self.take_lines().join("\n")
            );
        }
    }

    /// Lets the accepting thread end once it has taken the connections that already wait for it.
    fn stop_accepting(&self) {
        self.ended.store(true, Ordering::Relaxed);
        // A connection wakes the thread. It is refused if the thread has ended before.
        let _wake_up = TcpStream::connect(self.address);
    }

    /// The output since the last time.
    fn take_lines(&mut self) -> Vec<String> {
        let output = std::fs::read(&self.output).unwrap_or_default();
        let new = String::from_utf8_lossy(output.get(self.read..).unwrap_or_default()).into_owned();
        self.read = output.len();
        new.lines().map(str::to_owned).collect()
    }
}

impl Drop for FunctionProcess {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _reaped = self.child.wait();
        self.stop_accepting();
        if !std::thread::panicking() {
            let _already_gone = std::fs::remove_file(&self.output);
        }
    }
}

/// The ARN that Lambda would give a function with this environment: in the emulator the access key is the account.
fn function_arn(environment: &[(String, String)]) -> String {
    let mut region = "us-east-1";
    let mut account = "100000000000";
    for (name, value) in environment {
        match name.as_str() {
            "AWS_REGION" => region = value,
            "AWS_ACCESS_KEY_ID" => account = value,
            _ => {}
        }
    }
    format!("arn:aws:lambda:{region}:{account}:function:f")
}
