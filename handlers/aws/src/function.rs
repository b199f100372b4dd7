//! The function: starts, and answers one invocation after the other.

use std::io::Write as _;
use std::process::ExitCode;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use responder_core::aws::arn::Arn;
use responder_core::facts::Facts;
use responder_core::notify::Renderer;
use responder_core::rules::{Handler, builtin};
use responder_core::text::to_json_line;
use responder_core::time::Timestamp;
use responder_engine::{Engine, EngineError, EventResult, Invocation};
use serde::Serialize;
use serde_json::value::{RawValue, Value, to_value};

use crate::aws_sdks::AwsSdks;
use crate::clients::SdkClients;
use crate::config::FunctionConfig;
use crate::error::FunctionError;
use crate::payload::{InvocationPayload, parse_payload};

/// Runs a handler as a Lambda function, for as long as Lambda wants.
///
/// It takes a batch of SQS messages whose bodies are EventBridge events, and answers with the messages to keep
/// (`ReportBatchItemFailures`); or one bare event, and answers with the facts and the plan, from which the decision can be
/// made again offline. If the environment variables are wrong it ends at once, and says why on standard error.
pub async fn run(handler: Handler) -> ExitCode {
    match serve(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(StopReason::CannotStart(error)) => {
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
        // The runtime has printed the reason.
        Err(StopReason::RuntimeFailed) => ExitCode::FAILURE,
    }
}

/// Why the function stops.
enum StopReason {
    CannotStart(FunctionError),
    RuntimeFailed,
}

async fn serve(handler: Handler) -> Result<(), StopReason> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(StopReason::CannotStart(FunctionError::NotLambda));
    }
    let app = &FunctionApp::from_env(handler).map_err(StopReason::CannotStart)?;
    let answer = |event: LambdaEvent<Box<RawValue>>| async move {
        app.respond_in_json(event.payload.get(), event.context).await
    };
    lambda_runtime::run(service_fn(answer)).await.map_err(|_| StopReason::RuntimeFailed)
}

/// The function between invocations.
#[derive(Debug)]
struct FunctionApp {
    engine: Engine<AwsSdks>,
    /// The account of the topic.
    topic_account: String,
}

/// The answer to Lambda.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum FunctionAnswer {
    /// The messages that the queue must keep.
    Batch(SqsBatchResponse),
    /// The facts and the plan of a bare event.
    Event { facts: Box<Facts>, plan: Option<Value> },
}

impl FunctionApp {
    fn from_env(handler: Handler) -> Result<Self, FunctionError> {
        let config = FunctionConfig::from_env()?;
        let aws = AwsSdks {
            clients: SdkClients::new(&config),
            table: config.table,
            topic: config.topic,
            chat_topic: config.chat_topic,
        };
        let engine = Engine::new(aws, handler, builtin()?, config.settings, config.lease);
        Ok(Self { engine, topic_account: config.account })
    }

    /// Answers an invocation with JSON that is harmless to print, byte for byte as the replay prints it.
    async fn respond_in_json(&self, payload: &str, context: Context) -> Result<Box<RawValue>, FunctionError> {
        let answer = self.answer_invocation(payload, context).await?;
        to_json_line(&answer).and_then(RawValue::from_string).map_err(|_| FunctionError::AnswerUnwritable)
    }

    async fn answer_invocation(
        &self,
        payload: &str,
        context: Context,
    ) -> Result<FunctionAnswer, FunctionError> {
        let payload = parse_payload(payload);
        let invocation = Invocation {
            until: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
            account: self.own_account(&context.invoked_function_arn),
            function_arn: context.invoked_function_arn.clone(),
            owner: context.request_id,
            keeps_facts: matches!(payload, InvocationPayload::Event(_)),
        };
        match payload {
            InvocationPayload::Batch(messages) => Ok(self.answer_batch(&invocation, &messages).await),
            InvocationPayload::Event(text) => self.answer_event(&invocation, text).await,
        }
    }

    async fn answer_batch(&self, invocation: &Invocation, messages: &[SqsMessage]) -> FunctionAnswer {
        let texts: Vec<&str> =
            messages.iter().map(|message| message.body.as_deref().unwrap_or_default()).collect();
        let (results, _) = self.engine.process_batch(invocation, &texts).await;
        let mut response = SqsBatchResponse::default();
        for (message, result) in messages.iter().zip(&results) {
            if result.is_kept() {
                response.add_failure(message.message_id.clone().unwrap_or_default());
            }
        }
        FunctionAnswer::Batch(response)
    }

    /// Answers with the facts and the plan; with an error, if there is one. A plan that asks to decide again later is an
    /// answer, and says so itself.
    async fn answer_event(
        &self,
        invocation: &Invocation,
        text: &str,
    ) -> Result<FunctionAnswer, FunctionError> {
        let (results, _) = self.engine.process_batch(invocation, &[text]).await;
        let Some(result) = results.into_iter().next() else {
            return Err(EngineError::EventUnreadable.into());
        };
        let EventResult { errors, mut facts, plan, .. } = result;
        for error in errors {
            if error != EngineError::RetryPlanned {
                return Err(error.into());
            }
        }
        facts.settings.clone_from(&self.engine.settings);
        let renderer = Renderer::new(&self.engine.rules, &self.engine.settings);
        let plan = match plan {
            Some(plan) => {
                let value = to_value(renderer.render_plan(&plan));
                Some(value.map_err(|_| FunctionError::AnswerUnwritable)?)
            }
            None => None,
        };
        Ok(FunctionAnswer::Event { facts: Box::new(facts), plan })
    }

    /// The account of the function; if its ARN does not say, that of its topic.
    fn own_account(&self, function_arn: &str) -> String {
        match Arn::parse_for_service("lambda", function_arn) {
            Some(arn) => arn.account.to_owned(),
            None => self.topic_account.clone(),
        }
    }
}
