//! `CloudFormation`: our stacks, and whether somebody changed what they made.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;

use crate::aws::{Aws, why};
use crate::snapshot::{Look, Stack};
use crate::wiring::PARAMETERS;

/// The stacks whose names hold this one.
pub(super) async fn stacks(aws: &Aws, region: &str, wanted: &str) -> Look<BTreeMap<String, Stack>> {
    let client = Client::new(&aws.of(region));
    let (mut stacks, mut token) = (BTreeMap::new(), None);
    loop {
        let page = match client.describe_stacks().set_next_token(token).send().await {
            Ok(page) => page,
            Err(error) => return Look::Unseen(why("cloudformation:DescribeStacks", &error)),
        };
        for stack in page.stacks() {
            let name = stack.stack_name().unwrap_or_default();
            if name.contains(wanted) {
                let drift = stack.drift_information().and_then(|drift| drift.stack_drift_status());
                let parameters = stack.parameters().iter().filter_map(|parameter| {
                    let name = parameter.parameter_key().filter(|name| PARAMETERS.contains(name))?;
                    Some((name.to_owned(), parameter.parameter_value()?.to_owned()))
                });
                let kept = Stack {
                    parameters: parameters.collect(),
                    status: stack.stack_status().map_or("", |status| status.as_str()).to_owned(),
                    drift: drift.map_or("NOT_CHECKED", |status| status.as_str()).to_owned(),
                };
                stacks.insert(name.to_owned(), kept);
            }
        }
        token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return Look::Seen(stacks);
        }
    }
}
