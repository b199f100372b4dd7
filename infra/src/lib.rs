//! The `CloudFormation` templates: generated from the rules, resolved for one deployment, and checked.
//!
//! ```text
//! rules/ + infra/source/ -> generate -> infra/*.yaml -> yaml -> resolve -> lint
//!                                                                       -> the doctor
//! ```

mod dashboard;
mod deployment_site;
pub mod event_rules;
mod generate;
pub mod invariants;
pub mod json;
pub mod lint;
pub mod metrics;
pub mod permissions;
pub mod resolve;
mod resolved_template;
pub mod resource_policy;
pub mod settings;
pub mod yaml;

pub use dashboard::draw_dashboard;
pub use deployment_site::DeploymentSite;
pub use generate::{GenerateError, GeneratedTemplate, generate_templates};
pub use resolved_template::{ResolvedTemplate, ResolvedTemplateError};
