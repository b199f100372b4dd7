//! Configuration: what an operator sets, parsed once from the environment.

mod reader;
mod settings;

use std::fmt;

use aws_sdk_dynamodb::config::Credentials;
use responder_core::facts::Settings;
use responder_core::time::Span;

use reader::VariableReader;

/// Everything that the environment says.
#[derive(Clone, Debug)]
pub struct FunctionConfig {
    /// `LEDGER_TABLE`: the table's name or ARN.
    pub table: String,
    /// `PAGE_TOPIC_ARN`: where pages go.
    pub topic: String,
    /// `CHAT_TOPIC_ARN`: where notifications for chats go, if anywhere; in the Region of the other topic.
    pub chat_topic: Option<String>,
    /// The topic's Region: SNS publishes within one Region only.
    pub topic_region: String,
    /// The account of the topic, and so of the function.
    pub account: String,
    /// `MODE`, `SETTLE_SECONDS`, `MARGIN_SECONDS`, `COOLDOWN_SECONDS`, `IN_FLIGHT`, `ROLLOUT_SECONDS`, `ANSWER_SECONDS`,
    /// `OVERDUE_SECONDS`, `FINDINGS`, `READERS`, `REGIONS`, `RUNBOOK_BASE_URL`, `PRODUCTION_ACCOUNTS`, `PRODUCTION_SECRETS`,
    /// `DECOYS`, `HUMAN_ROLES`, `AUTOMATION_PRINCIPALS`, `BUSINESS_HOURS`.
    pub settings: Settings,
    /// `LEASE_SECONDS`: how long a claim is held; no invocation works for longer.
    pub lease: Span,
    /// `AWS_REGION`: set by Lambda.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID` and its companions: set by Lambda, the same for the life of the process.
    pub credentials: Credentials,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, `..._ECS`, `..._SECRETS_MANAGER` and `..._SNS`, or `AWS_ENDPOINT_URL` for each: for tests.
    pub endpoints: ServiceEndpoints,
}

/// Where the services are, if not where they always are.
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

    /// Reads variables from anywhere.
    ///
    /// # Errors
    /// As [`FunctionConfig::from_env`].
    pub fn parse(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut read = VariableReader { variable, problems: Vec::new() };
        let StatedVariables { table, topic, chat_topic, topic_region, account, settings, lease } =
            StatedVariables::read(&mut read);
        let region = read.required("AWS_REGION", "the Region; Lambda sets it");
        let key = read.required("AWS_ACCESS_KEY_ID", "an access key id; Lambda sets it");
        let secret = read.required("AWS_SECRET_ACCESS_KEY", "a secret access key; Lambda sets it");
        let token = read.optional("AWS_SESSION_TOKEN");
        let endpoints = ServiceEndpoints {
            dynamodb: read.endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            ecs: read.endpoint("AWS_ENDPOINT_URL_ECS"),
            secrets_manager: read.endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            sns: read.endpoint("AWS_ENDPOINT_URL_SNS"),
        };
        let credentials = Credentials::new(key, secret, token, None, "environment");
        let config = Self {
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
        };
        if read.problems.is_empty() { Ok(config) } else { Err(ConfigError { problems: read.problems }) }
    }

    /// What keeps a function with these variables from starting, one sentence a problem that begins with the variable's name;
    /// what Lambda sets by itself is not looked at.
    pub fn problems(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut read = VariableReader { variable, problems: Vec::new() };
        StatedVariables::read(&mut read);
        read.problems
    }
}

/// What a function's configuration states; the rest of [`FunctionConfig`] is set by Lambda, or by tests.
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
    fn read(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Self {
        let table = read.required("LEDGER_TABLE", "the name of the ledger's DynamoDB table");
        let topic = read.required("PAGE_TOPIC_ARN", "the ARN of the SNS topic that pages go to");
        let arn = read.topic("PAGE_TOPIC_ARN", &topic);
        let chat_topic = read.optional("CHAT_TOPIC_ARN");
        if let Some(chat) = &chat_topic {
            let beside = read.topic("CHAT_TOPIC_ARN", chat);
            if *chat == topic {
                read.problem("CHAT_TOPIC_ARN", "is the topic of the pages; chats need one of their own");
            }
            if arn.zip(beside).is_some_and(|(arn, beside)| arn.region != beside.region) {
                read.problem(
                    "CHAT_TOPIC_ARN",
                    "is in another Region than PAGE_TOPIC_ARN; SNS publishes within one",
                );
            }
        }
        let settings = settings::read(read);
        let lease = read.seconds("LEASE_SECONDS", Span::from_secs(60), 1..=900);
        let (topic_region, account) = arn.map_or(("", ""), |arn| (arn.region, arn.account));
        Self {
            topic_region: topic_region.to_owned(),
            account: account.to_owned(),
            table,
            settings,
            lease,
            chat_topic,
            topic,
        }
    }
}

/// All that is wrong with the environment. Names variables and never repeats their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One sentence a problem.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function's environment variables need attention:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
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
