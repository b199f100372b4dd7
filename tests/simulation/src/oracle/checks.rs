//! The checks, one after the other.

use super::answered_changes::check_changes_are_answered;
use super::context::{OracleContext, WorldPromises};
use super::deployments::{
    check_approvals_stand, check_concurrency, check_cooldowns, check_deployments_are_needed,
};
use super::notifications::{check_ledger_matches_pages, check_pages_are_accepted, check_pages_are_sent_once};
use super::rollouts::check_rollouts_are_reported;
use crate::world::SimulatedWorld;

/// A check: it adds a sentence for each violation.
type OracleCheck = fn(&OracleContext<'_>, &mut Vec<String>);

/// All checks.
const CHECKS: [OracleCheck; 9] = [
    check_changes_are_answered,
    check_cooldowns,
    check_deployments_are_needed,
    check_approvals_stand,
    check_concurrency,
    check_rollouts_are_reported,
    check_pages_are_sent_once,
    check_ledger_matches_pages,
    check_pages_are_accepted,
];

/// Every violation in a world.
pub fn list_violations(world: &SimulatedWorld, promises: &WorldPromises) -> Vec<String> {
    let context = OracleContext::new(world, promises);
    let mut violations = Vec::new();
    for check in CHECKS {
        check(&context, &mut violations);
    }
    violations
}
