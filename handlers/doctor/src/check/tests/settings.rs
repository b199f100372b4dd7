//! The templates and the functions agree about settings: defaults, allowed values and limits of parameters are ones that the functions take.
//! Here, because `infra` does not know the functions' code.

use infra::resolve::{Place, resolve};
use infra::settings::SETTINGS;
use responder_aws::FunctionConfig;
use responder_core::rules::builtin;
use serde_json::Value;

#[test]
fn what_the_templates_parameters_allow_is_what_the_functions_take() {
    let templates = infra::templates(&builtin().unwrap()).unwrap();
    let text = &templates.iter().find(|one| one.name == "responder").unwrap().text;
    let template = infra::yaml::parse(text).unwrap();
    let place = Place::new("111122223333", "eu-west-1").with("CodeBucket", "b").with("CodePrefix", "p/");
    assert_taken(&template, &place);
    assert_taken(&template, &place.clone().with("Chat", "on").with("Timing", "large"));
    let mut tried = 0;
    for (_, parameter) in SETTINGS {
        let known = &template["Parameters"][parameter];
        let limits = [&known["MinValue"], &known["MaxValue"]].into_iter().filter(|limit| !limit.is_null());
        for value in limits.chain(known["AllowedValues"].as_array().into_iter().flatten()) {
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            // No template can compare two numbers: the functions refuse a margin that is longer than what is waited.
            let place = match parameter {
                "SettleSeconds" | "MarginSeconds" => {
                    place.clone().with("SettleSeconds", &value).with("MarginSeconds", &value)
                }
                _ => place.clone().with(parameter, &value),
            };
            assert_taken(&template, &place);
            tried += 1;
        }
    }
    assert!(tried >= 20, "{tried} limits and allowed values");
}

fn assert_taken(template: &Value, place: &Place) {
    let resources = resolve(template, place).unwrap();
    let functions = resources.values().filter(|one| one["Type"] == "AWS::Lambda::Function");
    let mut count = 0;
    for function in functions {
        let variables = &function["Properties"]["Environment"]["Variables"];
        let variable = |name: &str| {
            let value = variables.get(name)?;
            Some(value.as_str().map_or(value.to_string(), str::to_owned))
        };
        assert_eq!(FunctionConfig::problems(variable), Vec::<String>::new(), "{:?}", place.parameters);
        count += 1;
    }
    assert_eq!(count, 4);
}
