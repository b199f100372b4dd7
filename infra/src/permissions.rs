//! The IAM actions that each function may call: those that its code calls, and those that Lambda needs to run it. Nothing else is
//! granted.
//!
//! `infra/tests/templates/permissions.rs` compares this with the code, both ways.

use std::collections::BTreeSet;

use responder_core::rules::{Handler, ResponseAction, RuleSet};

/// An action, as IAM names it: `ecs:UpdateService`.
pub type IamAction = &'static str;

/// Claims, observations, and everything else that is stored.
const LEDGER_ACTIONS: [IamAction; 3] = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"];
/// Pages.
const PAGE_ACTIONS: [IamAction; 1] = ["sns:Publish"];
/// Finding the services that use a secret.
const DISCOVERY_ACTIONS: [IamAction; 8] = [
    "ecs:DescribeDaemon",
    "ecs:DescribeDaemonRevisions",
    "ecs:DescribeDaemonTaskDefinition",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:ListClusters",
    "ecs:ListDaemons",
    "ecs:ListServices",
];
/// Asking for a new deployment.
const REDEPLOY_ACTION: IamAction = "ecs:UpdateService";
/// The metadata of one secret.
const DESCRIBE_SECRET_ACTION: IamAction = "secretsmanager:DescribeSecret";
/// The metadata of all secrets at once.
const LIST_SECRETS_ACTION: IamAction = "secretsmanager:ListSecrets";

/// The actions that a handler's code can call, by what the responses to its rules do.
pub fn required_actions(rules: &RuleSet, handler: Handler) -> BTreeSet<IamAction> {
    let mut actions = BTreeSet::from(LEDGER_ACTIONS);
    actions.extend(PAGE_ACTIONS);
    for response in rules.responses.values() {
        if !response.on.iter().any(|id| rules.handler_rules(handler).any(|rule| rule.id == *id)) {
            continue;
        }
        match (response.action, handler) {
            (ResponseAction::Redeploy, _) => {
                actions.extend(DISCOVERY_ACTIONS);
                actions.insert(REDEPLOY_ACTION);
                // The sweep reads all secrets at once.
                let metadata =
                    if handler == Handler::Sweep { LIST_SECRETS_ACTION } else { DESCRIBE_SECRET_ACTION };
                actions.insert(metadata);
            }
            // An event says how a deployment ended; the sweep has to ask ECS.
            (ResponseAction::Follow, Handler::Sweep) => actions.extend(DISCOVERY_ACTIONS),
            (ResponseAction::Overdue, _) => {
                actions.insert(LIST_SECRETS_ACTION);
            }
            (
                ResponseAction::Follow
                | ResponseAction::Page
                | ResponseAction::Quarantine
                | ResponseAction::Prove
                | ResponseAction::FirstRead
                | ResponseAction::Summarise,
                _,
            ) => {}
        }
    }
    actions
}

/// The actions that no code calls: in the function's name Lambda reads the queue and writes the log, and SNS encrypts a page.
pub const IMPLIED_ACTIONS: [IamAction; 7] = [
    "kms:Decrypt",
    "kms:GenerateDataKey*",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

/// The actions that no function may ever call, whatever else is attached to its role.
pub const FORBIDDEN_ACTIONS: [IamAction; 3] =
    ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"];

/// A statement of a role's policy: a group of actions, and the resource on which they are allowed, as YAML.
struct PolicyStatement {
    sid: &'static str,
    actions: &'static [IamAction],
    resource: &'static str,
    condition: Option<&'static str>,
}

/// Each action on the narrowest resource that IAM knows for it.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>
const POLICY_STATEMENTS: [PolicyStatement; 9] = [
    PolicyStatement {
        sid: "Ledger",
        actions: &LEDGER_ACTIONS,
        resource: "!GetAtt Ledger.Arn",
        condition: None,
    },
    PolicyStatement {
        sid: "Pages",
        actions: &PAGE_ACTIONS,
        resource: "[!Ref PageTopic, !If [HasChat, !Ref ChatTopic, !Ref AWS::NoValue]]",
        condition: None,
    },
    PolicyStatement {
        sid: "PageKey",
        actions: &["kms:Decrypt", "kms:GenerateDataKey*"],
        resource: "!GetAtt PageKey.Arn",
        condition: Some("{StringEquals: {kms:ViaService: !Sub \"sns.${AWS::Region}.${AWS::URLSuffix}\"}}"),
    },
    PolicyStatement {
        sid: "Services",
        actions: &["ecs:DescribeServices", "ecs:UpdateService"],
        resource: "!Sub \"arn:${AWS::Partition}:ecs:*:${AWS::AccountId}:service/*\"",
        condition: None,
    },
    // IAM knows no resource for these actions. For those about daemons its table of resources was not at hand.
    PolicyStatement {
        sid: "Lists",
        actions: &[
            "ecs:DescribeDaemon",
            "ecs:DescribeDaemonRevisions",
            "ecs:DescribeDaemonTaskDefinition",
            "ecs:DescribeTaskDefinition",
            "ecs:ListClusters",
            "ecs:ListDaemons",
            "ecs:ListServices",
            "secretsmanager:ListSecrets",
        ],
        resource: "\"*\"",
        condition: None,
    },
    PolicyStatement {
        sid: "Metadata",
        actions: &[DESCRIBE_SECRET_ACTION],
        resource: "!Sub \"arn:${AWS::Partition}:secretsmanager:*:${AWS::AccountId}:secret:*\"",
        condition: None,
    },
    PolicyStatement {
        sid: "Queue",
        actions: &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        resource: "!GetAtt @Handler@Queue.Arn",
        condition: None,
    },
    PolicyStatement {
        sid: "Log",
        actions: &["logs:CreateLogStream", "logs:PutLogEvents"],
        resource: "!GetAtt @Handler@LogGroup.Arn",
        condition: None,
    },
    PolicyStatement {
        sid: "NoSecretValues",
        actions: &FORBIDDEN_ACTIONS,
        resource: "\"*\"",
        condition: None,
    },
];

/// The statements of a handler's policy, as YAML at the depth of the template.
pub(crate) fn render_statements(rules: &RuleSet, handler: Handler) -> String {
    let mut granted = required_actions(rules, handler);
    granted.extend(IMPLIED_ACTIONS);
    let mut lines = Vec::new();
    for statement in &POLICY_STATEMENTS {
        let is_denied = statement.actions == FORBIDDEN_ACTIONS;
        let mut actions = statement.actions.to_vec();
        actions.retain(|action| is_denied || granted.contains(action));
        if actions.is_empty() {
            continue;
        }
        lines.push(format!("              - Sid: {}", statement.sid));
        lines.push(format!("                Effect: {}", if is_denied { "Deny" } else { "Allow" }));
        lines.push(format!("                Action: [{}]", actions.join(", ")));
        lines.push(format!("                Resource: {}", statement.resource));
        if let Some(condition) = statement.condition {
            lines.push(format!("                Condition: {condition}"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_in_one_statement() {
        let rules = responder_core::rules::builtin().unwrap();
        let stated: Vec<IamAction> =
            POLICY_STATEMENTS.iter().flat_map(|statement| statement.actions).copied().collect();
        let required: BTreeSet<IamAction> =
            Handler::ALL.iter().flat_map(|handler| required_actions(&rules, *handler)).collect();
        for action in required.into_iter().chain(IMPLIED_ACTIONS) {
            assert_eq!(stated.iter().filter(|stated| **stated == action).count(), 1, "{action}");
        }
    }
}
