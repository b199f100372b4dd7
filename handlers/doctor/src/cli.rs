//! The command line: what can be asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Look at a deployed secrets-responder: is it wired as it should be, does a page arrive; and fetch what the replay needs.
#[derive(Debug, Parser)]
#[command(name = "doctor", version, term_width = 100, after_help = EXIT_STATUS_HELP)]
pub(crate) struct DoctorCli {
    /// A profile of the AWS configuration; without it the environment's credentials.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The Region of the responder; without it the profile's or the environment's.
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    #[command(subcommand)]
    pub(crate) command: DoctorCommand,
}

const EXIT_STATUS_HELP: &str = "\
Exit status:
  0  done; `check`: nothing failed
  1  `check`: something failed; `drill`: no page arrived
  2  an argument cannot be used, or AWS cannot be asked at all
  3  done as far as possible: some of it could not be looked up";

#[derive(Debug, Subcommand)]
pub(crate) enum DoctorCommand {
    /// Check the wiring of every Region: trails, rules, queues, functions, ledger, topics, alarms. Only reads.
    #[command(after_long_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Send a marked event through the real path and wait for its page.
    #[command(after_long_help = DRILL_HELP)]
    Drill(DrillArgs),
    /// Fetch `CloudTrail`'s events of the last 90 days into a file for the replay.
    #[command(after_long_help = EVENTS_HELP)]
    Events(EventsArgs),
    /// Fetch the ECS services, with what they refer to, as facts for the replay.
    #[command(after_long_help = SERVICES_HELP)]
    Services(ServicesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PrefixOption {
    /// What the names of the stack's resources begin with.
    #[arg(long, value_name = "NAME", default_value = crate::expected::DEFAULT_PREFIX)]
    pub(crate) prefix: String,
}

#[derive(Debug, Args)]
pub(crate) struct RegionsOption {
    /// The Regions, separated by commas; without it every Region that the account has enabled.
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) prefix: PrefixOption,
    #[command(flatten)]
    pub(crate) regions: RegionsOption,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// Show what is well, too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Do not ask AWS's own matcher about the fixtures (one call each).
    #[arg(long)]
    pub(crate) no_matcher: bool,
    /// Write what was seen to a file, to check it again elsewhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Check what was saved, without asking AWS.
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    #[command(flatten)]
    pub(crate) prefix: PrefixOption,
    /// How long to wait for the page, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) wait: u64,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) regions: RegionsOption,
    /// From when on: an instant (2026-03-04T22:10:00Z), or how long ago (90d, 12h, 30m).
    #[arg(long, value_name = "WHEN", default_value = "90d")]
    pub(crate) since: String,
    /// Until when: an instant, or how long ago.
    #[arg(long, value_name = "WHEN", default_value = "0s")]
    pub(crate) until: String,
    /// Whose events, separated by commas; `ecs.amazonaws.com` beside the default is what `replay proof` wants.
    #[arg(
        long,
        value_name = "SOURCES",
        value_delimiter = ',',
        default_value = "secretsmanager.amazonaws.com"
    )]
    pub(crate) sources: Vec<String>,
    /// The file, one record a line; what was interrupted goes on there. Without it standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServicesArgs {
    #[command(flatten)]
    pub(crate) regions: RegionsOption,
    /// The file; without it standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// JSON lines, each with a `kind`.
    Json,
}

const CHECK_HELP: &str = "\
Examples:
  What is not well, in every enabled Region:
    doctor check
  Two Regions of another installation:
    doctor check --region eu-west-1 --regions eu-west-1,us-east-1 --prefix staging-responder
  What fails, for a script:
    doctor check --format json | jq 'select(.level == \"FAIL\")'
  Look now, judge elsewhere:
    doctor check --save seen.json; doctor check --from seen.json

Needs read access only: SecurityAudit is enough. Exit status: 0 nothing failed; 1 something failed.";

const DRILL_HELP: &str = "\
Example:
  doctor drill

Whoever is subscribed to the page topic gets the drill's page. A temporary queue is subscribed beside them, and removed.
Exit status: 0 the page arrived; 1 it did not.";

const EVENTS_HELP: &str = "\
Examples:
  Who read what in the last 90 days, and what would have been paged:
    doctor events --out events.jsonl
    replay run events.jsonl
  One Region, the last day, straight into the replay:
    doctor events --regions us-east-1 --since 1d | replay run -

CloudTrail allows two of these calls a second in each Region: 100,000 events take about 20 minutes. Interrupted? The
same command goes on where it was. `Secret Label Updated` is not among these events: it never goes through CloudTrail.";

const SERVICES_HELP: &str = "\
Example:
  doctor services --out services.json
  replay run --facts services.json events.jsonl";
