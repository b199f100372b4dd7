//! The configuration of a function, parsed once from the environment.

use std::fmt;

use aws_sdk_dynamodb::config::Credentials;
use responder_core::facts::Settings;
use responder_core::time::Span;

use super::settings::read_settings;
use super::variable_reader::VariableReader;

/// Everything that the environment says.
#[derive(Clone, Debug)]
pub struct FunctionConfig {
    /// `LEDGER_TABLE`: the table's name or ARN.
    pub table: String,
    /// `PAGE_TOPIC_ARN`: the topic that pages go to.
    pub topic: String,
    /// `CHAT_TOPIC_ARN`: the topic that notifications for chats go to, if there is one; in the Region of the other topic.
    pub chat_topic: Option<String>,
    /// The topic's Region: SNS publishes within one Region only.
    pub topic_region: String,
    /// The account of the topic, and so of the function.
    pub account: String,
    /// `MODE`, `SETTLE_SECONDS`, `MARGIN_SECONDS`, `COOLDOWN_SECONDS`, `IN_FLIGHT`, `ROLLOUT_SECONDS`, `ANSWER_SECONDS`,
    /// `OVERDUE_SECONDS`, `DEPLOYMENT_RISKS`, `READERS`, `REGIONS`, `RUNBOOK_BASE_URL`, `PRODUCTION_ACCOUNTS`,
    /// `PRODUCTION_SECRETS`, `DECOYS`, `HUMAN_ROLES`, `AUTOMATION_PRINCIPALS`, `BUSINESS_HOURS`, `FIRST_READS`,
    /// `SUMMARY_HOUR`.
    pub settings: Settings,
    /// `LEASE_SECONDS`: how long a claim is held. No invocation works for longer.
    pub lease: Span,
    /// `AWS_REGION`: set by Lambda.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID` and its companions: set by Lambda, the same for the life of the process.
    pub credentials: Credentials,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, `..._ECS`, `..._SECRETS_MANAGER` and `..._SNS`, or `AWS_ENDPOINT_URL` for each: for tests.
    pub endpoints: ServiceEndpoints,
}

/// The endpoints of services that are not at their usual place.
#[derive(Clone, Debug, Default)]
pub struct ServiceEndpoints {
    /// Of `DynamoDB`.
    pub dynamodb: Option<String>,
    /// Of ECS.
    pub ecs: Option<String>,
    /// Of Secrets Manager.
    pub secrets_manager: Option<String>,
    /// Of SNS.
    pub sns: Option<String>,
}

impl FunctionConfig {
    /// Reads the environment.
    ///
    /// # Errors
    /// Every problem at once, each with the variable's name and what to do.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::parse(|name| std::env::var(name).ok())
    }

    /// Reads the variables that `variable` returns by name.
    ///
    /// # Errors
    /// As [`FunctionConfig::from_env`].
    pub fn parse(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = VariableReader::new(variable);
        let StatedVariables { table, topic, chat_topic, topic_region, account, settings, lease } =
            StatedVariables::read(&mut reader);
        let region = reader.read_required("AWS_REGION", "the Region; Lambda sets it");
        let key = reader.read_required("AWS_ACCESS_KEY_ID", "an access key id; Lambda sets it");
        let secret = reader.read_required("AWS_SECRET_ACCESS_KEY", "a secret access key; Lambda sets it");
        let token = reader.read_optional("AWS_SESSION_TOKEN");
        let endpoints = ServiceEndpoints {
            dynamodb: reader.read_endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            ecs: reader.read_endpoint("AWS_ENDPOINT_URL_ECS"),
            secrets_manager: reader.read_endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            sns: reader.read_endpoint("AWS_ENDPOINT_URL_SNS"),
        };
        if !reader.problems.is_empty() {
            return Err(ConfigError { problems: reader.problems });
        }
        let credentials = Credentials::new(key, secret, token, None, "environment");
        Ok(Self {
            table,
            topic,
            chat_topic,
            topic_region,
            account,
            settings,
            lease,
            region,
            credentials,
            endpoints,
        })
    }

    /// The problems that keep a function with these variables from starting, each as a sentence that begins with the
    /// variable's name. Variables that Lambda sets by itself are not checked.
    pub fn problems(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut reader = VariableReader::new(variable);
        StatedVariables::read(&mut reader);
        reader.problems
    }
}

/// The variables that a function's configuration states. Lambda or a test sets the rest of [`FunctionConfig`].
struct StatedVariables {
    table: String,
    topic: String,
    chat_topic: Option<String>,
    topic_region: String,
    account: String,
    settings: Settings,
    lease: Span,
}

