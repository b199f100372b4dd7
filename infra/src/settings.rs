//! The functions' environment: which variables the template sets, and from which parameters.

/// The variables that an operator sets, each with the parameter of the `responder` template.
pub const PARAMETER_VARIABLES: [(&str, &str); 21] = [
    ("ANSWER_SECONDS", "AnswerSeconds"),
    ("AUTOMATION_PRINCIPALS", "AutomationPrincipals"),
    ("BUSINESS_HOURS", "BusinessHours"),
    ("COOLDOWN_SECONDS", "CooldownSeconds"),
    ("DECOYS", "Decoys"),
    ("DEPLOYMENT_RISKS", "DeploymentRisks"),
    ("FIRST_READS", "FirstReads"),
    ("HUMAN_ROLES", "HumanRoles"),
    ("IN_FLIGHT", "InFlight"),
    ("MARGIN_SECONDS", "MarginSeconds"),
    ("MODE", "Mode"),
    ("ORGANIZATION_ID", "OrganizationId"),
    ("OVERDUE_SECONDS", "OverdueSeconds"),
    ("PRODUCTION_ACCOUNTS", "ProductionAccounts"),
    ("PRODUCTION_SECRETS", "ProductionSecrets"),
    ("READERS", "Readers"),
    ("REGIONS", "Regions"),
    ("ROLLOUT_SECONDS", "RolloutSeconds"),
    ("RUNBOOK_BASE_URL", "RunbookBaseUrl"),
    ("SETTLE_SECONDS", "SettleSeconds"),
    ("SUMMARY_HOUR", "SummaryHour"),
];

/// The variables that follow from the other resources.
pub const RESOURCE_VARIABLES: [&str; 4] =
    ["CHAT_TOPIC_ARN", "LEASE_SECONDS", "LEDGER_TABLE", "PAGE_TOPIC_ARN"];
