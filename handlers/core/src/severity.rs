//! The five severities of an incident.

use serde::{Deserialize, Serialize};

/// How urgent an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The incident pages nobody: it stands in the daily summary.
    Info,
    /// Worth knowing.
    Low,
    /// To be looked at today.
    Medium,
    /// To be looked at now.
    High,
    /// Somebody must get up.
    Critical,
}

impl Severity {
    /// The word in pages, filters and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// 0 for `info`, 1 for `low` to 4 for `critical`.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// The severity of a rank. A rank of another release counts as the highest severity below it.
    pub fn from_rank(rank: i64) -> Self {
        for severity in [Self::Critical, Self::High, Self::Medium, Self::Low] {
            if rank >= i64::from(severity.rank()) {
                return severity;
            }
        }
        Self::Info
    }

    /// The severity one step below; `info` stays `info`.
    pub(crate) fn lower_by_one(self) -> Self {
        match self {
            Self::Info | Self::Low => Self::Info,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}
