//! The `CloudFormation` templates: generated from the rules, resolved for one deployment, and checked.
//!
//! ```text
//! rules/ + infra/source/ -> generate -> infra/*.yaml -> yaml -> resolve -> lint
//!                                                                       -> the doctor
//! ```

mod dashboard;
mod generate;
pub mod invariants;
pub mod json;
pub mod lint;
pub mod metrics;
pub mod permissions;
mod picture;
pub mod resolve;
mod resolved_template;
pub mod resource_policy;
pub mod rules;
pub mod settings;
pub mod yaml;

pub use generate::{GenerateError, Template, templates};
pub use picture::picture;
pub use resolve::Place;
pub use resolved_template::{ResolvedTemplate, ResolvedTemplateError};
