//! The faults that the checks find. `faults.json` has the texts: what each fault means, and how to fix it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::finding::FindingLevel;

/// A fault of an installation, by what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WiringFault {
    // Everything.
    ResponderAbsent,
    ForwarderAbsent,
    Unseen,
    // Trails.
    NoTrail,
    TrailStopped,
    TrailWithoutReads,
    TrailWithoutWrites,
    TrailBlind,
    TrailRedundant,
    TrailUndelivered,
    TrailUnvalidated,
    // Rules.
    RuleMissing,
    RuleStatePlain,
    RuleStateOff,
    RulePatternDifferent,
    RulePatternLong,
    RuleWithoutSchedule,
    RuleWithoutTarget,
    RuleTargetWrong,
    RuleTargetExtra,
    RuleRoleWrong,
    RuleWithoutDlq,
    RuleDlqMissing,
    RuleWithoutRetry,
    // The bus.
    BusOpen,
    // Queues.
    QueueMissing,
    QueueUnencrypted,
    DlqRetentionShort,
    DlqNotEmpty,
    QueueClosed,
    DlqClosed,
    QueueWithoutDlq,
    QueueDlqMissing,
    QueueReceivesFew,
    // Functions.
    FunctionMissing,
    FunctionInactive,
    FunctionOff,
    MappingMissing,
    MappingDisabled,
    MappingWholeBatches,
    TimeoutOutlivesLease,
    MessageReturnsEarly,
    TimeoutIsDefault,
    SettingsRefused,
    PagesElsewhere,
    LedgerElsewhere,
    // The ledger.
    LedgerMissing,
    LedgerInactive,
    LedgerWithoutTtl,
    LedgerWithoutRecovery,
    LedgerUnprotected,
    // Topics.
    TopicMissing,
    TopicWithoutSubscriber,
    SubscriptionsPending,
    TopicClosed,
    TopicUnencrypted,
    TopicKeyOfAws,
    TopicKeyMissing,
    TopicKeyDisabled,
    TopicKeyClosed,
    TopicKeyAsksForSource,
    // Alarms.
    AlarmMissing,
    AlarmMetricWrong,
    AlarmWithoutAction,
    AlarmRings,
    AlarmDead,
    CanarySilent,
    FunctionSilent,
    // Stacks.
    StackMissing,
    StackFailed,
    StackDrifted,
    // The matcher.
    MatcherDiffers,
}

/// The check that finds a fault, and the texts about it. `{name}` in a text stands for a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WiringFaultTexts {
    pub(super) check: String,
    pub(super) level: FindingLevel,
    /// The observation.
    pub(super) what: String,
    /// The consequence of the fault.
    pub(super) means: String,
    /// The remedy.
    pub(super) fix: String,
}

static FAULT_TEXTS: LazyLock<BTreeMap<WiringFault, WiringFaultTexts>> =
    LazyLock::new(|| serde_json::from_str(include_str!("faults.json")).unwrap_or_default());

impl WiringFault {
    /// The row of the fault. A test makes sure that each fault has one.
    pub(super) fn texts(self) -> Option<&'static WiringFaultTexts> {
        FAULT_TEXTS.get(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_texts() {
        let rows: BTreeMap<WiringFault, WiringFaultTexts> =
            serde_json::from_str(include_str!("faults.json")).unwrap();
        let last = WiringFault::MatcherDiffers;
        // The rows are faults, and no two are the same: if there are as many, each fault has one.
        assert_eq!(rows.len(), last as usize + 1);
        assert_eq!(rows.keys().last(), Some(&last));
    }
}
