//! Checks a template, so that no change of it goes wrong unnoticed. Each check is about the resources that the template creates in a
//! deployment, not about how the template is written.

mod access;
mod alarms;
mod all_checks;
mod dashboard;
mod event_rules;
mod functions;
mod inventory;
mod properties;
mod queues;
mod reference;
mod template_check;
mod trail;

pub use all_checks::check_template;
pub use template_check::TemplateFinding;
