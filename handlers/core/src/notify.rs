//! Notifications: the page that a person reads at 3 a.m., in our own words around strings from outside, which are shown
//! and never raw.

mod chat;
mod chat_markup;
mod console_links;
mod console_pages;
mod daily_digest;
mod email;
mod incident_subject;
mod limits;
mod next_steps;
mod notification;
mod pagerduty;
mod password_advice;
mod phrases;
mod placeholders;
mod renderer;
mod shell_quote;
mod subject;
mod subject_name;
mod template;
mod view;

pub(crate) use limits::{DETAILS_MAX, SECRETS_MAX};
pub use notification::{Notification, render};
pub use renderer::{RenderedPlan, Renderer};
