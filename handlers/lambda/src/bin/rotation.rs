//! The `rotation` function: what `rules/rotation` matches.

use std::process::ExitCode;

use responder_core::rules::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    responder_aws::run(Handler::Rotation).await
}
