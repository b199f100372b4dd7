//! Conditions on an item: `DynamoDB` evaluates them where it writes, and the engine evaluates them on an item in hand.

use super::table::{AttributeValue, TableItem};

/// A condition. A comparison with an attribute that is absent, or of another type, does not hold (developer guide of
/// `DynamoDB`: comparison operator and function reference).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Holds for every item, and for none.
    #[default]
    Always,
    /// The attribute exists.
    Exists(&'static str),
    /// The attribute does not exist.
    Absent(&'static str),
    /// The attribute is this value.
    Equals(&'static str, AttributeValue),
    /// The attribute is a number below this one.
    LessThan(&'static str, i64),
    /// The attribute is a number above this one.
    GreaterThan(&'static str, i64),
    /// The attribute is a set of fewer strings than this.
    SizeLessThan(&'static str, usize),
    /// All of these hold.
    All(Vec<WriteCondition>),
    /// At least one of these holds.
    Any(Vec<WriteCondition>),
}

impl WriteCondition {
    /// Whether it holds for an item, or for none.
    pub fn holds(&self, item: Option<&TableItem>) -> bool {
        match self {
            Self::Always => true,
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(item)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(item)),
            comparison => match item {
                Some(item) => comparison.compares(item),
                None => matches!(comparison, Self::Absent(_)),
            },
        }
    }

    /// Whether a condition on one attribute holds for an item.
    fn compares(&self, item: &TableItem) -> bool {
        match self {
            Self::Exists(name) => item.values.contains_key(*name),
            Self::Absent(name) => !item.values.contains_key(*name),
            Self::Equals(name, wanted) => item.values.get(*name) == Some(wanted),
            Self::LessThan(name, bound) => item.number(name).is_some_and(|number| number < *bound),
            Self::GreaterThan(name, bound) => item.number(name).is_some_and(|number| number > *bound),
            Self::SizeLessThan(name, bound) => item.set(name).is_some_and(|set| set.len() < *bound),
            Self::Always | Self::All(_) | Self::Any(_) => self.holds(Some(item)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::WriteCondition::{
        Absent, All, Always, Any, Equals, Exists, GreaterThan, LessThan, SizeLessThan,
    };
    use super::*;

    fn item() -> TableItem {
        let set = BTreeSet::from(["x".to_owned(), "y".to_owned()]);
        let values = [
            ("five", AttributeValue::Number(5)),
            ("word", AttributeValue::Text("5".to_owned())),
            ("two", AttributeValue::Set(set)),
        ];
        TableItem {
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
            ..TableItem::default()
        }
    }

    #[test]
    fn comparisons_are_strict_and_do_not_hold_for_what_is_absent_or_of_another_type() {
        let holds = |condition: WriteCondition| condition.holds(Some(&item()));
        assert!(holds(LessThan("five", 6)) && !holds(LessThan("five", 5)));
        assert!(holds(GreaterThan("five", 4)) && !holds(GreaterThan("five", 5)));
        assert!(holds(SizeLessThan("two", 3)) && !holds(SizeLessThan("two", 2)));
        assert!(
            holds(Equals("word", AttributeValue::Text("5".to_owned())))
                && !holds(Equals("word", AttributeValue::Number(5)))
        );
        for name in ["none", "word"] {
            assert!(!holds(LessThan(name, i64::MAX)) && !holds(GreaterThan(name, i64::MIN)), "{name}");
            assert!(!holds(SizeLessThan(name, 9)), "{name}");
        }
        assert!(!holds(Equals("none", AttributeValue::Number(5))));
    }

    #[test]
    fn without_an_item_every_attribute_is_absent() {
        assert!(
            Absent("five").holds(None) && !Exists("five").holds(None) && !LessThan("five", 6).holds(None)
        );
        assert!(!Absent("five").holds(Some(&item())) && Exists("five").holds(Some(&item())));
    }

    #[test]
    fn all_and_any_are_what_they_say() {
        let holds = |condition: WriteCondition| condition.holds(Some(&item()));
        assert!(holds(All(vec![Always, Exists("five")])) && !holds(All(vec![Always, Absent("five")])));
        assert!(holds(Any(vec![Absent("five"), Exists("two")])) && !holds(Any(vec![Absent("five")])));
    }
}
