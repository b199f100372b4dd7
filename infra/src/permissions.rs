//! What each function may do: the calls that its code makes, and what Lambda needs to run it. Nothing else is granted.
//!
//! `infra/tests/permissions.rs` compares this with the code, both ways.

use std::collections::BTreeSet;

use responder_core::rules::{Handler, ResponseAction, RuleSet};

/// A call of AWS, as IAM names it: `ecs:UpdateService`.
pub type Call = &'static str;

/// Claims, marks, and what is remembered.
const LEDGER: [Call; 3] = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"];
/// Pages.
const PAGES: [Call; 1] = ["sns:Publish"];
/// Which services use a secret.
const DISCOVERY: [Call; 4] =
    ["ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:ListClusters", "ecs:ListServices"];
const REDEPLOY: Call = "ecs:UpdateService";
const ONE_SECRET: Call = "secretsmanager:DescribeSecret";
const ALL_SECRETS: Call = "secretsmanager:ListSecrets";

/// The calls that a handler's code can make: by what its responses do.
pub fn calls(rules: &RuleSet, handler: Handler) -> BTreeSet<Call> {
    let mut calls: BTreeSet<Call> = LEDGER.into_iter().chain(PAGES).collect();
    let is_ours = |id: &String| rules.handler_rules(handler).any(|rule| rule.id == *id);
    for response in rules.responses.values().filter(|response| response.on.iter().any(is_ours)) {
        match (response.action, handler) {
            // The sweep sees all secrets at once.
            (ResponseAction::Redeploy, Handler::Sweep) => {
                calls.extend(DISCOVERY.into_iter().chain([REDEPLOY, ALL_SECRETS]));
            }
            (ResponseAction::Redeploy, _) => {
                calls.extend(DISCOVERY.into_iter().chain([REDEPLOY, ONE_SECRET]))
            }
            // An event says how a deployment ended; the sweep has to look.
            (ResponseAction::Follow, Handler::Sweep) => calls.extend(DISCOVERY),
            (ResponseAction::Overdue, _) => calls.extend([ALL_SECRETS]),
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
    calls
}

/// What Lambda does in the function's name: it reads the queue and writes the log; and what SNS does: it encrypts a page.
pub const IMPLIED: [Call; 7] = [
    "kms:Decrypt",
    "kms:GenerateDataKey*",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

/// What no function may ever do, whatever else is attached to its role.
pub const FORBIDDEN: [Call; 3] =
    ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"];

/// Where a group of calls is allowed.
struct Scope {
    sid: &'static str,
    calls: &'static [Call],
    resource: &'static str,
    condition: Option<&'static str>,
}

/// Each call on the narrowest resource that IAM knows for it.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>
const SCOPES: [Scope; 9] = [
    Scope { sid: "Ledger", calls: &LEDGER, resource: "!GetAtt Ledger.Arn", condition: None },
    Scope {
        sid: "Pages",
        calls: &PAGES,
        resource: "[!Ref PageTopic, !If [HasChat, !Ref ChatTopic, !Ref AWS::NoValue]]",
        condition: None,
    },
    Scope {
        sid: "PageKey",
        calls: &["kms:Decrypt", "kms:GenerateDataKey*"],
        resource: "!GetAtt PageKey.Arn",
        condition: Some("{StringEquals: {kms:ViaService: !Sub \"sns.${AWS::Region}.${AWS::URLSuffix}\"}}"),
    },
    Scope {
        sid: "Services",
        calls: &["ecs:DescribeServices", "ecs:UpdateService"],
        resource: "!Sub \"arn:${AWS::Partition}:ecs:*:${AWS::AccountId}:service/*\"",
        condition: None,
    },
    // IAM knows no resource for these.
    Scope {
        sid: "Lists",
        calls: &[
            "ecs:DescribeTaskDefinition",
            "ecs:ListClusters",
            "ecs:ListServices",
            "secretsmanager:ListSecrets",
        ],
        resource: "\"*\"",
        condition: None,
    },
    Scope {
        sid: "Metadata",
        calls: &[ONE_SECRET],
        resource: "!Sub \"arn:${AWS::Partition}:secretsmanager:*:${AWS::AccountId}:secret:*\"",
        condition: None,
    },
    Scope {
        sid: "Queue",
        calls: &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        resource: "!GetAtt @Handler@Queue.Arn",
        condition: None,
    },
    Scope {
        sid: "Log",
        calls: &["logs:CreateLogStream", "logs:PutLogEvents"],
        resource: "!GetAtt @Handler@LogGroup.Arn",
        condition: None,
    },
    Scope { sid: "NoSecretValues", calls: &FORBIDDEN, resource: "\"*\"", condition: None },
];

/// The statements of a handler's policy, as YAML at the depth of the template.
pub(crate) fn statements(rules: &RuleSet, handler: Handler) -> String {
    let mut wanted = calls(rules, handler);
    wanted.extend(IMPLIED);
    let mut lines = Vec::new();
    for scope in &SCOPES {
        let is_denied = scope.calls == FORBIDDEN;
        let calls: Vec<Call> =
            scope.calls.iter().copied().filter(|call| is_denied || wanted.contains(call)).collect();
        if calls.is_empty() {
            continue;
        }
        lines.push(format!("              - Sid: {}", scope.sid));
        lines.push(format!("                Effect: {}", if is_denied { "Deny" } else { "Allow" }));
        lines.push(format!("                Action: [{}]", calls.join(", ")));
        lines.push(format!("                Resource: {}", scope.resource));
        lines.extend(scope.condition.map(|condition| format!("                Condition: {condition}")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_one_scope() {
        let rules = responder_core::rules::builtin().unwrap();
        let scoped: Vec<Call> = SCOPES.iter().flat_map(|scope| scope.calls).copied().collect();
        let known: BTreeSet<Call> = Handler::ALL.iter().flat_map(|handler| calls(&rules, *handler)).collect();
        for call in known.into_iter().chain(IMPLIED) {
            assert_eq!(scoped.iter().filter(|scoped| **scoped == call).count(), 1, "{call}");
        }
    }
}
