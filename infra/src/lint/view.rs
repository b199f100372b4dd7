//! A template as it comes out in a place.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::Finding;
use crate::resolve::{Place, ResolveError, resolve};

/// The resources of a template in a place.
pub(super) struct View {
    pub(super) place: Place,
    pub(super) prefix: String,
    resources: BTreeMap<String, Value>,
    /// The logical ids of each type.
    types: BTreeMap<String, Vec<String>>,
}

impl View {
    pub(super) fn of(template: &Value, place: Place) -> Result<Self, ResolveError> {
        let resources = resolve(template, &place)?;
        let prefix = place.parameters.get("Prefix").map_or("secrets-responder", String::as_str).to_owned();
        let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, resource) in &resources {
            let kind = resource["Type"].as_str().unwrap_or_default();
            types.entry(kind.to_owned()).or_default().push(id.clone());
        }
        Ok(Self { place, prefix, resources, types })
    }

    /// The resources of a type: logical id and properties.
    pub(super) fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let ids = self.types.get(kind).into_iter().flatten();
        ids.map(|id| (id.as_str(), &self.resources[id]["Properties"]))
    }

    /// The properties of the resource of this type that has this value in a property.
    pub(super) fn find(&self, kind: &str, property: &str, value: &str) -> Option<&Value> {
        self.of_type(kind).map(|(_, properties)| properties).find(|properties| properties[property] == value)
    }

    /// Everything, by logical id.
    pub(super) fn all(&self) -> &BTreeMap<String, Value> {
        &self.resources
    }

    /// `<prefix>-<name>`.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// An ARN of this account and Region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let Place { partition, region, account, .. } = &self.place;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// An ARN of this account and no Region.
    pub(super) fn global(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.place.partition, self.place.account)
    }
}

/// Notes what is wrong with a resource, unless it is right.
pub(super) fn expect(is_right: bool, at: &str, what: impl fmt::Display, found: &mut Vec<Finding>) {
    if !is_right {
        found.push(Finding { at: at.to_owned(), what: what.to_string() });
    }
}
