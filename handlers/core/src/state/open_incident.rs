//! Open incidents: the index in which a sweep finds the incidents that it may have to resolve.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::time::{Date, Span, Timestamp};

/// An incident that was paged, as the index of open incidents holds it. The index is written with each page: what happened
/// after the last page is in the incident's state alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIncident {
    /// The id of the response that paged last.
    pub rule: String,
    /// The last event that the last page counted.
    pub last: Timestamp,
    /// The days on which it was paged, and the highest severity of each.
    pub pages: BTreeMap<Date, Severity>,
    /// How long nothing must have happened for it to be over.
    #[serde(alias = "quiet")]
    pub resolve_after: Span,
    /// The groups of its observations; none if it is never auto-resolved.
    #[serde(alias = "streams", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// When it ended, if it did.
    #[serde(alias = "ended", default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Timestamp>,
}

impl OpenIncident {
    /// Whether it could be over: `resolve_after` has passed since the last event of the last page.
    pub(crate) fn may_be_over(&self, now: Timestamp) -> bool {
        self.resolved.is_none() && !self.groups.is_empty() && self.last.plus(self.resolve_after) < now
    }
}
