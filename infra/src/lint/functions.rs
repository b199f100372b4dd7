//! Functions: their queue, role, log, environment, and the timing that keeps a claim from outliving its message.

use serde_json::{Value, json};

use super::template_check::TemplateCheck;
use crate::invariants::ClaimTiming;
use crate::json::{read_number, read_text};
use crate::settings::{PARAMETER_VARIABLES, RESOURCE_VARIABLES};

/// The longest that a queue may hide a message: after a function died, its event waits as long.
const MAX_VISIBILITY_SECONDS: i64 = 900;

/// Checks every function with what feeds it.
pub(super) fn check_functions(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    for (id, function) in template.resources_of_type("AWS::Lambda::Function") {
        let name = read_text(&function["FunctionName"]);
        let queue = template.find_resource("AWS::SQS::Queue", "QueueName", name).unwrap_or(&Value::Null);
        let mapping = template
            .find_resource("AWS::Lambda::EventSourceMapping", "FunctionName", name)
            .unwrap_or(&Value::Null);
        let is_fed = mapping["EventSourceArn"] == template.arn("sqs", name);
        check.require(is_fed, id, "its queue must feed it");
        let is_limited =
            mapping["ScalingConfig"]["MaximumConcurrency"] == function["ReservedConcurrentExecutions"];
        check.require(is_limited, id, "its queue must call it as often at once as is reserved");
        check_timing(check, id, [function, queue, mapping]);
        check.require_value(id, function, "Role", template.site.global_arn("iam", &format!("role/{name}")));
        check.require_value(id, function, "LoggingConfig/LogGroup", format!("/aws/lambda/{name}"));
        check_environment(check, id, &function["Environment"]["Variables"]);
        let zip = format!("/{}.zip", template.unprefixed(name).unwrap_or_default());
        let is_own_code = read_text(&function["Code"]["S3Key"]).ends_with(&zip);
        check.require(is_own_code, id, "`Code/S3Key` must be its own zip");
    }
}

fn check_timing(check: &mut TemplateCheck<'_>, id: &str, [function, queue, mapping]: [&Value; 3]) {
    let times = (
        read_number(&function["Timeout"]),
        read_number(&function["Environment"]["Variables"]["LEASE_SECONDS"]),
        read_number(&queue["VisibilityTimeout"]),
        read_number(&mapping["MaximumBatchingWindowInSeconds"]),
    );
    let is_right = match times {
        (Some(timeout), Some(lease), Some(visibility), Some(batching_window)) => {
            let timing = ClaimTiming { timeout, lease, visibility, batching_window };
            timing.find_fault().is_none() && visibility <= MAX_VISIBILITY_SECONDS
        }
        _ => false,
    };
    check.require(
        is_right,
        id,
        "timeout <= lease, and lease + timeout + batching window <= visibility <= 900 s",
    );
}

/// Requires exactly the variables that the functions read.
fn check_environment(check: &mut TemplateCheck<'_>, id: &str, variables: &Value) {
    let template = check.template;
    check.require_value(id, variables, "LEDGER_TABLE", json!(template.prefixed("ledger")));
    check.require_value(id, variables, "PAGE_TOPIC_ARN", json!(template.prefixed_arn("sns", "pages")));
    for (variable, parameter) in PARAMETER_VARIABLES {
        let is_set = variables.get(variable).is_some();
        check.require(is_set, id, format_args!("`{variable}` must be the parameter {parameter}"));
    }
    let count = variables.as_object().map(serde_json::Map::len);
    let is_known = count == Some(PARAMETER_VARIABLES.len() + RESOURCE_VARIABLES.len());
    check.require(is_known, id, "there is a variable that the functions do not read, or one is missing");
}
