//! The server of the fake: connections, their faults, and the models behind.

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

use super::event_history::EventHistory;
use super::{ecs, secrets};
use crate::http::HttpRequest;

/// A running fake of AWS; it ends when it is dropped.
#[derive(Debug)]
pub struct FakeAws {
    state: Arc<Mutex<FakeAwsState>>,
    address: SocketAddr,
}

/// A fault of the connection of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionFault {
    /// Never answered, and without effect.
    Hangs,
    /// It has its effect, but the connection closes instead of an answer.
    ReplyLost,
    /// Answered late, after the effect.
    Late(Duration),
}

#[derive(Debug)]
struct FakeAwsState {
    /// One for each Region; an unknown Region is an empty one.
    ecs: BTreeMap<String, SimulatedEcs>,
    home: AwsLocation,
    secrets: SimulatedSecrets,
    history: EventHistory,
    offset: Span,
    /// The instant at which the clock stands, if it does.
    frozen: Option<Timestamp>,
    faults: BTreeMap<String, VecDeque<Option<ConnectionFault>>>,
    requests: BTreeMap<String, u64>,
    events: Vec<(Timestamp, Value)>,
    launches: Vec<TaskLaunch>,
    connections: Vec<TcpStream>,
    ended: bool,
}

impl FakeAws {
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
        let state = FakeAwsState {
            ecs: [(home.region.clone(), ecs)].into(),
            home,
            secrets,
            history: EventHistory::default(),
            offset: Span::default(),
            frozen: None,
            faults: BTreeMap::new(),
            requests: BTreeMap::new(),
            events: Vec::new(),
            launches: Vec::new(),
            connections: Vec::new(),
            ended: false,
        };
        let state = Arc::new(Mutex::new(state));
        let accepting = Arc::clone(&state);
        spawn(move || accept_connections(&listener, &accepting));
        Self { state, address }
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The fake's time: the real one and the time that was skipped.
    pub fn now(&self) -> Timestamp {
        lock(&self.state).now()
    }

    /// Stops the fake's clock: from now on only [`FakeAws::skip`] moves its time, so that no rollout goes on while a slow machine thinks.
    pub fn freeze(&self) {
        lock(&self.state).frozen = Some(clock());
    }

    /// Moves the fake's time forward.
    pub fn skip(&self, span: Span) {
        let mut state = lock(&self.state);
        state.offset = Span::from_millis(state.offset.millis().saturating_add(span.millis()));
    }

    /// Reads or changes ECS of the home Region.
    pub fn with_ecs<T>(&self, visit: impl FnOnce(&mut SimulatedEcs, Timestamp) -> T) -> T {
        let mut state = lock(&self.state);
        let region = state.home.region.clone();
        let now = state.now();
        visit(state.ecs_of(&region), now)
    }

    /// Reads or changes Secrets Manager.
    pub fn with_secrets<T>(&self, visit: impl FnOnce(&mut SimulatedSecrets, Timestamp) -> T) -> T {
        let mut state = lock(&self.state);
        let now = state.now();
        visit(&mut state.secrets, now)
    }

    /// Lets the next calls of an operation, such as `UpdateService`, have these faults, one after the other; `None` is a call without one.
    pub fn plant_faults(
        &self,
        operation: &str,
        faults: impl IntoIterator<Item = impl Into<Option<ConnectionFault>>>,
    ) {
        let mut state = lock(&self.state);
        let planted = state.faults.entry(operation.to_owned()).or_default();
        planted.extend(faults.into_iter().map(Into::into));
    }

    /// Removes the faults of an operation that did not happen yet.
    pub fn clear_faults(&self, operation: &str) {
        lock(&self.state).faults.remove(operation);
    }

    /// Lets CloudTrail's event history have these events, as `EventBridge` delivers them.
    pub fn record_events(&self, events: &[Value]) {
        lock(&self.state).history.record(events);
    }

