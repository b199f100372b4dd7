//! `CloudTrail`: the trails that record a Region, and which events they record.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::snapshot::{BasicTrailSelector, Inspection, ObservedTrail, TrailFieldSelector, TrailSelectors};

impl RegionGatherer<'_> {
    /// The trails of a Region, shadow trails included. Status and selectors are read by ARN: a trail of an organization or of
    /// another Region is not found by its name (`API_GetTrailStatus`).
    pub(super) async fn gather_trails(&self) -> CallResult<Vec<ObservedTrail>> {
        let client = Client::new(&self.config);
        let described = client.describe_trails().include_shadow_trails(true).send().await;
        let mut trails = Vec::new();
        for trail in described.for_call("cloudtrail:DescribeTrails")?.trail_list() {
            let arn = trail.trail_arn().or(trail.name()).unwrap_or_default();
            let mut observed = ObservedTrail {
                arn: arn.to_owned(),
                home: trail.home_region().unwrap_or_default().to_owned(),
                multi_region: trail.is_multi_region_trail().unwrap_or_default(),
                organization: trail.is_organization_trail().unwrap_or_default(),
                validated: trail.log_file_validation_enabled().unwrap_or_default(),
                ..ObservedTrail::default()
            };
            match client.get_trail_status().name(arn).send().await.for_call("cloudtrail:GetTrailStatus") {
                Ok(status) => {
                    observed.logging = Inspection::Seen(status.is_logging().unwrap_or_default());
                    let error = status.latest_delivery_error().unwrap_or_default();
                    observed.delivery_error = Some(error.to_owned()).filter(|error| !error.is_empty());
                }
                Err(error) => observed.logging = Inspection::Unseen(error.to_string()),
            }
            let selectors = client.get_event_selectors().trail_name(arn).send().await;
            let selectors = selectors.for_call("cloudtrail:GetEventSelectors");
            observed.selectors = selectors.map(|answer| read_selectors(&answer)).into();
            trails.push(observed);
        }
        Ok(trails)
    }
}

fn read_selectors(answer: &GetEventSelectorsOutput) -> TrailSelectors {
    let mut selectors = TrailSelectors::default();
    for selector in answer.event_selectors() {
        selectors.basic.push(BasicTrailSelector {
            // Both default to the value that records the most (`API_EventSelector`).
            management: selector.include_management_events().unwrap_or(true),
            read_write: selector.read_write_type().map_or("All", |kind| kind.as_str()).to_owned(),
        });
    }
    for selector in answer.advanced_event_selectors() {
        let mut fields = Vec::new();
        for field in selector.field_selectors() {
            fields.push(TrailFieldSelector {
                field: field.field().to_owned(),
                equals: field.equals().to_vec(),
                starts_with: field.starts_with().to_vec(),
                ends_with: field.ends_with().to_vec(),
                not_equals: field.not_equals().to_vec(),
                not_starts_with: field.not_starts_with().to_vec(),
                not_ends_with: field.not_ends_with().to_vec(),
            });
        }
        selectors.advanced.push(fields);
    }
    selectors
}
