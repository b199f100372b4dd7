//! The `failure` function: what `rules/failure` matches.

use std::process::ExitCode;

use responder_core::rules::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    responder_aws::run(Handler::Failure).await
}
