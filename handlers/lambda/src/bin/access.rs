//! The `access` function: what `rules/access` matches.

use std::process::ExitCode;

use responder_core::rules::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    responder_aws::run(Handler::Access).await
}
