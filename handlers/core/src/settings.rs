//! Settings of the operator.

mod deployment_risk;
mod operator_settings;
mod parsed_text;
mod response_mode;

pub use deployment_risk::{DeploymentRisk, RiskPolicy};
pub use operator_settings::{ProductionScope, Settings};
pub use parsed_text::ParsedText;
pub use response_mode::ResponseMode;
