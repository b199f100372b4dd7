//! The `sweep` function: finds what events missed, once a minute.

use std::process::ExitCode;

use responder_core::rules::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    responder_aws::run(Handler::Sweep).await
}
