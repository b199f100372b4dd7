//! CloudWatch: our alarms, and the heartbeat.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use responder_core::time::{Span, Timestamp};

use crate::aws::{Aws, why};
use crate::snapshot::{Alarm, Look};
use crate::wiring::Watch;

/// The alarms whose names begin with the prefix, and all on metrics of Secrets Manager, whoever made them.
pub(super) async fn alarms(aws: &Aws, region: &str, prefix: &str) -> Look<BTreeMap<String, Alarm>> {
    let client = Client::new(&aws.of(region));
    let (mut alarms, mut token) = (BTreeMap::new(), None);
    loop {
        let page = client.describe_alarms().max_records(100).set_next_token(token).send().await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Look::Unseen(why("cloudwatch:DescribeAlarms", &error)),
        };
        for alarm in page.metric_alarms() {
            let is_ours = alarm.alarm_name().is_some_and(|name| name.starts_with(prefix));
            if !is_ours && alarm.namespace() != Some("AWS/SecretsManager") {
                continue;
            }
            let dimensions = alarm
                .dimensions()
                .iter()
                .filter_map(|dimension| Some((dimension.name()?.to_owned(), dimension.value()?.to_owned())));
            let kept = Alarm {
                state: alarm.state_value().map_or("", |state| state.as_str()).to_owned(),
                namespace: alarm.namespace().unwrap_or_default().to_owned(),
                metric: alarm.metric_name().unwrap_or_default().to_owned(),
                dimensions: dimensions.collect(),
                actions: alarm.alarm_actions().to_vec(),
                enabled: alarm.actions_enabled().unwrap_or(true),
                missing: alarm.treat_missing_data().map(str::to_owned),
            };
            alarms.insert(alarm.alarm_name().unwrap_or_default().to_owned(), kept);
        }
        token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return Look::Seen(alarms);
        }
    }
}

/// When each heartbeat was last counted, within the last three hours, by the alarm that waits for it.
pub(super) async fn heartbeats(
    aws: &Aws,
    region: &str,
    wanted: impl Iterator<Item = &Watch>,
    now: Timestamp,
) -> Look<BTreeMap<String, Timestamp>> {
    let client = Client::new(&aws.of(region));
    let mut last = BTreeMap::new();
    for heartbeat in wanted {
        let dimensions = heartbeat.dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let statistics = client
            .get_metric_statistics()
            .namespace(&heartbeat.namespace)
            .metric_name(&heartbeat.metric)
            .set_dimensions(Some(dimensions.collect()))
            .start_time(DateTime::from_millis(now.minus(Span::from_secs(10_800)).millis()))
            .end_time(DateTime::from_millis(now.millis()))
            .period(60)
            .statistics(Statistic::Sum)
            .send()
            .await;
        let points = match statistics {
            Ok(points) => points,
            Err(error) => return Look::Unseen(why("cloudwatch:GetMetricStatistics", &error)),
        };
        let newest = points.datapoints().iter().filter(|point| point.sum().is_some_and(|sum| sum > 0.0));
        // A point is named by the begin of its minute.
        let newest = newest.filter_map(|point| point.timestamp()?.to_millis().ok()).max();
        last.extend(newest.map(|at| (heartbeat.name.clone(), Timestamp::from_millis(at))));
    }
    Look::Seen(last)
}
