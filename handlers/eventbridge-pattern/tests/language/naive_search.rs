//! The definition of array consistency: the engine's search without any cleverness, every combination of values in turn.

use std::collections::BTreeMap;

use serde_json::Value;

/// For every array around a value, the index of the entry that the value lies in.
type Membership = BTreeMap<usize, usize>;

/// A scalar of an event with its path.
struct Scalar {
    path: String,
    value: Value,
    membership: Membership,
}

/// Whether an event matches fields, given by path in ascending order, each with its matchers.
pub(crate) fn matches(fields: &[(String, Vec<Value>)], event: &Value) -> bool {
    let mut collector = ScalarCollector::default();
    collector.collect(event, "");
    some_combination_holds(fields, &collector.scalars, &Membership::new())
}

#[derive(Default)]
struct ScalarCollector {
    scalars: Vec<Scalar>,
    /// Where the walk is now.
    membership: Membership,
    array_count: usize,
}

impl ScalarCollector {
    fn collect(&mut self, value: &Value, path: &str) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.collect(value, &format!("{path}{dot}{name}"));
                }
            }
            Value::Array(entries) => {
                let array = self.array_count;
                self.array_count += 1;
                for (index, entry) in entries.iter().enumerate() {
                    if entry.is_array() || entry.is_object() {
                        self.membership.insert(array, index);
                    }
                    self.collect(entry, path);
                    self.membership.remove(&array);
                }
            }
            scalar => {
                let membership = self.membership.clone();
                self.scalars.push(Scalar { path: path.to_owned(), value: scalar.clone(), membership });
            }
        }
    }
}

/// Whether the fields hold, given the entries that were chosen for the fields before them.
fn some_combination_holds(fields: &[(String, Vec<Value>)], scalars: &[Scalar], chosen: &Membership) -> bool {
    let Some(((path, matchers), later)) = fields.split_first() else { return true };
    let mut is_present = false;
    for scalar in scalars {
        if scalar.path != *path || !is_consistent(scalar, chosen) {
            continue;
        }
        is_present = true;
        let mut chosen = chosen.clone();
        chosen.extend(scalar.membership.clone());
        if some_matcher_accepts(matchers, &scalar.value) && some_combination_holds(later, scalars, &chosen) {
            return true;
        }
    }
    let may_be_absent = matchers.iter().any(|matcher| matcher["exists"] == Value::Bool(false));
    may_be_absent && !is_present && some_combination_holds(later, scalars, chosen)
}

fn is_consistent(scalar: &Scalar, chosen: &Membership) -> bool {
    scalar.membership.iter().all(|(array, index)| chosen.get(array).is_none_or(|known| known == index))
}

fn some_matcher_accepts(matchers: &[Value], value: &Value) -> bool {
    matchers.iter().any(|matcher| match matcher {
        Value::Object(object) if object.contains_key("exists") => object["exists"] == Value::Bool(true),
        Value::Object(object) => *value != object["anything-but"],
        exact => value == exact,
    })
}