    /// How the next lookups in the event history end: with an error of this code, or well; those after them end well.
    pub fn plan_lookups(&self, codes: impl IntoIterator<Item = Option<&'static str>>) {
        lock(&self.state).history.refusals = codes.into_iter().collect();
    }

    /// How many requests for an operation arrived.
    pub fn count_requests(&self, operation: &str) -> u64 {
        lock(&self.state).requests.get(operation).copied().unwrap_or_default()
    }

    /// Takes the events that EventBridge got since the last time, in their order.
    pub fn take_events(&self) -> Vec<Value> {
        let mut state = lock(&self.state);
        state.advance();
        let mut events = std::mem::take(&mut state.events);
        events.sort_by_key(|(at, _)| *at);
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// Takes the tasks that were launched since the last time.
    pub fn take_launches(&self) -> Vec<TaskLaunch> {
        let mut state = lock(&self.state);
        state.advance();
        std::mem::take(&mut state.launches)
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.ended = true;
        for connection in state.connections.drain(..) {
            let _already_closed = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the accepting thread, so that it ends.
        let _wake_up = TcpStream::connect(self.address);
    }
}

impl FakeAwsState {
    fn now(&self) -> Timestamp {
        self.frozen.unwrap_or_else(clock).plus(self.offset)
    }

    fn ecs_of(&mut self, region: &str) -> &mut SimulatedEcs {
        let account = &self.home.account;
        self.ecs
            .entry(region.to_owned())
            .or_insert_with(|| SimulatedEcs::new(AwsLocation::new(account, region), 1))
    }

    /// Lets time pass in the models, and keeps their events and launches.
    fn advance(&mut self) {
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
                ecs::answer_ecs_call(self.ecs_of(region), operation, &body, now)
            }
            Some(("secretsmanager", operation)) => {
                secrets::answer_secrets_call(&mut self.secrets, region, operation, &body, now)
            }
            Some(("CloudTrail_20131101", operation)) => self.history.answer_call(region, operation, &body),
            _ => Err(ApiRefusal::new("UnknownOperationException", target)),
        }
    }
}

fn clock() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

fn lock(state: &Mutex<FakeAwsState>) -> MutexGuard<'_, FakeAwsState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept_connections(listener: &TcpListener, state: &Arc<Mutex<FakeAwsState>>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let mut locked = lock(state);
        if locked.ended {
            return;
        }
        locked.connections.extend(stream.try_clone());
        let state = Arc::clone(state);
        spawn(move || drop(serve_connection(&stream, &state)));
    }
}

/// Serves one connection until it closes.
fn serve_connection(stream: &TcpStream, state: &Mutex<FakeAwsState>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = HttpRequest::read(&mut reader)? {
        let target = request.header("x-amz-target");
        let operation = target.rsplit('.').next().unwrap_or_default();
        let mut locked = lock(state);
        *locked.requests.entry(operation.to_owned()).or_default() += 1;
        let fault = locked.faults.get_mut(operation).and_then(VecDeque::pop_front).flatten();
        if fault == Some(ConnectionFault::Hangs) {
            drop(locked);
            // Until the caller gives up, or the fake ends.
            while HttpRequest::read(&mut reader)?.is_some() {}
            return Ok(());
        }
        let region = read_region(request.header("authorization")).unwrap_or(&locked.home.region).to_owned();
        let answer = locked.answer(&region, target, &request.body);
        drop(locked);
        match fault {
            Some(ConnectionFault::ReplyLost) => return stream.shutdown(Shutdown::Both),
            Some(ConnectionFault::Late(delay)) => sleep(delay),
            _ => {}
        }
        write_answer(stream, &answer)?;
    }
    Ok(())
}

/// The Region of the credential scope: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn read_region(authorization: &str) -> Option<&str> {
    authorization.split_once("Credential=")?.1.split('/').nth(2)
}

fn write_answer(mut stream: &TcpStream, answer: &Result<Value, ApiRefusal>) -> std::io::Result<()> {
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
