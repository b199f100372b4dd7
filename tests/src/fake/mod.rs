//! ECS and the metadata of Secrets Manager over HTTP: the simulation's model, served to the real functions by the real clock; and CloudTrail's event history.
//!
//! Point `AWS_ENDPOINT_URL_ECS` of a function at it; everything else stays with the emulator. What goes wrong is planted in two places: what AWS answers
//! (throttling, 5xx, denials) in the model's `calls`, what happens to a connection here.

mod ecs;
mod secrets;
mod trail;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};
use simulation::ecs::{EcsEstate, EcsEvent, SimulatedEcs, TaskLaunch};
use simulation::location::AwsLocation;
use simulation::secrets::SimulatedSecrets;
use simulation::service_calls::ApiRefusal;

use crate::http::Request;

/// A running server; ends when it is dropped.
#[derive(Debug)]
pub struct Fake {
    shared: Arc<Mutex<State>>,
    address: SocketAddr,
}

/// What happens to the connection of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Never answered, and without effect.
    Hangs,
    /// It has its effect, but the connection closes instead of an answer.
    ReplyLost,
    /// Answered late, after the effect.
    Late(Duration),
}

#[derive(Debug)]
struct State {
    /// One for each Region; an unknown Region is an empty one.
    ecs: BTreeMap<String, SimulatedEcs>,
    home: AwsLocation,
    secrets: SimulatedSecrets,
    trail: trail::Trail,
    offset: Span,
    latency: Duration,
    troubles: BTreeMap<String, VecDeque<Trouble>>,
    requests: BTreeMap<String, u64>,
    events: Vec<(Timestamp, Value)>,
    launches: Vec<TaskLaunch>,
    connections: Vec<TcpStream>,
    ended: bool,
}

impl Fake {
    /// An empty account.
    pub fn start(account: &str, region: &str) -> Self {
        Self::serve(
            SimulatedEcs::new(AwsLocation::new(account, region), 1),
            SimulatedSecrets::new(account, 1),
        )
    }

    /// An account of this size, the same each time but for its age of one day, with one secret for ten services.
    pub fn estate(account: &str, region: &str, clusters: usize, services: usize, revisions: usize) -> Self {
        let created = clock().minus(Span::from_secs(86_400));
        let secrets = SimulatedSecrets::make_estate(account, region, 1, services.div_ceil(10), created);
        let estate =
            EcsEstate { clusters, services, revisions, secrets: secrets.arns().map(str::to_owned).collect() };
        Self::serve(
            SimulatedEcs::make_estate(AwsLocation::new(account, region), 1, &estate, created),
            secrets,
        )
    }

    /// Serves a model on a free loopback port.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn serve(ecs: SimulatedEcs, secrets: SimulatedSecrets) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let home = ecs.location.clone();
        let state = State {
            ecs: [(home.region.clone(), ecs)].into(),
            home,
            secrets,
            trail: trail::Trail::default(),
            offset: Span::default(),
            latency: Duration::ZERO,
            troubles: BTreeMap::new(),
            requests: BTreeMap::new(),
            events: Vec::new(),
            launches: Vec::new(),
            connections: Vec::new(),
            ended: false,
        };
        let shared = Arc::new(Mutex::new(state));
        let accepting = Arc::clone(&shared);
        spawn(move || accept(&listener, &accepting));
        Self { shared, address }
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The fake's time: the real one and what was skipped.
    pub fn now(&self) -> Timestamp {
        lock(&self.shared).now()
    }

    /// Moves the fake's time forward.
    pub fn skip(&self, span: Span) {
        let mut state = lock(&self.shared);
        state.offset = Span::from_millis(state.offset.millis().saturating_add(span.millis()));
    }

    /// Looks at ECS of the home Region, or changes it.
    pub fn ecs<T>(&self, see: impl FnOnce(&mut SimulatedEcs, Timestamp) -> T) -> T {
        let mut state = lock(&self.shared);
        let (region, now) = (state.home.region.clone(), state.now());
        see(state.ecs_of(&region), now)
    }

    /// Looks at Secrets Manager, or changes it.
    pub fn secrets<T>(&self, see: impl FnOnce(&mut SimulatedSecrets, Timestamp) -> T) -> T {
        let mut state = lock(&self.shared);
        let now = state.now();
        see(&mut state.secrets, now)
    }

    /// From now on every answer takes this long.
    pub fn set_latency(&self, latency: Duration) {
        lock(&self.shared).latency = latency;
    }

    /// Lets the next calls of an operation, such as `UpdateService`, go wrong on their way, one after the other.
    pub fn trouble(&self, operation: &str, troubles: impl IntoIterator<Item = Trouble>) {
        lock(&self.shared).troubles.entry(operation.to_owned()).or_default().extend(troubles);
    }

    /// Lets CloudTrail's event history have these events, as `EventBridge` delivers them.
    pub fn record(&self, events: &[Value]) {
        lock(&self.shared).trail.record(events);
    }

    /// How the next lookups in the event history end: with an error of this code, or well; those after them end well.
    pub fn lookups(&self, codes: impl IntoIterator<Item = Option<&'static str>>) {
        lock(&self.shared).trail.refusals = codes.into_iter().collect();
    }

