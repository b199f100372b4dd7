//! Questions: the secret, the principal, the place and the time that a report is about.

mod event_filter;
mod name_pattern;
mod principal_query;
mod secret_query;

pub use event_filter::{EventFilter, EventSubject, UnseenValues};
pub use principal_query::PrincipalQuery;
pub use secret_query::SecretQuery;
