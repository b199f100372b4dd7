//! `doctor events`: what `CloudTrail` still knows, into a file that the replay reads.
//!
//! `LookupEvents` answers with 90 days of management events of one Region, at most 50 at a time, newest first, twice a second
//! for each account and Region (`API_LookupEvents`). It knows reads and service events; of native events such as
//! `Secret Label Updated` it knows nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::ProvideErrorMetadata as _;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use responder_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::aws::{Aws, why};
use crate::progress::Progress;

/// Between two calls to a Region: two a second are allowed, and others look too.
const PAUSE: Duration = Duration::from_millis(550);
/// After a call that was throttled all the same.
const THROTTLED: Duration = Duration::from_secs(3);
/// How often in a row a Region may be throttled before it is given up.
const PATIENCE: usize = 20;

/// What to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// The first instant.
    pub(crate) since: Timestamp,
    /// The last.
    pub(crate) until: Timestamp,
    /// The event sources, such as `secretsmanager.amazonaws.com`.
    pub(crate) sources: Vec<String>,
    /// The Regions.
    pub(crate) regions: Vec<String>,
}

/// How far a lookup is, beside its output file: what was interrupted goes on from there.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    account: String,
    wanted: Wanted,
    /// Up to where each Region and source was read, from the newest on; absent before the first page.
    reached: BTreeMap<String, Timestamp>,
    /// The Regions and sources that are done.
    done: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// How many events were written.
    pub(crate) events: usize,
    /// What could not be looked up, and why.
    pub(crate) problems: Vec<String>,
    /// Whether it went on where an earlier call was interrupted.
    pub(crate) resumed: bool,
}

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventsError {
    /// The output.
    #[error("cannot write {file}: {error}")]
    Output {
        /// The file.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// The state of another lookup.
    #[error(
        "{file} belongs to another lookup ({what}): delete it and its events to begin anew, or choose another --out"
    )]
    Other {
        /// The file.
        file: String,
        /// What differs.
        what: &'static str,
    },
}

/// Looks up, and writes one `CloudTrail` record a line. With a file, progress is kept beside it (`FILE.state`) until all is
/// done.
pub(crate) async fn events(
    aws: &Aws,
    wanted: Wanted,
    file: Option<&Path>,
    progress: &Progress,
) -> Result<Looked, EventsError> {
    let mut output = Output::open(aws, wanted, file)?;
    let mut looked = Looked { resumed: output.resumed, ..Looked::default() };
    let wanted = output.state.wanted.clone();
    progress.start(wanted.regions.len() * wanted.sources.len());
    for region in &wanted.regions {
        let client = Client::new(&aws.of(region));
        for source in &wanted.sources {
            progress.step(region);
            if let Err(problem) = one(&client, region, source, &mut output, &mut looked, progress).await? {
                looked.problems.push(problem);
            }
        }
    }
    progress.done();
    if looked.problems.is_empty() {
        output.finish()?;
    }
    Ok(looked)
}

/// One Region and source. The outer error is the output's, the inner one AWS's.
async fn one(
    client: &Client,
    region: &str,
    source: &str,
    output: &mut Output,
    looked: &mut Looked,
    progress: &Progress,
) -> Result<Result<(), String>, EventsError> {
    let name = format!("{region} {source}");
    if output.state.done.contains(&name) {
        return Ok(Ok(()));
    }
    // What was interrupted begins again at the last instant that was read; what comes twice is one event to the replay.
    let wanted = &output.state.wanted;
    let until = output.state.reached.get(&name).copied().unwrap_or(wanted.until);
    let (since, mut token, mut throttled) = (wanted.since, None::<String>, 0);
    loop {
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventSource)
            .attribute_value(source)
            .build();
        let Ok(attribute) = attribute else { return Ok(Err(format!("{name}: an event source is needed"))) };
        let page = client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from_millis(since.millis()))
            .end_time(DateTime::from_millis(until.millis()))
            .max_results(50)
            .set_next_token(token.clone())
            .send()
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) if error.code() == Some("ThrottlingException") && throttled < PATIENCE => {
                throttled += 1;
                tokio::time::sleep(THROTTLED).await;
                continue;
            }
            Err(error) => return Ok(Err(format!("{name}: {}", why("cloudtrail:LookupEvents", &error)))),
        };
        throttled = 0;
        let records: Vec<&str> = page.events().iter().filter_map(|event| event.cloud_trail_event()).collect();
        looked.events += records.len();
        let oldest = page.events().iter().filter_map(|event| event.event_time()?.to_millis().ok()).min();
        token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        output.write(&records, &name, oldest.map(Timestamp::from_millis), token.is_none())?;
        if token.is_none() {
            return Ok(Ok(()));
        }
        let back = oldest.map(|at| Timestamp::from_millis(at).to_string()).unwrap_or_default();
        progress.say(format!("{region}: {} events, back to {back}", looked.events));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Where the events go.
