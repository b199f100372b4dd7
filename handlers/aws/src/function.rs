//! The function: starts, and answers one invocation after the other.

use std::io::Write as _;
use std::process::ExitCode;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use responder_core::aws::arn::Arn;
use responder_core::facts::Facts;
use responder_core::plan::Plan;
use responder_core::rules::{Handler, builtin};
use responder_core::text::json_line;
use responder_core::time::Timestamp;
use responder_engine::{Ended, Engine, Turn};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::aws::Sdks;
use crate::clients::Clients;
use crate::config::Config;
use crate::error::Error;
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
            // For people.
            drop(writeln!(std::io::stderr(), "{error}"));
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
struct App {
    engine: Engine<Sdks>,
    /// The account of the topic.
    account: String,
}

/// What Lambda is told.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    /// The messages that the queue must keep.
    Batch(SqsBatchResponse),
    /// What was known, and what was decided.
    Event { facts: Box<Facts>, plan: Option<Box<Plan>> },
}

impl App {
    fn new(handler: Handler, config: Config) -> Result<Self, Error> {
        let aws = Sdks {
            clients: Clients::new(&config),
            table: config.table,
            topic: config.topic,
            chat_topic: config.chat_topic,
        };
        let engine = Engine::new(aws, handler, builtin()?, config.settings, config.lease);
        Ok(Self { engine, account: config.account })
    }

    /// The answer as JSON that is harmless to print, byte for byte as the replay prints it.
    async fn respond(&self, payload: &str, context: Context) -> Result<Box<RawValue>, Error> {
        let answer = self.answer(payload, context).await?;
        json_line(&answer).and_then(RawValue::from_string).map_err(|_| Error::Unwritable)
    }

    async fn answer(&self, payload: &str, context: Context) -> Result<Answer, Error> {
        let payload = read(payload);
        let turn = Turn {
            until: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
            account: self.account(&context.invoked_function_arn),
            owner: context.request_id,
            keeps_facts: matches!(payload, Payload::Event(_)),
        };
        match payload {
            Payload::Batch(messages) => {
                let texts: Vec<&str> =
                    messages.iter().map(|message| message.body.as_deref().unwrap_or_default()).collect();
                let (ended, _) = self.engine.run(&turn, &texts).await;
                let mut response = SqsBatchResponse::default();
                for (message, _) in messages.iter().zip(&ended).filter(|(_, ended)| ended.is_kept()) {
                    response.add_failure(message.message_id.clone().unwrap_or_default());
                }
                Ok(Answer::Batch(response))
            }
            Payload::Event(text) => {
                let (ended, _) = self.engine.run(&turn, &[text]).await;
                let ended = ended.into_iter().next();
                ended.map_or(Err(responder_engine::Error::Unreadable.into()), |ended| self.tell(ended))
            }
        }
    }

    /// A plan that asks for another look is told too: who sent a bare event sees that in it.
    fn tell(&self, ended: Ended) -> Result<Answer, Error> {
        let Ended { errors, mut facts, plan, .. } = ended;
        if let Some(error) = errors.into_iter().find(|error| *error != responder_engine::Error::Again) {
            return Err(error.into());
        }
        facts.settings.clone_from(&self.engine.settings);
        Ok(Answer::Event { facts: Box::new(facts), plan: plan.map(Box::new) })
    }

    /// The account of the function, or of the topic that it pages.
    fn account(&self, function: &str) -> String {
        Arn::of("lambda", function).map_or(self.account.as_str(), |arn| arn.account).to_owned()
    }
}
