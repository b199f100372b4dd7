//! The templates beside the responder: trail, dashboard, reference.

use serde_json::Value;

use super::Finding;
use super::view::View;

/// What must hold of types that only these templates use: a value, or that there is one.
pub(super) fn table(_kind: &str) -> Option<Vec<(&'static str, Option<Value>)>> {
    None
}

pub(super) fn check(_name: &str, _view: &View, _found: &mut Vec<Finding>) {}
