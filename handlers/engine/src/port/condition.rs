//! Conditions on an item: what `DynamoDB` evaluates where it is written, and the same of an item in hand.

use super::table::{AttributeValue, TableItem};

/// A condition. A comparison with an attribute that is absent, or of another type, does not hold (developer guide of
/// `DynamoDB`: comparison operator and function reference).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Nothing is asked.
    #[default]
    Always,
    /// The attribute is there.
    Exists(&'static str),
    /// The attribute is not there.
    Absent(&'static str),
    /// The attribute is this value.
    Equal(&'static str, AttributeValue),
    /// The attribute is a number below this one.
    Less(&'static str, i64),
    /// The attribute is a number above this one.
    More(&'static str, i64),
    /// The attribute is a set of fewer than so many.
    SizeLess(&'static str, usize),
    /// All of these hold.
    All(Vec<WriteCondition>),
    /// At least one of these holds.
    Any(Vec<WriteCondition>),
}

impl WriteCondition {
    /// Whether it holds for an item, or for none.
    pub fn holds(&self, item: Option<&TableItem>) -> bool {
        let value = |name: &str| item.and_then(|item| item.values.get(name));
        let number = |name: &str| item.and_then(|item| item.number(name));
        match self {
            Self::Always => true,
            Self::Exists(name) => value(name).is_some(),
            Self::Absent(name) => value(name).is_none(),
            Self::Equal(name, wanted) => value(name) == Some(wanted),
            Self::Less(name, bound) => number(name).is_some_and(|number| number < *bound),
            Self::More(name, bound) => number(name).is_some_and(|number| number > *bound),
            Self::SizeLess(name, most) => {
                item.and_then(|item| item.set(name)).is_some_and(|set| set.len() < *most)
            }
            Self::All(all) => all.iter().all(|one| one.holds(item)),
            Self::Any(any) => any.iter().any(|one| one.holds(item)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::WriteCondition::{Absent, All, Always, Any, Equal, Exists, Less, More, SizeLess};
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
        assert!(holds(Less("five", 6)) && !holds(Less("five", 5)));
        assert!(holds(More("five", 4)) && !holds(More("five", 5)));
        assert!(holds(SizeLess("two", 3)) && !holds(SizeLess("two", 2)));
        assert!(
            holds(Equal("word", AttributeValue::Text("5".to_owned())))
                && !holds(Equal("word", AttributeValue::Number(5)))
        );
        for name in ["none", "word"] {
            assert!(!holds(Less(name, i64::MAX)) && !holds(More(name, i64::MIN)), "{name}");
            assert!(!holds(SizeLess(name, 9)), "{name}");
        }
        assert!(!holds(Equal("none", AttributeValue::Number(5))));
    }

    #[test]
    fn without_an_item_every_attribute_is_absent() {
        assert!(Absent("five").holds(None) && !Exists("five").holds(None) && !Less("five", 6).holds(None));
        assert!(!Absent("five").holds(Some(&item())) && Exists("five").holds(Some(&item())));
    }

    #[test]
    fn all_and_any_are_what_they_say() {
        let holds = |condition: WriteCondition| condition.holds(Some(&item()));
        assert!(holds(All(vec![Always, Exists("five")])) && !holds(All(vec![Always, Absent("five")])));
        assert!(holds(Any(vec![Absent("five"), Exists("two")])) && !holds(Any(vec![Absent("five")])));
    }
}
