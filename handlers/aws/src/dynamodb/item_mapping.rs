//! Keys and items, to and from the SDK's attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue as SdkValue;
use responder_engine::port::{AttributeValue, ItemKey, TableItem};

/// The attributes of a key.
pub(super) fn key_attributes(key: &ItemKey) -> HashMap<String, SdkValue> {
    HashMap::from([
        ("pk".to_owned(), SdkValue::S(key.pk.clone())),
        ("sk".to_owned(), SdkValue::S(key.sk.clone())),
    ])
}

/// Reads an item. Attributes of types that the ledger does not write are left out.
pub(super) fn read_item(attributes: HashMap<String, SdkValue>) -> TableItem {
    let mut item = TableItem::default();
    for (name, value) in attributes {
        match (name.as_str(), value) {
            ("pk", SdkValue::S(pk)) => item.key.pk = pk,
            ("sk", SdkValue::S(sk)) => item.key.sk = sk,
            (_, value) => {
                if let Some(value) = read_value(value) {
                    item.values.insert(name, value);
                }
            }
        }
    }
    item
}

/// The SDK's form of a value.
pub(super) fn write_value(value: &AttributeValue) -> SdkValue {
    match value {
        AttributeValue::Text(text) => SdkValue::S(text.clone()),
        AttributeValue::Number(number) => SdkValue::N(number.to_string()),
        AttributeValue::Set(set) => SdkValue::Ss(set.iter().cloned().collect()),
    }
}

fn read_value(value: SdkValue) -> Option<AttributeValue> {
    match value {
        SdkValue::S(text) => Some(AttributeValue::Text(text)),
        SdkValue::N(number) => Some(AttributeValue::Number(number.parse().ok()?)),
        SdkValue::Ss(set) => Some(AttributeValue::Set(set.into_iter().collect())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_written_reads_back_and_other_types_are_as_good_as_absent() {
        let key = ItemKey { pk: "incident#k".to_owned(), sk: "state".to_owned() };
        let values = [
            ("text", AttributeValue::Text("5".to_owned())),
            ("number", AttributeValue::Number(-5)),
            ("set", AttributeValue::Set(BTreeSet::from(["a".to_owned(), "b".to_owned()]))),
        ];
        let item = TableItem {
            key: key.clone(),
            values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let mut written = key_attributes(&key);
        written.extend(item.values.iter().map(|(name, value)| (name.clone(), write_value(value))));
        written.insert("flag".to_owned(), SdkValue::Bool(true));
        written.insert("fraction".to_owned(), SdkValue::N("0.5".to_owned()));
        assert_eq!(read_item(written), item);
    }
}
