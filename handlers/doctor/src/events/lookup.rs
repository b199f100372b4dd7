//! The lookup of events, Region by Region and source by source.

use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::ProvideErrorMetadata as _;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use responder_core::time::Timestamp;

use super::event_file::{EventFile, EventFileError, TrailEvent};
use super::event_lookup::EventLookup;
use crate::aws_session::{AwsSession, CallAnswer as _};
use crate::progress::ProgressDisplay;

/// The pause between two calls to a Region: two calls a second are allowed, and others look up events too.
const LOOKUP_PAUSE: Duration = Duration::from_millis(550);
/// The pause after a call that was throttled all the same.
const THROTTLED_PAUSE: Duration = Duration::from_secs(3);
/// How often in a row a Region may throttle before it is given up.
const MAX_THROTTLED_CALLS: usize = 20;
/// The most events that one call returns.
const EVENTS_A_PAGE: i32 = 50;

/// The result of a lookup.
#[derive(Debug, Default)]
pub(crate) struct LookupSummary {
    /// How many events were written.
    pub(crate) events: usize,
    /// The Regions and sources that could not be looked up, and why.
    pub(crate) problems: Vec<String>,
    /// The last instant of the lookup that was resumed, if an earlier one had been interrupted.
    pub(crate) resumed_until: Option<Timestamp>,
}

/// Looks events up, and writes one `CloudTrail` record a line. With a file, the progress is kept beside it (`FILE.state`) until the
/// lookup is complete.
pub(crate) async fn look_up_events(
    session: &AwsSession,
    lookup: EventLookup,
    file: Option<&Path>,
    progress: &ProgressDisplay,
) -> Result<LookupSummary, EventFileError> {
    let mut file = EventFile::open(&session.account, lookup, file)?;
    let lookup = file.lookup().clone();
    let mut summary =
        LookupSummary { resumed_until: file.is_resumed.then_some(lookup.until), ..LookupSummary::default() };
    progress.start_steps(lookup.regions.len() * lookup.sources.len());
    for region in &lookup.regions {
        let client = Client::new(&session.config_for(region));
        for source in &lookup.sources {
            progress.begin_step(region);
            let part = LookupPart { client: &client, region, source, progress };
            if let Some(problem) = part.look_up(&mut file, &mut summary.events).await? {
                summary.problems.push(problem);
            }
        }
    }
    progress.finish();
    if summary.problems.is_empty() {
        file.remove_state()?;
    }
    Ok(summary)
}

/// One Region and source of a lookup.
struct LookupPart<'p> {
    client: &'p Client,
    region: &'p str,
    source: &'p str,
    progress: &'p ProgressDisplay,
}

impl LookupPart<'_> {
    /// Looks up the part, unless an earlier lookup completed it. Returns the problem that ended it, if there was one; the error is
    /// the file's.
    async fn look_up(
        &self,
        file: &mut EventFile,
        written: &mut usize,
    ) -> Result<Option<String>, EventFileError> {
        let name = format!("{} {}", self.region, self.source);
        if file.is_complete(&name) {
            return Ok(None);
        }
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventSource)
            .attribute_value(self.source)
            .build();
        let Ok(attribute) = attribute else {
            return Ok(Some(format!("{name}: an event source is needed")));
        };
        let request = self
            .client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from_millis(file.lookup().since.millis()))
            .end_time(DateTime::from_millis(file.unread_until(&name).millis()))
            .max_results(EVENTS_A_PAGE);
        let mut token = None;
        let mut throttled_calls = 0;
        loop {
            let page = match request.clone().set_next_token(token.clone()).send().await {
                Err(error)
                    if error.code() == Some("ThrottlingException")
                        && throttled_calls < MAX_THROTTLED_CALLS =>
                {
                    throttled_calls += 1;
                    tokio::time::sleep(THROTTLED_PAUSE).await;
                    continue;
                }
                answer => match answer.for_call("cloudtrail:LookupEvents") {
                    Ok(page) => page,
                    Err(error) => return Ok(Some(format!("{name}: {error}"))),
                },
            };
            throttled_calls = 0;
            let mut events = Vec::new();
            for event in page.events() {
                events.extend(read_event(event));
            }
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            *written += file.write_page(&name, &events, token.is_none())?;
            if token.is_none() {
                return Ok(None);
            }
            let reached = file.unread_until(&name);
            self.progress.show_message(format!("{}: {written} events, back to {reached}", self.region));
            tokio::time::sleep(LOOKUP_PAUSE).await;
        }
    }
}

/// An event with its record; one without a record tells nothing.
fn read_event(event: &Event) -> Option<TrailEvent<'_>> {
    let millis = event.event_time().and_then(|at| at.to_millis().ok());
    let at = millis.map(Timestamp::from_millis);
    Some(TrailEvent { id: event.event_id(), at, record: event.cloud_trail_event()? })
}
