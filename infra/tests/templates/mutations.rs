//! Deletes every resource and every property, and weakens every value, one at a time: a check must notice each of these mutations.

use std::thread;

use infra::lint::check_template;
use responder_core::rules::RuleSet;
use serde_json::{Value, json};

use super::lint::{TEMPLATE_NAMES, read_template};

/// Keys whose values are words for people, and protect nobody.
const WORD_KEYS: [&str; 8] =
    ["Description", "AlarmDescription", "DisplayName", "Sid", "Tags", "Metadata", "PolicyName", "Outputs"];

/// Parts of the paths of values that make the examples work rather than safe: without them `CloudFormation` refuses the template, or only
/// sizes and looks change.
const WORKING_PATHS: [&str; 31] = [
    // trail
    "/StorageDescriptor/Columns",
    "/StorageDescriptor/InputFormat",
    "/StorageDescriptor/OutputFormat",
    "/StorageDescriptor/SerdeInfo",
    "/TableInput/Name",
    "/TableInput/TableType",
    "/RecordsTable/Properties/DatabaseName",
    "/CatalogId",
    "/LifecycleConfiguration/Rules/0/Id",
    "/LifecycleConfiguration/Rules/1",
    "/PublishCloudWatchMetricsEnabled",
    // reference
    "/TargetType",
    "/Resources/AdminSecret/DeletionPolicy",
    "/Resources/AppSecret/DeletionPolicy",
    "Secret/UpdateReplacePolicy",
    "/GenerateSecretString/",
    "/Resources/AppRotation/DependsOn",
    "/HostedRotationLambda/RotationLambdaName",
    "/HostedRotationLambda/Vpc",
    "/RotateImmediatelyOnUpdate",
    "/RotationRules/",
    "/Resources/Cluster/",
    "/Resources/DatabaseSubnets/",
    "/Resources/RotationSecurityGroup/",
    "/Resources/ServiceSecurityGroup/",
    "/GroupDescription",
    "/DatabaseSecurityGroup/Properties/VpcId",
    "/ContainerDefinitions/0/Command",
    "/ContainerDefinitions/0/LogConfiguration",
    "/ContainerDefinitions/0/Name",
    "/AwsvpcConfiguration/Subnets",
];

/// Such properties of the three biggest resources of the reference.
const WORKING_PROPERTIES: [&str; 24] = [
    "AllocatedStorage",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBName",
    "DBSubnetGroupName",
    "Engine",
    "EngineVersion",
    "MasterUsername",
    "StorageType",
    "DependsOn",
    "Cluster",
    "MaximumPercent",
    "LaunchType",
    "PropagateTags",
    "ServiceName",
    "TaskDefinition",
    "Cpu",
    "Family",
    "Memory",
    "NetworkMode",
    "RequiresCompatibilities",
    "RuntimePlatform",
    "CpuArchitecture",
    "OperatingSystemFamily",
];

/// A change of a template for the worse.
struct Mutation {
    path: String,
    what: String,
    /// The new value; nothing if the old one is deleted.
    to: Option<Value>,
}

#[test]
fn every_mutation_is_caught() {
    let rules = responder_core::rules::builtin().unwrap();
    let mut missed = Vec::new();
    for name in TEMPLATE_NAMES {
        let template = read_template(name);
        let mutations = list_mutations(&template);
        let mut caught = 0;
        for result in
            map_in_parallel(&mutations, |mutation| check_mutation(name, &template, mutation, &rules))
        {
            match result {
                Ok(line) => {
                    caught += 1;
                    println!("{line}");
                }
                Err(line) => missed.push(line),
            }
        }
        println!("{name}: {caught} of {} mutations caught", mutations.len());
        assert!(name == "dashboard" || mutations.len() > 100, "{name}: the mutations are found");
    }
    assert!(missed.is_empty(), "{} mutations are not caught:\n{}", missed.len(), missed.join("\n"));
}

