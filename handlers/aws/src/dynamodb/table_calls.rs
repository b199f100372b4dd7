//! The calls of the ledger's table.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use responder_core::time::Timestamp;
use responder_engine::EngineError;
use responder_engine::port::{FoundItems, ItemKey, ItemPage, ItemUpdate, SortKeyRange, WriteResult};

use super::expression::RenderedUpdate;
use super::item_mapping::{key_attributes, read_item};
use crate::calls::{make_call, wait_until};
use crate::error::{call_failed, request_not_built};

/// `UpdateItem`. That the condition does not hold is no error.
pub(crate) async fn update_item(
    client: &Client,
    table: &str,
    update: &ItemUpdate,
    until: Timestamp,
) -> Result<WriteResult, EngineError> {
    let RenderedUpdate { update: expression, condition, names, values } = RenderedUpdate::render(update);
    let request = client
        .update_item()
        .table_name(table)
        .set_key(Some(key_attributes(&update.key)))
        .update_expression(expression)
        .set_condition_expression(condition)
        .set_expression_attribute_names(Some(names))
        // DynamoDB refuses an empty map.
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match wait_until(until, "UpdateItem", request.send()).await? {
        Ok(_) => Ok(WriteResult::Written),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                Ok(WriteResult::ConditionFailed(failure.item().cloned().map(read_item)))
            }
            _ => Err(call_failed("dynamodb", "UpdateItem", &error)),
        },
    }
}

/// `BatchGetItem`, of at most 100 keys.
pub(crate) async fn get_items(
    client: &Client,
    table: &str,
    keys: &[ItemKey],
    until: Timestamp,
) -> Result<FoundItems, EngineError> {
    let keys = keys.iter().map(key_attributes).collect();
    let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
    let request = request.map_err(|_| request_not_built("dynamodb", "BatchGetItem"))?;
    let sent = client.batch_get_item().request_items(table, request).send();
    let answer = make_call(until, "dynamodb", "BatchGetItem", sent).await?;
    let mut found = FoundItems::default();
    for items in answer.responses.unwrap_or_default().into_values() {
        found.items.extend(items.into_iter().map(read_item));
    }
    for unprocessed in answer.unprocessed_keys.unwrap_or_default().into_values() {
        for key in unprocessed.keys {
            found.unprocessed_keys.push(read_item(key).key);
        }
    }
    Ok(found)
}

/// `Query`.
pub(crate) async fn query_items(
    client: &Client,
    table: &str,
    range: &SortKeyRange,
    until: Timestamp,
) -> Result<ItemPage, EngineError> {
    let sent = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
        .expression_attribute_values(":pk", AttributeValue::S(range.pk.clone()))
        .expression_attribute_values(":from", AttributeValue::S(range.from.clone()))
        .expression_attribute_values(":to", AttributeValue::S(range.to.clone()))
        .set_exclusive_start_key(range.after.as_ref().map(key_attributes))
        .send();
    let page = make_call(until, "dynamodb", "Query", sent).await?;
    let items = page.items.unwrap_or_default().into_iter().map(read_item).collect();
    let next_key = match page.last_evaluated_key {
        Some(key) if !key.is_empty() => Some(read_item(key).key),
        _ => None,
    };
    Ok(ItemPage { items, next_key })
}
