//! `DynamoDB`: the ledger's table. All reads are consistent.

mod expression;
mod item;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use responder_core::time::Timestamp;
use responder_engine::EngineError;
use responder_engine::port::{FoundItems, ItemKey, ItemPage, ItemUpdate, SortKeyRange, WriteResult};

use crate::calls::{bound, call};
use crate::error::{failed, unbuilt};
use expression::RenderedUpdate;

/// `UpdateItem`; a condition that does not hold is no error.
pub(crate) async fn update(
    client: &Client,
    table: &str,
    update: &ItemUpdate,
    until: Timestamp,
) -> Result<WriteResult, EngineError> {
    let RenderedUpdate { update: expression, condition, names, values } = RenderedUpdate::of(update);
    let call = client
        .update_item()
        .table_name(table)
        .set_key(Some(item::attributes(&update.key)))
        .update_expression(expression)
        .set_condition_expression(condition)
        .set_expression_attribute_names(Some(names))
        // An empty map is refused.
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match bound(until, "UpdateItem", call.send()).await? {
        Ok(_) => Ok(WriteResult::Written),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(WriteResult::ConditionFailed(refused.item().cloned().map(item::read)))
            }
            _ => Err(failed("dynamodb", "UpdateItem", &error)),
        },
    }
}

/// `BatchGetItem`.
pub(crate) async fn get(
    client: &Client,
    table: &str,
    keys: &[ItemKey],
    until: Timestamp,
) -> Result<FoundItems, EngineError> {
    let keys = keys.iter().map(item::attributes).collect();
    let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
    let request = request.map_err(unbuilt("dynamodb", "BatchGetItem"))?;
    let sent = client.batch_get_item().request_items(table, request).send();
    let output = call(until, "dynamodb", "BatchGetItem", sent).await?;
    let items = output.responses.unwrap_or_default().into_values().flatten();
    let left = output.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys);
    Ok(FoundItems {
        items: items.map(item::read).collect(),
        left: left.map(|key| item::read(key).key).collect(),
    })
}

/// `Query`.
pub(crate) async fn query(
    client: &Client,
    table: &str,
    range: &SortKeyRange,
    until: Timestamp,
) -> Result<ItemPage, EngineError> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let sent = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
        .expression_attribute_values(":pk", text(&range.pk))
        .expression_attribute_values(":from", text(&range.from))
        .expression_attribute_values(":to", text(&range.to))
        .set_exclusive_start_key(range.after.as_ref().map(item::attributes))
        .send();
    let page = call(until, "dynamodb", "Query", sent).await?;
    let items = page.items.unwrap_or_default().into_iter().map(item::read).collect();
    let next = page.last_evaluated_key.filter(|key| !key.is_empty()).map(|key| item::read(key).key);
    Ok(ItemPage { items, next })
}
