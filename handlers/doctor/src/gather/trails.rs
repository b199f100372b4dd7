//! `CloudTrail`: which trails record a Region, and what.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;

use crate::aws::{Aws, why};
use crate::snapshot::{BasicSelector, FieldSelector, Look, Selectors, Trail};

/// `DescribeTrails` with shadow trails, then status and selectors of each by ARN: a trail of an organization or of another
/// Region is not found by name (`API_GetTrailStatus`).
pub(super) async fn trails(aws: &Aws, region: &str) -> Look<Vec<Trail>> {
    let client = Client::new(&aws.of(region));
    let described = client.describe_trails().include_shadow_trails(true).send().await;
    let described = match described {
        Ok(described) => described,
        Err(error) => return Look::Unseen(why("cloudtrail:DescribeTrails", &error)),
    };
    let mut trails = Vec::new();
    for trail in described.trail_list() {
        let arn = trail.trail_arn().or(trail.name()).unwrap_or_default();
        let (logging, delivery_error) = match client.get_trail_status().name(arn).send().await {
            Ok(status) => (
                Look::Seen(status.is_logging().unwrap_or_default()),
                status.latest_delivery_error().filter(|error| !error.is_empty()).map(str::to_owned),
            ),
            Err(error) => (Look::Unseen(why("cloudtrail:GetTrailStatus", &error)), None),
        };
        let selectors = match client.get_event_selectors().trail_name(arn).send().await {
            Ok(answer) => Look::Seen(selectors(&answer)),
            Err(error) => Look::Unseen(why("cloudtrail:GetEventSelectors", &error)),
        };
        trails.push(Trail {
            arn: arn.to_owned(),
            home: trail.home_region().unwrap_or_default().to_owned(),
            multi_region: trail.is_multi_region_trail().unwrap_or_default(),
            organization: trail.is_organization_trail().unwrap_or_default(),
            validated: trail.log_file_validation_enabled().unwrap_or_default(),
            logging,
            delivery_error,
            selectors,
        });
    }
    Look::Seen(trails)
}

fn selectors(answer: &GetEventSelectorsOutput) -> Selectors {
    let basic = answer.event_selectors().iter().map(|selector| BasicSelector {
        // Both default to what records the most (`API_EventSelector`).
        management: selector.include_management_events().unwrap_or(true),
        read_write: selector.read_write_type().map_or("All", |kind| kind.as_str()).to_owned(),
    });
    let advanced = answer.advanced_event_selectors().iter().map(|selector| {
        let fields = selector.field_selectors().iter();
        let fields = fields.map(|field| FieldSelector {
            field: field.field().to_owned(),
            equals: field.equals().to_vec(),
            starts_with: field.starts_with().to_vec(),
            ends_with: field.ends_with().to_vec(),
            not_equals: field.not_equals().to_vec(),
            not_starts_with: field.not_starts_with().to_vec(),
            not_ends_with: field.not_ends_with().to_vec(),
        });
        fields.collect()
    });
    Selectors { basic: basic.collect(), advanced: advanced.collect() }
}
