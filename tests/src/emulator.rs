//! The emulated AWS: a process that the tests of one binary share, or one that a test has to itself.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::aws::EmulatorClient;
use crate::{PATIENCE, paths};

/// The emulator writes this line when it has the port. Any process can answer at a port; only our emulator writes to our log.
const LISTENING_LINE: &str = "Running on http";

/// How many ports are tried: between the choice of a free port and the emulator's start another process may take it.
const START_ATTEMPTS: usize = 5;

/// A running emulator.
#[derive(Debug)]
pub struct Emulator {
    /// `emulator.py`, which ends the emulator when our end of its standard input closes: on drop, or with this process.
    supervisor: Child,
    endpoint: String,
    log: PathBuf,
    accounts: AtomicU64,
}

impl Emulator {
    /// The emulator that all tests of this process share.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Emulator>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Arc::new(Self::start())))
    }

    /// Starts an emulator on a free loopback port and waits until it is healthy.
    ///
    /// # Panics
    ///
    /// If it does not start; with its log.
    pub fn start() -> Self {
        for _ in 0..START_ATTEMPTS {
            let port = free_port();
            let log = paths::leftovers().join(format!("emulator-{}-{port}.log", std::process::id()));
            let supervisor = Command::new(paths::python())
                .arg(paths::root().join("tests/emulator.py"))
                .args([&port.to_string()])
                .arg(&log)
                .stdin(Stdio::piped())
                .spawn()
                .expect("the interpreter starts");
            let endpoint = format!("http://127.0.0.1:{port}");
            let mut emulator = Self { supervisor, endpoint, log, accounts: AtomicU64::new(0) };
            if emulator.becomes_healthy() {
                return emulator;
            }
            eprintln!("the emulator did not start: {}", emulator.log_tail());
        }
        panic!("the emulator did not start {START_ATTEMPTS} times");
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The file that holds the emulator's and its functions' output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// A client in an account that no test has used: nothing of another test is visible there.
    pub fn new_account(&self) -> EmulatorClient {
        let number = 100_000_000_000 + self.accounts.fetch_add(1, Ordering::Relaxed);
        EmulatorClient::new(&self.endpoint, &number.to_string(), "us-east-1")
    }

    /// The end of the log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(4_000)..]).into_owned()
    }

    /// Waits until the emulator answers, or has ended.
    fn becomes_healthy(&mut self) -> bool {
        let start = Instant::now();
        let url = format!("{}/_ministack/health", self.endpoint);
        while start.elapsed() < PATIENCE {
            if self.supervisor.try_wait().is_ok_and(|status| status.is_some()) {
                return false;
            }
            let listens = std::fs::read_to_string(&self.log).is_ok_and(|log| log.contains(LISTENING_LINE));
            if listens && ureq::get(&url).call().is_ok() {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        if let Err(error) = self.supervisor.wait() {
            eprintln!("waiting for the emulator's end: {error}");
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
