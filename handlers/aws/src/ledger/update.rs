//! One `UpdateItem`: its expressions with the names and values that they use.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::Key;

/// A write. Attributes are written `#name` in its expressions, because many good names are reserved words.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) key: Key,
    pub(super) expression: String,
    pub(super) condition: Option<String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Update {
    pub(super) fn of(key: Key, expression: impl Into<String>) -> Self {
        Self { key, expression: expression.into(), condition: None, values: HashMap::new() }
    }

    pub(super) fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    pub(super) fn number(self, name: &str, value: i64) -> Self {
        self.value(name, AttributeValue::N(value.to_string()))
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.value(name, AttributeValue::S(value.to_owned()))
    }

    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// The names that the expressions use, each for itself: `DynamoDB` refuses unused ones.
    pub(super) fn names(&self) -> HashMap<String, String> {
        let text = [self.expression.as_str(), self.condition.as_deref().unwrap_or_default()].join(" ");
        let word = |rest: &str| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().to_owned()
        };
        text.split('#').skip(1).map(word).map(|name| (format!("#{name}"), name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_that_the_expressions_use() {
        let update = Update::of(Key::incident("k"), "SET #first = :first, #ttl=:ttl REMOVE #owner")
            .only_if("attribute_not_exists(#lease_until) OR #first < :first");
        let mut names: Vec<String> = update.names().into_values().collect();
        names.sort();
        assert_eq!(names, ["first", "lease_until", "owner", "ttl"]);
    }
}
