//! A template while it is checked, and the findings about it.

use std::fmt;

use responder_core::rules::{Handler, RuleSet};
use serde_json::Value;

use crate::resolved_template::ResolvedTemplate;

/// Something that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateFinding {
    /// The resource, or another part of the template.
    pub resource: String,
    /// The problem.
    pub problem: String,
}

impl fmt::Display for TemplateFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.problem)
    }
}

/// A template while it is checked.
pub(super) struct TemplateCheck<'t> {
    /// The template in one deployment.
    pub(super) template: &'t ResolvedTemplate,
    /// The rules that it was generated from.
    pub(super) rules: &'t RuleSet,
    /// The problems that were found so far.
    pub(super) findings: Vec<TemplateFinding>,
}

impl TemplateCheck<'_> {
    /// Notes a problem of a resource, unless it is right.
    pub(super) fn require(&mut self, is_right: bool, resource: &str, problem: impl fmt::Display) {
        if !is_right {
            let problem = problem.to_string();
            self.findings.push(TemplateFinding { resource: resource.to_owned(), problem });
        }
    }

    /// Requires that a part of a JSON document has a value. The path leads through keys and indices: `Targets/0/Arn`.
    pub(super) fn require_value(
        &mut self,
        resource: &str,
        document: &Value,
        path: &str,
        wanted: impl Into<Value>,
    ) {
        let wanted = wanted.into();
        let is_right = document.pointer(&format!("/{path}")) == Some(&wanted);
        self.require(is_right, resource, format_args!("`{path}` must be {wanted}"));
    }

    /// Requires that there are as many resources of a type.
    pub(super) fn require_count(&mut self, kind: &str, wanted: usize) {
        let count = self.template.resources_of_type(kind).count();
        self.require(count == wanted, "Resources", format_args!("there must be {wanted} {kind}"));
    }
}

/// The handler whose name this is.
pub(super) fn find_handler(name: &str) -> Option<Handler> {
    Handler::ALL.into_iter().find(|handler| handler.as_str() == name)
}
