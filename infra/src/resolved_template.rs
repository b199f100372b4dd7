//! A template as it comes out for one deployment: its resources with all functions resolved, by logical id and by type.

use std::collections::BTreeMap;

use responder_core::rules::RuleSet;
use serde_json::Value;

use crate::deployment_site::DeploymentSite;
use crate::generate::{GenerateError, generate_templates};
use crate::resolve::{ResolveError, resolve_resources};
use crate::yaml::{YamlError, parse_template};

/// The resources of a template, resolved for one deployment.
#[derive(Clone, Debug)]
pub struct ResolvedTemplate {
    /// Where it is deployed, and with which parameters.
    pub site: DeploymentSite,
    /// The prefix of the names of its resources.
    pub prefix: String,
    /// The resources by logical id; those whose condition is false are left out.
    pub resources: BTreeMap<String, Value>,
    ids_by_type: BTreeMap<String, Vec<String>>,
}

/// Why a template of this release cannot be generated and resolved.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ResolvedTemplateError {
    /// A rule cannot be deployed.
    #[error("the templates cannot be generated: {0}")]
    Generate(#[from] GenerateError),
    /// The generated text is not YAML: a mistake of this program.
    #[error("the generated template cannot be read: {0}")]
    Yaml(#[from] YamlError),
    /// A parameter is missing, or the template refers to what it does not have.
    #[error("the template cannot be resolved: {0}")]
    Resolve(#[from] ResolveError),
}

impl ResolvedTemplate {
    /// Resolves a template for a deployment.
    ///
    /// # Errors
    /// When the template refers to what it does not have, or the site lacks a parameter.
    pub fn resolve(template: &Value, site: DeploymentSite) -> Result<Self, ResolveError> {
        let resources = resolve_resources(template, &site)?;
        let prefix = site.parameters.get("Prefix").map_or("secrets-responder", String::as_str).to_owned();
        let mut ids_by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, resource) in &resources {
            let kind = resource["Type"].as_str().unwrap_or_default();
            ids_by_type.entry(kind.to_owned()).or_default().push(id.clone());
        }
        Ok(Self { site, prefix, resources, ids_by_type })
    }

    /// Generates the template `responder`, `forwarder` or `dashboard` from the rules, and resolves it for a deployment.
    ///
    /// # Errors
    /// When a rule cannot be deployed, or the site lacks a parameter.
    pub fn generate(
        name: &str,
        rules: &RuleSet,
        site: DeploymentSite,
    ) -> Result<Self, ResolvedTemplateError> {
        let mut text = String::new();
        for template in generate_templates(rules)? {
            if template.name == name {
                text = template.text;
            }
        }
        Ok(Self::resolve(&parse_template(&text)?, site)?)
    }

    /// The resources of a type: logical id and properties.
    pub fn resources_of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let ids = self.ids_by_type.get(kind).map(Vec::as_slice).unwrap_or_default();
        ids.iter().map(|id| (id.as_str(), &self.resources[id]["Properties"]))
    }

    /// The properties of the resource of this type that has this value in a property.
    pub fn find_resource(&self, kind: &str, property: &str, value: &str) -> Option<&Value> {
        let mut resources = self.resources_of_type(kind);
        resources.find(|(_, properties)| properties[property] == value).map(|(_, properties)| properties)
    }

    /// The value that was given for a parameter; nothing where the default holds.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.site.parameters.get(name).map(String::as_str)
    }

    /// Whether the template is deployed as a forwarder: it then knows its home Region.
    pub fn is_forwarder(&self) -> bool {
        self.site.parameters.contains_key("HomeRegion")
    }

    /// `<prefix>-<name>`.
    pub fn prefixed(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// The `<name>` of `<prefix>-<name>`; nothing where the name does not begin with the prefix.
    pub fn unprefixed<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(&self.prefix)?.strip_prefix('-')
    }

    /// The ARN of a resource in this account and Region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        self.site.arn(service, resource)
    }

    /// The ARN of the queue or topic `<prefix>-<name>`.
    pub fn prefixed_arn(&self, service: &str, name: &str) -> String {
        self.arn(service, &self.prefixed(name))
    }
}