struct Output {
    to: Box<dyn Write>,
    /// The file and its state's; none for standard output.
    files: Option<(PathBuf, PathBuf)>,
    state: State,
    resumed: bool,
}

impl Output {
    fn open(aws: &Aws, wanted: Wanted, file: Option<&Path>) -> Result<Self, EventsError> {
        let fresh = |wanted: Wanted| State {
            account: aws.account.clone(),
            wanted,
            reached: BTreeMap::new(),
            done: Vec::new(),
        };
        let Some(file) = file else {
            let to = Box::new(io::stdout());
            return Ok(Self { to, files: None, state: fresh(wanted), resumed: false });
        };
        let beside = PathBuf::from(format!("{}.state", file.display()));
        let failed = |error| EventsError::Output { file: file.display().to_string(), error };
        let known: Option<State> =
            fs::read_to_string(&beside).ok().and_then(|text| serde_json::from_str(&text).ok());
        let other = |what| EventsError::Other { file: beside.display().to_string(), what };
        if let Some(known) = known {
            if known.account != aws.account {
                return Err(other("the account"));
            }
            if known.wanted.regions != wanted.regions || known.wanted.sources != wanted.sources {
                return Err(other("its Regions or sources"));
            }
            // `--since 90d` means another instant today: what was begun is finished.
            if known.wanted.since > wanted.since.plus(Span::from_secs(2 * 86_400)) {
                return Err(other("it begins later"));
            }
            let to = Box::new(fs::OpenOptions::new().append(true).create(true).open(file).map_err(failed)?);
            return Ok(Self { to, files: Some((file.to_owned(), beside)), state: known, resumed: true });
        }
        let to = Box::new(fs::File::create(file).map_err(failed)?);
        let files = Some((file.to_owned(), beside));
        Ok(Self { to, files, state: fresh(wanted), resumed: false })
    }

    /// Writes a page, and then how far that is.
    fn write(
        &mut self,
        records: &[&str],
        name: &str,
        reached: Option<Timestamp>,
        done: bool,
    ) -> Result<(), EventsError> {
        for record in records {
            // `CloudTrailEvent` is JSON of one line; should it not be, the line says that it is broken when it is read.
            let line = record.replace(['\n', '\r'], " ");
            writeln!(self.to, "{line}").map_err(|error| self.failed(error))?;
        }
        self.to.flush().map_err(|error| self.failed(error))?;
        if let Some(reached) = reached {
            self.state.reached.insert(name.to_owned(), reached);
        }
        if done {
            self.state.done.push(name.to_owned());
        }
        if let Some((_, beside)) = &self.files {
            let text = serde_json::to_string(&self.state).unwrap_or_default();
            fs::write(beside, text)
                .map_err(|error| EventsError::Output { file: beside.display().to_string(), error })?;
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> EventsError {
        let file =
            self.files.as_ref().map_or("standard output".to_owned(), |(file, _)| file.display().to_string());
        EventsError::Output { file, error }
    }

    /// All was read: nothing is left to go on with.
    fn finish(self) -> Result<(), EventsError> {
        match &self.files {
            Some((_, beside)) if beside.exists() => fs::remove_file(beside)
                .map_err(|error| EventsError::Output { file: beside.display().to_string(), error }),
            _ => Ok(()),
        }
    }
}