impl StatedVariables {
    fn read(reader: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Self {
        let table = reader.read_required("LEDGER_TABLE", "the name of the ledger's DynamoDB table");
        let topic = reader.read_required("PAGE_TOPIC_ARN", "the ARN of the SNS topic that pages go to");
        let topic_arn = reader.parse_topic("PAGE_TOPIC_ARN", &topic);
        let (topic_region, account) = match &topic_arn {
            Some(arn) => (arn.region.to_owned(), arn.account.to_owned()),
            None => (String::new(), String::new()),
        };
        let chat_topic = reader.read_optional("CHAT_TOPIC_ARN");
        if let Some(chat_topic) = &chat_topic {
            let chat_arn = reader.parse_topic("CHAT_TOPIC_ARN", chat_topic);
            if *chat_topic == topic {
                let problem = "is the same topic as PAGE_TOPIC_ARN: use a separate topic for the chats";
                reader.add_problem("CHAT_TOPIC_ARN", problem);
            }
            if let (Some(topic_arn), Some(chat_arn)) = (topic_arn, chat_arn)
                && topic_arn.region != chat_arn.region
            {
                let problem = "is in another Region than PAGE_TOPIC_ARN: use a topic of the same Region";
                reader.add_problem("CHAT_TOPIC_ARN", problem);
            }
        }
        let settings = read_settings(reader);
        let lease = reader.read_seconds("LEASE_SECONDS", Span::from_secs(60), 1..=900);
        Self { table, topic, chat_topic, topic_region, account, settings, lease }
    }
}

/// All problems with the environment. It names variables, and never repeats their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One sentence for each problem.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function cannot start because of its environment variables:")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("LEDGER_TABLE", "ledger"),
        ("PAGE_TOPIC_ARN", "arn:aws:sns:us-west-2:111122223333:pages"),
        ("AWS_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
    ];

    fn parse(more: &[(&str, &str)]) -> Result<FunctionConfig, ConfigError> {
        let find = |name: &str| more.iter().chain(&GOOD).find(|(key, _)| *key == name);
        FunctionConfig::parse(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_is_optional_has_a_default() {
        let config = parse(&[]).unwrap();
        assert_eq!(
            config.settings,
            Settings { home_region: Some("us-west-2".to_owned()), ..Settings::default() }
        );
        assert_eq!((config.account.as_str(), config.topic_region.as_str()), ("111122223333", "us-west-2"));
        assert_eq!(config.lease, Span::from_secs(60));
    }

    #[test]
    fn a_base_url_ends_with_a_slash_and_endpoints_fall_back_to_the_general_one() {
        let more = [
            ("RUNBOOK_BASE_URL", "https://runbooks.example/main"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:2"),
        ];
        let config = parse(&more).unwrap();
        assert_eq!(config.settings.runbook_base_url, "https://runbooks.example/main/");
        assert_eq!(config.endpoints.sns.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(config.endpoints.secrets_manager.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(config.endpoints.ecs.as_deref(), Some("http://127.0.0.1:2"));
    }

    #[test]
    fn all_problems_are_reported_together_by_name_and_without_values() {
        let error = parse(&[
            ("LEDGER_TABLE", " "),
            ("PAGE_TOPIC_ARN", "pages-of-mine"),
            ("SETTLE_SECONDS", "1"),
            ("MARGIN_SECONDS", "soon"),
            ("RUNBOOK_BASE_URL", "javascript:1"),
            ("AWS_SECRET_ACCESS_KEY", ""),
        ])
        .unwrap_err();
        let text = error.to_string();
        for name in
            ["LEDGER_TABLE", "PAGE_TOPIC_ARN", "MARGIN_SECONDS", "RUNBOOK_BASE_URL", "AWS_SECRET_ACCESS_KEY"]
        {
            assert!(text.contains(name), "{text}");
        }
        assert!(
            !text.contains("pages-of-mine") && !text.contains("soon") && !text.contains("javascript"),
            "{text}"
        );
    }

    #[test]
    fn the_topic_of_the_chats_is_another_one_of_the_same_region() {
        let chat = "arn:aws:sns:us-west-2:111122223333:chat";
        assert_eq!(parse(&[("CHAT_TOPIC_ARN", chat)]).unwrap().chat_topic.as_deref(), Some(chat));
        for wrong in [
            "chat",
            GOOD[1].1,
            "arn:aws:sns:eu-west-1:111122223333:chat",
            "arn:aws:sns:us-west-2:111122223333:x.fifo",
        ] {
            let error = parse(&[("CHAT_TOPIC_ARN", wrong)]).unwrap_err();
            assert_eq!(error.problems.len(), 1, "{error}");
        }
    }

    #[test]
    fn the_problems_of_what_is_stated_are_those_that_keep_a_function_from_starting() {
        let stated = |more: &[(&str, &str)]| {
            let find = |name: &str| more.iter().chain(&GOOD[..2]).find(|(key, _)| *key == name);
            FunctionConfig::problems(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(stated(&[]), Vec::<String>::new());
        for wrong in [
            [("SETTLE_SECONDS", "0"), ("MARGIN_SECONDS", "5")],
            [("LEDGER_TABLE", ""), ("MODE", "forced")],
            [("LEASE_SECONDS", "0"), ("PAGE_TOPIC_ARN", "pages")],
        ] {
            let problems = parse(&wrong).unwrap_err().problems;
            assert!(!problems.is_empty());
            assert_eq!(stated(&wrong), problems);
        }
    }

    #[test]
    fn debug_output_does_not_show_the_key() {
        assert!(!format!("{:?}", parse(&[]).unwrap()).contains("hush"));
    }
}
