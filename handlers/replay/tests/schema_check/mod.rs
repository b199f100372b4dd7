//! Checks values against a committed JSON Schema.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// A schema that is stricter than it says in one place: a member that `properties` does not describe is a violation, so that no
/// member of an output is left out of the contract.
pub(crate) struct StrictSchema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl StrictSchema {
    pub(crate) fn compile(text: &str) -> Self {
        const LOCATION: &str = "https://schema.test/schema.json";
        let mut schema: Value = serde_json::from_str(text).unwrap();
        forbid_other_members(&mut schema);
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.add_resource(LOCATION, schema).unwrap();
        let index = compiler.compile(LOCATION, &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// Returns where a value is not as the schema says, and why.
    pub(crate) fn find_violation(&self, value: &Value) -> Option<String> {
        let violation = self.schemas.validate(value, self.index).err()?;
        Some(format!("{violation:#}"))
    }
}

fn forbid_other_members(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            if keywords.contains_key("properties") {
                keywords.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            keywords.values_mut().for_each(forbid_other_members);
        }
        Value::Array(values) => values.iter_mut().for_each(forbid_other_members),
        _ => {}
    }
}