    /// How many requests for an operation arrived.
    pub fn requests(&self, operation: &str) -> u64 {
        lock(&self.shared).requests.get(operation).copied().unwrap_or_default()
    }

    /// Takes the events that EventBridge got since the last time, in their order.
    pub fn events(&self) -> Vec<Value> {
        let mut state = lock(&self.shared);
        state.collect();
        let mut events = std::mem::take(&mut state.events);
        events.sort_by_key(|(at, _)| *at);
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// Takes the tasks that were launched since the last time.
    pub fn launches(&self) -> Vec<TaskLaunch> {
        let mut state = lock(&self.shared);
        state.collect();
        std::mem::take(&mut state.launches)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.ended = true;
        for connection in state.connections.drain(..) {
            let _already_closed = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the accepting thread, so that it ends.
        let _nobody = TcpStream::connect(self.address);
    }
}

impl State {
    fn now(&self) -> Timestamp {
        clock().plus(self.offset)
    }

    fn ecs_of(&mut self, region: &str) -> &mut SimulatedEcs {
        let account = &self.home.account;
        self.ecs
            .entry(region.to_owned())
            .or_insert_with(|| SimulatedEcs::new(AwsLocation::new(account, region), 1))
    }

    /// Lets time pass in the models, and keeps what happened.
    fn collect(&mut self) {
        let now = self.now();
        for happened in self.ecs.values_mut().flat_map(|ecs| ecs.advance(now)) {
            match happened {
                EcsEvent::StateChange { at, event } => self.events.push((at, event)),
                EcsEvent::Launched(launch) => self.launches.push(launch),
            }
        }
        self.events.extend(self.secrets.advance(now).into_iter().map(|told| (told.at, told.event)));
    }

    fn answer(&mut self, region: &str, target: &str, body: &[u8]) -> Result<Value, ApiRefusal> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| ApiRefusal::new("SerializationException", "the body is not JSON"))?;
        let now = self.now();
        match target.rsplit_once('.') {
            Some(("AmazonEC2ContainerServiceV20141113", operation)) => {
                ecs::answer(self.ecs_of(region), operation, &body, now)
            }
            Some(("secretsmanager", operation)) => {
                secrets::answer(&mut self.secrets, region, operation, &body, now)
            }
            Some(("CloudTrail_20131101", operation)) => self.trail.answer(region, operation, &body),
            _ => Err(ApiRefusal::new("UnknownOperationException", target)),
        }
    }
}

/// Refuses a request with a member that the fake would ignore: a test must not believe that it did something.
fn only(body: &Value, known: &[&str]) -> Result<(), ApiRefusal> {
    let unknown = body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |(name, _)| {
        Err(ApiRefusal::new("ValidationException", format!("the fake does not know `{name}`")))
    })
}

/// As the JSON protocols write an instant: seconds, with a fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium are exact")]
fn seconds(at: Timestamp) -> Value {
    json!(at.millis() as f64 / 1_000.0)
}

fn max(body: &Value, name: &str) -> Option<usize> {
    body[name].as_u64().map(|max| usize::try_from(max).unwrap_or(usize::MAX))
}

fn clock() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Mutex<State>>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let mut state = lock(shared);
        if state.ended {
            return;
        }
        state.connections.extend(stream.try_clone());
        let shared = Arc::clone(shared);
        spawn(move || drop(converse(&stream, &shared)));
    }
}

/// Serves one connection until it closes.
fn converse(stream: &TcpStream, shared: &Mutex<State>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        let target = request.header("x-amz-target");
        let operation = target.rsplit('.').next().unwrap_or_default();
        let mut state = lock(shared);
        *state.requests.entry(operation.to_owned()).or_default() += 1;
        let trouble = state.troubles.get_mut(operation).and_then(VecDeque::pop_front);
        let mut wait = state.latency;
        if trouble == Some(Trouble::Hangs) {
            drop(state);
            // Until the caller gives up, or the fake ends.
            while Request::read(&mut reader)?.is_some() {}
            return Ok(());
        }
        let region = region(request.header("authorization")).unwrap_or(&state.home.region).to_owned();
        let answer = state.answer(&region, target, &request.body);
        drop(state);
        match trouble {
            Some(Trouble::ReplyLost) => return stream.shutdown(Shutdown::Both),
            Some(Trouble::Late(late)) => wait += late,
            _ => {}
        }
        sleep(wait);
        write(stream, &answer)?;
    }
    Ok(())
}

/// The Region of the credential scope: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn region(authorization: &str) -> Option<&str> {
    authorization.split_once("Credential=")?.1.split('/').nth(2)
}

fn write(mut stream: &TcpStream, answer: &Result<Value, ApiRefusal>) -> std::io::Result<()> {
    let (status, body) = match answer {
        Ok(body) => (200, body.to_string()),
        Err(refusal) => {
            (refusal.status(), json!({"__type": refusal.code, "message": refusal.message}).to_string())
        }
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // In one write: a second one may wait for the first one's acknowledgement.
    stream.write_all((head + &body).as_bytes())
}
