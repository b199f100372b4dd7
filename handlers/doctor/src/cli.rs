//! The command line: commands, options and help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Check a deployed secrets-responder, send a test page through it, and fetch what the replay needs.
#[derive(Debug, Parser)]
#[command(name = "doctor", version, term_width = 100, after_help = EXIT_STATUS_HELP)]
pub(crate) struct DoctorCli {
    /// The profile of the AWS configuration to use; by default the credentials of the environment.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The home Region, where the responder is deployed; by default the Region of the profile or of the environment.
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    #[command(subcommand)]
    pub(crate) command: DoctorCommand,
}

const EXIT_STATUS_HELP: &str = "\
Examples:
  doctor check                                Is everything deployed as it should be?
  doctor drill                                Does a page arrive?
  doctor events --out events.jsonl            Fetch the last 90 days of events.
  doctor services --out services.json         Fetch the ECS services.
  replay run --facts services.json events.jsonl

Exit status:
  0  The command is done; `check` found no failure.
  1  `check` found a failure, or the page of `drill` did not arrive.
  2  An argument cannot be used, or AWS cannot be called at all.
  3  The command is done in part: something could not be looked up. Messages say what.";

#[derive(Debug, Subcommand)]
pub(crate) enum DoctorCommand {
    /// Check trails, rules, queues, functions, ledger, topics and alarms of every Region. This only reads.
    #[command(after_long_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Send a test event through the installation, and wait for its page.
    #[command(after_long_help = DRILL_HELP)]
    Drill(DrillArgs),
    /// Fetch up to 90 days of events from `CloudTrail` into a file for the replay.
    #[command(after_long_help = EVENTS_HELP)]
    Events(EventsArgs),
    /// Fetch the ECS services, with the secrets that they refer to, as facts for the replay.
    #[command(after_long_help = SERVICES_HELP)]
    Services(ServicesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PrefixOption {
    /// The prefix of the installation's names: the parameter `Prefix` of its stack.
    #[arg(long, value_name = "NAME", default_value = crate::expected::DEFAULT_PREFIX)]
    pub(crate) prefix: String,
}

#[derive(Debug, Args)]
pub(crate) struct RegionsOption {
    /// The Regions, separated by commas; by default every Region that is enabled in the account.
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) prefix: PrefixOption,
    #[command(flatten)]
    pub(crate) regions: RegionsOption,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t = DoctorFormat::Text)]
    pub(crate) format: DoctorFormat,
    /// Also list the checks that passed.
    #[arg(long)]
    pub(crate) all: bool,
    /// Do not compare AWS's own pattern matcher with ours on the fixtures: one call for each fixture.
    #[arg(long)]
    pub(crate) no_matcher: bool,
    /// Write what was observed to a file, so that it can be checked again elsewhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Check a file that `--save` wrote, without calling AWS.
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    #[command(flatten)]
    pub(crate) prefix: PrefixOption,
    /// How many seconds to wait for the page.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) wait: u64,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t = DoctorFormat::Text)]
    pub(crate) format: DoctorFormat,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) regions: RegionsOption,
    /// The beginning: an instant (2026-03-04T22:10:00Z), or a length of time before now (90d, 12h, 30m).
    #[arg(long, value_name = "WHEN", default_value = "90d")]
    pub(crate) since: String,
    /// The end: an instant, or a length of time before now.
    #[arg(long, value_name = "WHEN", default_value = "0s")]
    pub(crate) until: String,
    /// The event sources, separated by commas. `replay proof` also needs `ecs.amazonaws.com`.
    #[arg(
        long,
        value_name = "SOURCES",
        value_delimiter = ',',
        default_value = "secretsmanager.amazonaws.com"
    )]
    pub(crate) sources: Vec<String>,
    /// The file to write, one record a line; by default standard output. Only a file can be continued after an interruption.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServicesArgs {
    #[command(flatten)]
    pub(crate) regions: RegionsOption,
    /// The file to write; by default standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// Text, for people.
    Text,
    /// JSON, for scripts.
    Json,
}

const CHECK_HELP: &str = "\
Examples:
  List what is wrong, in every enabled Region:
    doctor check
  Check two Regions of another installation:
    doctor check --region eu-west-1 --regions eu-west-1,us-east-1 --prefix staging-responder
  List the failures, for a script:
    doctor check --format json | jq 'select(.level == \"FAIL\")'
  Observe here, check elsewhere:
    doctor check --save seen.json
    doctor check --from seen.json

The deployed resources are compared with the templates of this release. For each difference the output \
says what it means and how to fix it, and how bad it is:
  FAIL  A part does not work, or will fail when it is needed.
  WARN  A part works only partly, or could not be observed.

JSON output has one object a line. Those of the kind `finding` have the keys level (OK, WARN, FAIL), \
check, region, resource, what, means and fix; the last line is of the kind `summary` and counts the \
levels: ok, warn, fail.

The managed policy SecurityAudit is enough. A call that is refused is a finding, and the rest is checked.

Exit status:
  0  No check failed.
  1  A check failed.
  2  An argument cannot be used, or AWS cannot be called at all.";

const DRILL_HELP: &str = "\
Examples:
  doctor drill
  doctor drill --region eu-west-1 --prefix staging-responder --wait 60

Everybody who is subscribed to the page topic gets the page of the drill. The drill subscribes a temporary \
queue as well, and removes it again. The output says when the event passed each step.

Exit status:
  0  The page arrived.
  1  The page did not arrive in time: `doctor check` says what is wrong.
  2  The drill could not be made.";

const EVENTS_HELP: &str = "\
Examples:
  Which secrets were read in the last 90 days, and which reads would have been paged?
    doctor events --out events.jsonl
    replay run events.jsonl
  One Region, the last day, directly into the replay:
    doctor events --regions us-east-1 --since 1d | replay run -
  Everything that `replay proof` needs:
    doctor events --sources secretsmanager.amazonaws.com,ecs.amazonaws.com --out events.jsonl

CloudTrail allows two calls a second in each Region: 100,000 events take about 20 minutes. If the lookup \
is interrupted, run the same command again: it goes on where it was, and every event is in the file once.

CloudTrail does not have the event `Secret Label Updated`, which Secrets Manager sends to EventBridge \
directly.

Exit status:
  0  All events are written.
  2  An argument cannot be used, or AWS cannot be called at all.
  3  Some events could not be looked up. Run the same command again to complete the file.";

const SERVICES_HELP: &str = "\
Example:
  doctor services --out services.json
  replay run --facts services.json events.jsonl

With these facts the replay knows which services use a secret, and decides which of them to redeploy.

Exit status:
  0  All services are written.
  2  An argument cannot be used, or AWS cannot be called at all.
  3  Something could not be read. It is named among the discovery failures of the facts.";
