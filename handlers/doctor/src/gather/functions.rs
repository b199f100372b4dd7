//! Lambda: our functions and what feeds them.

use std::collections::BTreeMap;

use aws_sdk_lambda::Client;
use infra::settings::{FIXED, SETTINGS};

use crate::aws::{Aws, is_missing, why};
use crate::snapshot::{Function, Look, Mapping};

/// Whether it is a variable that the functions read; what else somebody has put there may be a secret.
fn is_kept(name: &str) -> bool {
    SETTINGS.iter().any(|(known, _)| *known == name) || FIXED.contains(&name)
}

/// The functions of these names, as far as they exist.
pub(super) async fn functions(
    aws: &Aws,
    region: &str,
    names: impl Iterator<Item = String>,
) -> Look<BTreeMap<String, Function>> {
    let client = Client::new(&aws.of(region));
    let mut functions = BTreeMap::new();
    for name in names {
        let configured = match client.get_function_configuration().function_name(&name).send().await {
            Ok(configured) => configured,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Look::Unseen(why("lambda:GetFunctionConfiguration", &error)),
        };
        let variables = configured.environment().and_then(|environment| environment.variables());
        let kept = variables.into_iter().flatten().filter(|(name, _)| is_kept(name));
        let environment = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        // Not to know the concurrency is not to know much: a refusal costs this one check.
        let reserved = client.get_function_concurrency().function_name(&name).send().await;
        let reserved = reserved.ok().and_then(|answer| answer.reserved_concurrent_executions());
        let function = Function {
            arn: configured.function_arn().unwrap_or_default().to_owned(),
            state: configured.state().map_or("Active", |state| state.as_str()).to_owned(),
            timeout: configured.timeout().map(i64::from).unwrap_or_default(),
            environment,
            reserved: reserved.map(i64::from),
            mappings: mappings(&client, &name).await,
        };
        functions.insert(name, function);
    }
    Look::Seen(functions)
}

async fn mappings(client: &Client, function: &str) -> Look<Vec<Mapping>> {
    let (mut mappings, mut marker) = (Vec::new(), None);
    loop {
        let page = client.list_event_source_mappings().function_name(function).set_marker(marker);
        let page = match page.send().await {
            Ok(page) => page,
            Err(error) => return Look::Unseen(why("lambda:ListEventSourceMappings", &error)),
        };
        mappings.extend(page.event_source_mappings().iter().map(|mapping| {
            Mapping {
                source: mapping.event_source_arn().unwrap_or_default().to_owned(),
                state: mapping.state().unwrap_or_default().to_owned(),
                partial: mapping
                    .function_response_types()
                    .iter()
                    .any(|kind| kind.as_str() == "ReportBatchItemFailures"),
            }
        }));
        marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
        if marker.is_none() {
            return Look::Seen(mappings);
        }
    }
}