/// A line about a mutation: with the first finding, or as an error if there is none.
fn check_mutation(
    name: &str,
    template: &Value,
    mutation: &Mutation,
    rules: &RuleSet,
) -> Result<String, String> {
    let Mutation { path, what, to } = mutation;
    let mut mutated = template.clone();
    replace_value(&mut mutated, path, to.clone());
    let line = format!("{name}{path}: {what}");
    match check_template(name, &mutated, rules).first() {
        Some(first) => Ok(format!("caught  {line}  ->  {first}")),
        None => Err(line),
    }
}

/// The results for all items, in their order.
fn map_in_parallel<T: Sync, R: Send>(items: &[T], judge: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let part = items.len().div_ceil(workers).max(1);
    let judge = &judge;
    thread::scope(|scope| {
        let mut running = Vec::new();
        for part in items.chunks(part) {
            running.push(scope.spawn(move || part.iter().map(judge).collect::<Vec<R>>()));
        }
        running.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn list_mutations(template: &Value) -> Vec<Mutation> {
    let mut paths = Vec::new();
    for part in ["Resources", "Mappings", "Conditions"] {
        if template.get(part).is_some() {
            collect_paths(&template[part], &format!("/{part}"), &mut paths);
        }
    }
    let mut all = Vec::new();
    for path in &paths {
        let (_, key) = path.rsplit_once('/').unwrap();
        let sized = ["/Resources/Database/", "/Resources/FargateService/", "/Resources/TaskDefinition/"];
        let is_sized = sized.iter().any(|resource| path.starts_with(resource))
            && (WORKING_PROPERTIES.contains(&key) || path.contains("/RequiresCompatibilities/"));
        if is_sized || WORKING_PATHS.iter().any(|part| path.contains(part)) {
            continue;
        }
        let value = template.pointer(path).unwrap();
        let mut add = |what: &str, to: Option<Value>| {
            all.push(Mutation { path: path.clone(), what: what.to_owned(), to });
        };
        // Only a function as a whole can be deleted: without a part of it the template is invalid.
        let (parent, key) = path.rsplit_once('/').unwrap();
        if path.matches('/').count() > 1
            && !is_function(key)
            && !parent.rsplit('/').any(is_function)
            && !is_type(key)
        {
            add("deleted", None);
        }
        for (what, weaker) in weaken_value(key, value) {
            add(&what, Some(weaker));
        }
    }
    all
}

/// Collects the path of every value, except words for people.
fn collect_paths(value: &Value, at: &str, paths: &mut Vec<String>) {
    let key = at.rsplit('/').next().unwrap_or_default();
    if WORD_KEYS.contains(&key) {
        return;
    }
    paths.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            collect_paths(item, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), paths);
        }),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect_paths(item, &format!("{at}/{index}"), paths));
        }
        _ => {}
    }
}

fn replace_value(template: &mut Value, path: &str, to: Option<Value>) {
    let Some(to) = to else {
        let (parent, key) = path.rsplit_once('/').unwrap();
        match template.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
            Value::Array(items) => drop(items.remove(key.parse().unwrap())),
            _ => unreachable!("a parent is a map or a list"),
        }
        return;
    };
    *template.pointer_mut(path).unwrap() = to;
}

fn is_function(key: &str) -> bool {
    key == "Ref" || key.starts_with("Fn::")
}

/// Whether it is a type: `cfn-lint` notices a resource without one.
fn is_type(key: &str) -> bool {
    key == "Type"
}

