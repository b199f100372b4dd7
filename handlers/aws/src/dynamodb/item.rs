//! Keys and items, to and from attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use responder_engine::port::{AttributeValue, ItemKey, TableItem};

/// The attributes of a key.
pub(super) fn attributes(key: &ItemKey) -> HashMap<String, AttributeValue> {
    let text = |value: &String| AttributeValue::S(value.clone());
    HashMap::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))])
}

/// The item of these attributes, without those of types that the ledger does not write.
pub(super) fn read(attributes: HashMap<String, AttributeValue>) -> TableItem {
    let mut item = TableItem::default();
    for (name, attribute) in attributes {
        match (name.as_str(), attribute) {
            ("pk", AttributeValue::S(pk)) => item.key.pk = pk,
            ("sk", AttributeValue::S(sk)) => item.key.sk = sk,
            (_, attribute) => item.values.extend(value(attribute).map(|value| (name, value))),
        }
    }
    item
}

/// The attribute of a value.
pub(super) fn attribute(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::Text(text) => AttributeValue::S(text.clone()),
        AttributeValue::Number(number) => AttributeValue::N(number.to_string()),
        AttributeValue::Set(set) => AttributeValue::Ss(set.iter().cloned().collect()),
    }
}

fn value(attribute: AttributeValue) -> Option<AttributeValue> {
    match attribute {
        AttributeValue::S(text) => Some(AttributeValue::Text(text)),
        AttributeValue::N(number) => number.parse().ok().map(AttributeValue::Number),
        AttributeValue::Ss(set) => Some(AttributeValue::Set(set.into_iter().collect())),
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
        let mut written = attributes(&key);
        written.extend(item.values.iter().map(|(name, value)| (name.clone(), attribute(value))));
        written.insert("flag".to_owned(), AttributeValue::Bool(true));
        written.insert("fraction".to_owned(), AttributeValue::N("0.5".to_owned()));
        assert_eq!(read(written), item);
    }
}
