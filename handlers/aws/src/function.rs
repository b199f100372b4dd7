//! The function: starts, and answers one invocation after the other.

use std::io::Write as _;
use std::process::ExitCode;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use responder_core::aws::arn::Arn;
use responder_core::facts::Facts;
use responder_core::notify::Renderer;
use responder_core::rules::{Handler, builtin};
use responder_core::text::to_json_line;
use responder_core::time::Timestamp;
use responder_engine::{Engine, EventResult, Invocation};
use serde::Serialize;
use serde_json::value::{RawValue, Value, to_value};

use crate::aws::AwsSdks;
use crate::clients::SdkClients;
use crate::config::FunctionConfig;
use crate::error::FunctionError;
use crate::payload::{InvocationPayload, read};

/// Runs a handler as a Lambda function, for as long as Lambda wants.
///
/// Takes a batch of SQS messages whose bodies are EventBridge events, and answers with the messages to keep
/// (`ReportBatchItemFailures`); or one bare event, and answers with the facts and the plan, from which the decision can
/// be made again offline. Ends early with what is wrong on standard error when the environment is not as it must be.
pub async fn run(handler: Handler) -> ExitCode {
    match serve(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Some(error)) => {
            // For people.
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
        // The runtime has said why.
        Err(None) => ExitCode::FAILURE,
    }
}

async fn serve(handler: Handler) -> Result<(), Option<FunctionError>> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(Some(FunctionError::NotLambda));
    }
    let config = FunctionConfig::from_env().map_err(|error| Some(error.into()))?;
    let app = &FunctionApp::new(handler, config).map_err(Some)?;
    let answer = |event: LambdaEvent<Box<RawValue>>| async move {
        app.respond(event.payload.get(), event.context).await
    };
    lambda_runtime::run(service_fn(answer)).await.map_err(|_| None)
}

/// What a process keeps between invocations.
#[derive(Debug)]
struct FunctionApp {
    engine: Engine<AwsSdks>,
    /// The account of the topic.
    account: String,
}

/// What Lambda is told.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum FunctionAnswer {
    /// The messages that the queue must keep.
    Batch(SqsBatchResponse),
    /// What was known, and what was decided.
    Event { facts: Box<Facts>, plan: Option<Value> },
}

impl FunctionApp {
    fn new(handler: Handler, config: FunctionConfig) -> Result<Self, FunctionError> {
        let aws = AwsSdks {
            clients: SdkClients::new(&config),
            table: config.table,
            topic: config.topic,
            chat_topic: config.chat_topic,
        };
        let engine = Engine::new(aws, handler, builtin()?, config.settings, config.lease);
        Ok(Self { engine, account: config.account })
    }

    /// The answer as JSON that is harmless to print, byte for byte as the replay prints it.
    async fn respond(&self, payload: &str, context: Context) -> Result<Box<RawValue>, FunctionError> {
        let answer = self.answer(payload, context).await?;
        to_json_line(&answer).and_then(RawValue::from_string).map_err(|_| FunctionError::Unwritable)
    }

    async fn answer(&self, payload: &str, context: Context) -> Result<FunctionAnswer, FunctionError> {
        let payload = read(payload);
        let turn = Invocation {
            until: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
            account: self.account(&context.invoked_function_arn),
            owner: context.request_id,
            keeps_facts: matches!(payload, InvocationPayload::Event(_)),
        };
        match payload {
            InvocationPayload::Batch(messages) => {
                let texts: Vec<&str> =
                    messages.iter().map(|message| message.body.as_deref().unwrap_or_default()).collect();
                let (ended, _) = self.engine.run(&turn, &texts).await;
                let mut response = SqsBatchResponse::default();
                for (message, _) in messages.iter().zip(&ended).filter(|(_, ended)| ended.is_kept()) {
                    response.add_failure(message.message_id.clone().unwrap_or_default());
                }
                Ok(FunctionAnswer::Batch(response))
            }
            InvocationPayload::Event(text) => {
                let (ended, _) = self.engine.run(&turn, &[text]).await;
                let ended = ended.into_iter().next();
                ended.map_or(Err(responder_engine::EngineError::Unreadable.into()), |ended| self.tell(ended))
            }
        }
    }

    /// A plan that asks for another look is told too: who sent a bare event sees that in it.
    fn tell(&self, ended: EventResult) -> Result<FunctionAnswer, FunctionError> {
        let EventResult { errors, mut facts, plan, .. } = ended;
        if let Some(error) = errors.into_iter().find(|error| *error != responder_engine::EngineError::Again) {
            return Err(error.into());
        }
        facts.settings.clone_from(&self.engine.settings);
        let renderer = Renderer::new(&self.engine.rules, &self.engine.settings);
        let plan = match plan {
            Some(plan) => Some(to_value(renderer.render_plan(&plan)).map_err(|_| FunctionError::Unwritable)?),
            None => None,
        };
        Ok(FunctionAnswer::Event { facts: Box::new(facts), plan })
    }

    /// The account of the function, or of the topic that it pages.
    fn account(&self, function: &str) -> String {
        Arn::parse_for_service("lambda", function).map_or(self.account.as_str(), |arn| arn.account).to_owned()
    }
}
