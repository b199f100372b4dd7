//! The function: starts, and answers one invocation after the other.

use std::process::ExitCode;
use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use responder_core::arn::Arn;
use responder_core::facts::Facts;
use responder_core::plan::Plan;
use responder_core::rules::{Handler, Rules, builtin};
use responder_core::text::json_line;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::batch::{self, Ended};
use crate::clients::Clients;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::ecs::Cache;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::log;
use crate::payload::{Payload, read};

/// Runs a handler as a Lambda function, for as long as Lambda wants.
///
/// Takes a batch of SQS messages whose bodies are EventBridge events, and answers with the messages to keep
/// (`ReportBatchItemFailures`); or one bare event, and answers with the facts and the plan, from which the decision can
/// be made again offline. Ends early with what is wrong on standard error when the environment is not as it must be.
pub async fn run(handler: Handler) -> ExitCode {
    match serve(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Some(error)) => {
            log::failure(&error);
            ExitCode::FAILURE
        }
        // The runtime has said why.
        Err(None) => ExitCode::FAILURE,
    }
}

async fn serve(handler: Handler) -> Result<(), Option<Error>> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(Some(Error::NotLambda));
    }
    let config = Config::from_env().map_err(|error| Some(error.into()))?;
    let app = &App::new(handler, config).map_err(Some)?;
    let answer = |event: LambdaEvent<Box<RawValue>>| async move {
        app.respond(event.payload.get(), event.context).await
    };
    lambda_runtime::run(service_fn(answer)).await.map_err(|_| None)
}

/// What a process keeps between invocations.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) handler: Handler,
    pub(crate) rules: Rules,
    pub(crate) config: Config,
    pub(crate) clients: Clients,
    pub(crate) cache: Cache,
}

/// What belongs to one invocation.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) deadline: Deadline,
    /// Whether the answer tells the facts.
    pub(crate) keeps_facts: bool,
    request: String,
    function: String,
}

/// What Lambda is told.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// The messages that the queue must keep.
    Batch(SqsBatchResponse),
    /// What was known, and what was decided.
    Event { facts: Box<Facts>, plan: Option<Box<Plan>> },
}

impl App {
    pub(crate) fn new(handler: Handler, config: Config) -> Result<Self, Error> {
        let clients = Clients::new(&config);
        Ok(Self { handler, rules: builtin()?, config, clients, cache: Cache::default() })
    }

    /// The answer as JSON that is harmless to print, byte for byte as the replay prints it.
    async fn respond(&self, payload: &str, context: Context) -> Result<Box<RawValue>, Error> {
        let answer = self.answer(payload, context).await?;
        json_line(&answer).and_then(RawValue::from_string).map_err(|_| Error::Unwritable)
    }

    async fn answer(&self, payload: &str, context: Context) -> Result<Answer, Error> {
        let mut turn = Turn {
            deadline: Deadline::of(context.deadline, self.config.lease),
            keeps_facts: false,
            request: context.request_id,
            function: context.invoked_function_arn,
        };
        match read(payload) {
            Payload::Batch(messages) => {
                let texts: Vec<&str> =
                    messages.iter().map(|message| message.body.as_deref().unwrap_or_default()).collect();
                let (ended, counters) = batch::run(self, &turn, &texts).await;
                log::metrics(self.handler, &counters);
                let mut response = SqsBatchResponse::default();
                for (message, _) in messages.iter().zip(&ended).filter(|(_, ended)| ended.is_kept()) {
                    response.add_failure(message.message_id.clone().unwrap_or_default());
                }
                Ok(Answer::Batch(response))
            }
            Payload::Event(text) => {
                turn.keeps_facts = true;
                let (ended, counters) = batch::run(self, &turn, &[text]).await;
                log::metrics(self.handler, &counters);
                ended.into_iter().next().map_or(Err(Error::Unreadable), |ended| self.tell(ended))
            }
        }
    }

    /// A plan that asks for another look is told too: who sent a bare event sees that in it.
    fn tell(&self, ended: Ended) -> Result<Answer, Error> {
        let Ended { errors, mut facts, plan, .. } = ended;
        if let Some(error) = errors.into_iter().find(|error| !matches!(error, Error::Again)) {
            return Err(error);
        }
        facts.settings.clone_from(&self.config.settings);
        Ok(Answer::Event { facts: Box::new(facts), plan: plan.map(Box::new) })
    }
}

impl Turn {
    /// The ledger, asked in the name of this invocation.
    pub(crate) fn ledger(&self, app: &App, deadline: Deadline) -> Ledger {
        Ledger {
            client: app.clients.dynamodb.clone(),
            table: app.config.table.clone(),
            owner: self.request.clone(),
            lease: app.config.lease,
            deadline,
            down: Arc::default(),
        }
    }

    /// The account of the function, or of the topic that it pages.
    pub(crate) fn account<'t>(&'t self, app: &'t App) -> &'t str {
        Arn::of("lambda", &self.function).map_or(app.config.account.as_str(), |arn| arn.account)
    }
}
