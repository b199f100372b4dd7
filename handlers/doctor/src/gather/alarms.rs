//! `CloudWatch`: our alarms, and the heartbeats that they wait for.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricAlarm, Statistic};
use responder_core::time::{Span, Timestamp};

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::snapshot::ObservedAlarm;

/// How far back a heartbeat is looked for.
const HEARTBEAT_SEARCH: Span = Span::from_secs(3 * 3_600);

impl RegionGatherer<'_> {
    /// The alarms whose names begin with the prefix, and all alarms on metrics of Secrets Manager, also those that are not ours.
    pub(super) async fn gather_alarms(&self) -> CallResult<BTreeMap<String, ObservedAlarm>> {
        let client = Client::new(&self.config);
        let mut pages = client.describe_alarms().max_records(100).into_paginator().send();
        let mut alarms = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for alarm in page.for_call("cloudwatch:DescribeAlarms")?.metric_alarms() {
                let name = alarm.alarm_name().unwrap_or_default();
                if name.starts_with(self.prefix) || alarm.namespace() == Some("AWS/SecretsManager") {
                    alarms.insert(name.to_owned(), read_alarm(alarm));
                }
            }
        }
        Ok(alarms)
    }

    /// When each heartbeat was last counted, by the alarm that waits for it.
    pub(super) async fn gather_heartbeats(&self) -> CallResult<BTreeMap<String, Timestamp>> {
        let client = Client::new(&self.config);
        let mut heartbeats = BTreeMap::new();
        for alarm in self.expected.heartbeat_alarms() {
            let mut request = client
                .get_metric_statistics()
                .namespace(&alarm.namespace)
                .metric_name(&alarm.metric)
                .start_time(DateTime::from_millis(self.now.minus(HEARTBEAT_SEARCH).millis()))
                .end_time(DateTime::from_millis(self.now.millis()))
                .period(60)
                .statistics(Statistic::Sum);
            for (name, value) in &alarm.dimensions {
                request = request.dimensions(Dimension::builder().name(name).value(value).build());
            }
            let mut latest = None;
            for point in request.send().await.for_call("cloudwatch:GetMetricStatistics")?.datapoints() {
                if point.sum().unwrap_or_default() > 0.0 {
                    // The timestamp of a point is the beginning of its minute.
                    latest = latest.max(point.timestamp().and_then(|at| at.to_millis().ok()));
                }
            }
            if let Some(latest) = latest {
                heartbeats.insert(alarm.name.clone(), Timestamp::from_millis(latest));
            }
        }
        Ok(heartbeats)
    }
}

fn read_alarm(alarm: &MetricAlarm) -> ObservedAlarm {
    let mut dimensions = BTreeMap::new();
    for dimension in alarm.dimensions() {
        if let (Some(name), Some(value)) = (dimension.name(), dimension.value()) {
            dimensions.insert(name.to_owned(), value.to_owned());
        }
    }
    ObservedAlarm {
        state: alarm.state_value().map_or("", |state| state.as_str()).to_owned(),
        namespace: alarm.namespace().unwrap_or_default().to_owned(),
        metric: alarm.metric_name().unwrap_or_default().to_owned(),
        dimensions,
        actions: alarm.alarm_actions().to_vec(),
        enabled: alarm.actions_enabled().unwrap_or(true),
        missing: alarm.treat_missing_data().map(str::to_owned),
    }
}