/// Values that are worse than this one.
fn weaken_value(key: &str, value: &Value) -> Vec<(String, Value)> {
    let one = |what: &str, to: Value| vec![(what.to_owned(), to)];
    match value {
        Value::Bool(truth) => one("flipped", json!(!truth)),
        Value::Number(number) => weaken_number(key, number.as_i64().unwrap_or_default()),
        Value::String(text) => weaken_string(key, text),
        Value::Array(items) if key == "Action" => {
            let more = |action: &str| items.iter().cloned().chain([json!(action)]).collect::<Vec<_>>();
            vec![
                ("with a secret's value".to_owned(), json!(more("secretsmanager:GetSecretValue"))),
                ("with everything".to_owned(), json!(more("*"))),
            ]
        }
        _ => match key {
            "Resource" => one("anything", json!("*")),
            "Principal" => one("anybody", json!("*")),
            "Condition" if value.is_object() => one("holds always", json!({})),
            _ => Vec::new(),
        },
    }
}

fn weaken_number(key: &str, number: i64) -> Vec<(String, Value)> {
    let worse = match key {
        "maxReceiveCount" | "EvaluationPeriods" | "DatapointsToAlarm" => vec![1, 100],
        "MaximumRetryAttempts" | "MaximumEventAgeInSeconds" => vec![0],
        "VisibilityTimeout" | "Visibility" => vec![number / 2, 43_200],
        "Timeout" => vec![3, number * 3],
        "Threshold" => vec![number * 10 + 1_000],
        "Period" => vec![number * 100],
        "MessageRetentionPeriod" if number > 3_600 => vec![60],
        "MessageRetentionPeriod" => vec![1_209_600],
        "PendingWindowInDays" => vec![7],
        "MaximumConcurrency" | "ReservedConcurrentExecutions" => vec![1, 1_000],
        _ => vec![],
    };
    // One evaluation period is as loud as it can be.
    let worse =
        worse.into_iter().filter(|worse| *worse != number && !(key == "DatapointsToAlarm" && *worse == 1));
    let worse = worse.filter(|worse| !(key == "EvaluationPeriods" && *worse == 1));
    worse.map(|worse| (format!("{worse}"), json!(worse))).collect()
}

fn weaken_string(key: &str, text: &str) -> Vec<(String, Value)> {
    let to = |text: &str| vec![(format!("`{text}`"), json!(text))];
    match (key, text) {
        ("Lease", _) => [to("20"), to("600")].concat(),
        ("State", "ENABLED") => to("DISABLED"),
        ("State", _) => [to("ENABLED"), to("DISABLED")].concat(),
        ("Effect", "Allow") => to("Deny"),
        ("Effect", _) => to("Allow"),
        ("Resource", "*") => to("arn:aws:s3:::nothing"),
        ("Action" | "Resource" | "Service", _) => to("*"),
        ("TreatMissingData", _) => [to("ignore"), to("missing")].concat(),
        ("ComparisonOperator", _) => to("GreaterThanUpperThreshold"),
        ("Statistic", _) => to("Minimum"),
        ("MetricName", _) => to("RotationFailed"),
        ("Namespace", _) => to("AWS/SecretsManager"),
        ("DeletionPolicy" | "UpdateReplacePolicy", _) => to("Delete"),
        ("ScheduleExpression", _) => to("rate(1 day)"),
        ("BillingMode", _) => to("PROVISIONED"),
        ("SSEType" | "SSEAlgorithm", _) => to("AES256"),
        ("AttributeName", _) => to("expires"),
        // A pattern, as text.
        (_, text) if text.starts_with("{\"account\":") => weaken_pattern(text),
        _ => Vec::new(),
    }
}

fn weaken_pattern(text: &str) -> Vec<(String, Value)> {
    let after_account = text.split_once("],").map(|(_, rest)| format!("{{{rest}")).unwrap();
    let spoofed = text.replace("\"source\":[\"aws.", "\"source\":[\"my.");
    let spaced = text.replace(',', ", ").replace(':', ": ");
    let other_type =
        text.replace("Service Event via", "API Call via").replace("API Call via", "Service Event via");
    let all = [
        ("any account", after_account),
        ("another source", spoofed),
        ("not minified", spaced),
        ("another detail type", other_type),
    ];
    let changed = all.into_iter().filter(|(_, to)| to != text);
    changed.map(|(what, to)| (what.to_owned(), json!(to))).collect()
}
