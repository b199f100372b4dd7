//! `CloudFormation`: our stacks, and whether somebody changed what they made.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::Stack;

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::expected::RESOURCE_PARAMETERS;
use crate::snapshot::ObservedStack;

impl RegionGatherer<'_> {
    /// The stacks whose names contain the expected one: an instance of a stack set has more around it.
    pub(super) async fn gather_stacks(&self) -> CallResult<BTreeMap<String, ObservedStack>> {
        let client = Client::new(&self.config);
        let mut pages = client.describe_stacks().into_paginator().send();
        let mut stacks = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for stack in page.for_call("cloudformation:DescribeStacks")?.stacks() {
                let name = stack.stack_name().unwrap_or_default();
                if name.contains(&self.expected.stack) {
                    stacks.insert(name.to_owned(), read_stack(stack));
                }
            }
        }
        Ok(stacks)
    }
}

fn read_stack(stack: &Stack) -> ObservedStack {
    let mut parameters = BTreeMap::new();
    for parameter in stack.parameters() {
        if let (Some(name), Some(value)) = (parameter.parameter_key(), parameter.parameter_value())
            && RESOURCE_PARAMETERS.contains(&name)
        {
            parameters.insert(name.to_owned(), value.to_owned());
        }
    }
    let drift = stack.drift_information().and_then(|drift| drift.stack_drift_status());
    ObservedStack {
        status: stack.stack_status().map_or("", |status| status.as_str()).to_owned(),
        drift: drift.map_or("NOT_CHECKED", |status| status.as_str()).to_owned(),
        parameters,
    }
}
