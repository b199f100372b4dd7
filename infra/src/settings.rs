//! The functions' environment: which variables the template sets, and from which parameters.

/// What an operator sets: the variable, and the parameter of the `responder` template.
pub const SETTINGS: [(&str, &str); 12] = [
    ("ANSWER_SECONDS", "AnswerSeconds"),
    ("COOLDOWN_SECONDS", "CooldownSeconds"),
    ("FINDINGS", "Findings"),
    ("IN_FLIGHT", "InFlight"),
    ("MARGIN_SECONDS", "MarginSeconds"),
    ("MODE", "Mode"),
    ("OVERDUE_SECONDS", "OverdueSeconds"),
    ("READERS", "Readers"),
    ("REGIONS", "Regions"),
    ("ROLLOUT_SECONDS", "RolloutSeconds"),
    ("RUNBOOK_BASE_URL", "RunbookBaseUrl"),
    ("SETTLE_SECONDS", "SettleSeconds"),
];

/// What follows from the other resources.
pub const FIXED: [&str; 3] = ["LEASE_SECONDS", "LEDGER_TABLE", "PAGE_TOPIC_ARN"];
