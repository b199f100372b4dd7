//! Keys and items, to and from attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use responder_engine::port::{Item, Key, Value};

/// The attributes of a key.
pub(super) fn attributes(key: &Key) -> HashMap<String, AttributeValue> {
    let text = |value: &String| AttributeValue::S(value.clone());
    HashMap::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))])
}

/// The item of these attributes, without those of types that the ledger does not write.
pub(super) fn read(attributes: HashMap<String, AttributeValue>) -> Item {
    let mut item = Item::default();
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
pub(super) fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Text(text) => AttributeValue::S(text.clone()),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Set(set) => AttributeValue::Ss(set.iter().cloned().collect()),
    }
}

fn value(attribute: AttributeValue) -> Option<Value> {
    match attribute {
        AttributeValue::S(text) => Some(Value::Text(text)),
        AttributeValue::N(number) => number.parse().ok().map(Value::Number),
        AttributeValue::Ss(set) => Some(Value::Set(set.into_iter().collect())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_written_reads_back_and_other_types_are_as_good_as_absent() {
        let key = Key { pk: "incident#k".to_owned(), sk: "state".to_owned() };
        let values = [
            ("text", Value::Text("5".to_owned())),
            ("number", Value::Number(-5)),
            ("set", Value::Set(BTreeSet::from(["a".to_owned(), "b".to_owned()]))),
        ];
        let item = Item {
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
