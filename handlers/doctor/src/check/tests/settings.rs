//! The templates and the functions agree about settings: the functions take the defaults, allowed values and limits of the parameters.
//! The test is here because `infra` does not know the functions' code.

use infra::DeploymentSite;
use infra::resolve::resolve_resources;
use infra::settings::PARAMETER_VARIABLES;
use responder_aws::FunctionConfig;
use responder_core::rules::builtin;
use serde_json::Value;

#[test]
fn the_functions_take_every_value_that_the_parameters_allow() {
    let templates = infra::generate_templates(&builtin().unwrap()).unwrap();
    let text = &templates.iter().find(|one| one.name == "responder").unwrap().text;
    let template = infra::yaml::parse_template(text).unwrap();
    let site = DeploymentSite::new("111122223333", "eu-west-1")
        .with_parameter("CodeBucket", "b")
        .with_parameter("CodePrefix", "p/");
    assert_taken(&template, &site);
    assert_taken(&template, &site.clone().with_parameter("Chat", "on").with_parameter("Timing", "large"));
    let mut tried = 0;
    for (_, parameter) in PARAMETER_VARIABLES {
        let known = &template["Parameters"][parameter];
        let limits = [&known["MinValue"], &known["MaxValue"]].into_iter().filter(|limit| !limit.is_null());
        for value in limits.chain(known["AllowedValues"].as_array().into_iter().flatten()) {
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            // No template can compare two numbers: the functions refuse a margin that is longer than what is waited.
            let site = match parameter {
                "SettleSeconds" | "MarginSeconds" => site
                    .clone()
                    .with_parameter("SettleSeconds", &value)
                    .with_parameter("MarginSeconds", &value),
                _ => site.clone().with_parameter(parameter, &value),
            };
            assert_taken(&template, &site);
            tried += 1;
        }
    }
    assert!(tried >= 20, "{tried} limits and allowed values");
}

fn assert_taken(template: &Value, site: &DeploymentSite) {
    let resources = resolve_resources(template, site).unwrap();
    let functions = resources.values().filter(|one| one["Type"] == "AWS::Lambda::Function");
    let mut count = 0;
    for function in functions {
        let variables = &function["Properties"]["Environment"]["Variables"];
        let variable = |name: &str| {
            let value = variables.get(name)?;
            Some(value.as_str().map_or(value.to_string(), str::to_owned))
        };
        assert_eq!(FunctionConfig::problems(variable), Vec::<String>::new(), "{:?}", site.parameters);
        count += 1;
    }
    assert_eq!(count, 4);
}
