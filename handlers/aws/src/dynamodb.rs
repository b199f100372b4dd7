//! `DynamoDB`: the ledger's table. All reads are consistent.

mod expression;
mod item_mapping;
mod table_calls;

pub(crate) use table_calls::{get_items, query_items, update_item};
