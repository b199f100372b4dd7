//! `doctor events`: what `CloudTrail` still knows, into a file that the replay reads.
//!
//! `LookupEvents` answers with 90 days of management events of one Region, at most 50 at a time, newest first, twice a second
//! for each account and Region (`API_LookupEvents`). It knows reads and service events; of native events such as
//! `Secret Label Updated` it knows nothing.

mod output;

use std::io;
use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::ProvideErrorMetadata as _;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use responder_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::{Aws, why};
use crate::progress::Progress;
use output::{Found, Output};

/// Between two calls to a Region: two a second are allowed, and others look too.
const PAUSE: Duration = Duration::from_millis(550);
/// After a call that was throttled all the same.
const THROTTLED: Duration = Duration::from_secs(3);
/// How often in a row a Region may be throttled before it is given up.
const PATIENCE: usize = 20;

/// What to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Since and until when, as it was typed.
    pub(crate) asked: String,
    /// The first instant.
    pub(crate) since: Timestamp,
    /// The last.
    pub(crate) until: Timestamp,
    /// The event sources, such as `secretsmanager.amazonaws.com`.
    pub(crate) sources: Vec<String>,
    /// The Regions.
    pub(crate) regions: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// How many events were written.
    pub(crate) events: usize,
    /// What could not be looked up, and why.
    pub(crate) problems: Vec<String>,
    /// Until when it was read, if it went on where an earlier call was interrupted.
    pub(crate) resumed: Option<Timestamp>,
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
    let mut output = Output::open(&aws.account, wanted, file)?;
    let wanted = output.wanted().clone();
    let mut looked = Looked { resumed: output.resumed.then_some(wanted.until), ..Looked::default() };
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
    if output.is_done(&name) {
        return Ok(Ok(()));
    }
    let (since, until) = (output.wanted().since, output.until(&name));
    let (mut token, mut throttled) = (None::<String>, 0);
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
        let found: Vec<Found<'_>> = page
            .events()
            .iter()
            .filter_map(|event| {
                let at = event.event_time().and_then(|at| at.to_millis().ok()).map(Timestamp::from_millis);
                Some(Found { id: event.event_id(), at, record: event.cloud_trail_event()? })
            })
            .collect();
        token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        looked.events += output.write(&name, &found, token.is_none())?;
        if token.is_none() {
            return Ok(Ok(()));
        }
        progress.say(format!("{region}: {} events, back to {}", looked.events, output.until(&name)));
        tokio::time::sleep(PAUSE).await;
    }
}
