//! Conditions over a record of the ledger: decided here, checked in memory by the replay, translated for DynamoDB by the
//! engine.
//!
//! Two functions may decide about one incident or one service at the same time. Both read the record, both plan, and the
//! ledger lets only one of them act: its write carries the condition under which the plan is still right. Each such
//! condition is a value of this type, so that the decision and the write cannot disagree.

/// A condition over the fields `F` of a record. A comparison with a field that is absent, or that holds a value of another
/// kind, does not hold: that is what DynamoDB does (developer guide, "Comparison operator and function reference").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition<F> {
    /// The field is absent.
    Absent(F),
    /// The field is there.
    Exists(F),
    /// The field holds this value.
    Equal(F, FieldValue),
    /// The field is a number below this one.
    Below(F, i64),
    /// The field is a number above this one.
    Above(F, i64),
    /// All of these hold.
    All(Vec<Condition<F>>),
    /// At least one of these holds.
    Any(Vec<Condition<F>>),
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A number; an instant is its milliseconds since 1970-01-01T00:00:00Z.
    Number(i64),
    /// One of the words of an enum.
    Word(&'static str),
}

impl<F: Copy> Condition<F> {
    /// Whether the condition holds for a record whose fields `read` returns.
    pub fn holds(&self, read: &impl Fn(F) -> Option<FieldValue>) -> bool {
        match self {
            Self::Absent(field) => read(*field).is_none(),
            Self::Exists(field) => read(*field).is_some(),
            Self::Equal(field, value) => read(*field) == Some(*value),
            Self::Below(field, bound) => {
                matches!(read(*field), Some(FieldValue::Number(number)) if number < *bound)
            }
            Self::Above(field, bound) => {
                matches!(read(*field), Some(FieldValue::Number(number)) if number > *bound)
            }
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(read)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(read)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition::{Above, Absent, All, Any, Below, Equal, Exists};
    use super::{Condition, FieldValue};

    #[derive(Clone, Copy)]
    enum Field {
        Five,
        Word,
        Missing,
    }

    fn holds(condition: &Condition<Field>) -> bool {
        condition.holds(&|field| match field {
            Field::Five => Some(FieldValue::Number(5)),
            Field::Word => Some(FieldValue::Word("5")),
            Field::Missing => None,
        })
    }

    #[test]
    fn comparisons_are_strict() {
        assert!(holds(&Below(Field::Five, 6)) && !holds(&Below(Field::Five, 5)));
        assert!(holds(&Above(Field::Five, 4)) && !holds(&Above(Field::Five, 5)));
    }

    #[test]
    fn comparisons_with_an_absent_field_or_another_kind_do_not_hold() {
        for field in [Field::Missing, Field::Word] {
            assert!(!holds(&Below(field, i64::MAX)) && !holds(&Above(field, i64::MIN)));
        }
        assert!(!holds(&Equal(Field::Word, FieldValue::Number(5))));
        assert!(holds(&Equal(Field::Word, FieldValue::Word("5"))));
        assert!(holds(&Absent(Field::Missing)) && !holds(&Exists(Field::Missing)));
    }

    #[test]
    fn all_and_any_combine_conditions() {
        assert!(holds(&All(vec![Exists(Field::Five), Absent(Field::Missing)])));
        assert!(!holds(&All(vec![Exists(Field::Five), Exists(Field::Missing)])));
        assert!(holds(&Any(vec![Exists(Field::Five), Exists(Field::Missing)])));
        assert!(!holds(&Any(Vec::new())), "no condition of an empty list holds");
    }
}
