//! Lambda: our functions, and the mappings that feed them.

use std::collections::BTreeMap;

use aws_sdk_lambda::Client;
use infra::settings::{PARAMETER_VARIABLES, RESOURCE_VARIABLES};

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::expected::ExpectedFunction;
use crate::snapshot::{ObservedFunction, ObservedMapping};

impl RegionGatherer<'_> {
    /// The expected functions, as far as they exist.
    pub(super) async fn gather_functions(&self) -> CallResult<BTreeMap<String, ObservedFunction>> {
        let client = Client::new(&self.config);
        let mut functions = BTreeMap::new();
        for ExpectedFunction { name, .. } in &self.expected.functions {
            let answer = client.get_function_configuration().function_name(name).send().await;
            let Some(configuration) = answer.if_exists("lambda:GetFunctionConfiguration")? else { continue };
            let mut environment = BTreeMap::new();
            let variables = configuration.environment().and_then(|environment| environment.variables());
            for (variable, value) in variables.into_iter().flatten() {
                if is_known_variable(variable) {
                    environment.insert(variable.clone(), value.clone());
                }
            }
            // A refusal costs only the one check of the concurrency.
            let concurrency = client.get_function_concurrency().function_name(name).send().await.ok();
            let reserved = concurrency.and_then(|answer| answer.reserved_concurrent_executions());
            let function = ObservedFunction {
                arn: configuration.function_arn().unwrap_or_default().to_owned(),
                state: configuration.state().map_or("Active", |state| state.as_str()).to_owned(),
                timeout: configuration.timeout().map(i64::from).unwrap_or_default(),
                environment,
                reserved: reserved.map(i64::from),
                mappings: gather_mappings(&client, name).await.into(),
            };
            functions.insert(name.clone(), function);
        }
        Ok(functions)
    }
}

/// Whether it is a variable that the functions read. Another one may be somebody's secret.
fn is_known_variable(name: &str) -> bool {
    RESOURCE_VARIABLES.contains(&name) || PARAMETER_VARIABLES.iter().any(|(variable, _)| *variable == name)
}

async fn gather_mappings(client: &Client, function: &str) -> CallResult<Vec<ObservedMapping>> {
    let mut pages = client.list_event_source_mappings().function_name(function).into_paginator().send();
    let mut mappings = Vec::new();
    while let Some(page) = pages.next().await {
        for mapping in page.for_call("lambda:ListEventSourceMappings")?.event_source_mappings() {
            let mut response_types = mapping.function_response_types().iter();
            mappings.push(ObservedMapping {
                source: mapping.event_source_arn().unwrap_or_default().to_owned(),
                state: mapping.state().unwrap_or_default().to_owned(),
                partial: response_types.any(|kind| kind.as_str() == "ReportBatchItemFailures"),
            });
        }
    }
    Ok(mappings)
}
