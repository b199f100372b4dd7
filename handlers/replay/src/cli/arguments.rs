//! The arguments of each command. The doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use responder_audit::query::SecretQuery;
use responder_core::time::Date;

use super::filter_args::{FilterArgs, SecretFilterArgs, SeverityArgs, parse_secret};
use super::help_text;

/// Decides about recorded events offline, as the functions of secrets-responder do: the same rules, the same code, the
/// same bytes. It reads files and prints; it sends nothing anywhere.
#[derive(Debug, Parser)]
#[command(name = "replay", version, term_width = 100, after_help = help_text::EXIT_STATUS)]
pub(crate) struct ReplayCli {
    #[command(subcommand)]
    pub(crate) command: ReplayCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReplayCommand {
    /// Decide about events, and report incidents, rotations and a summary.
    #[command(after_long_help = help_text::RUN)]
    Run(RunArgs),
    /// Prove that services run the new value of a changed secret, or show where the proof ends.
    ///
    /// There is one chain for each change of a secret and each service that uses it: the secret changed, something was
    /// decided, a deployment that is newer than the change began, it completed, and one of its tasks read the secret.
    #[command(after_long_help = help_text::PROOF)]
    Proof(ProofArgs),
    /// List who read a secret, from where and when.
    #[command(after_long_help = help_text::READS)]
    Reads(ReadsArgs),
    /// Explain why each rule matches an event, and why each response fires or does not.
    #[command(after_long_help = help_text::EXPLAIN)]
    Explain(ExplainArgs),
    /// Match one pattern against one event, or a file of such pairs.
    #[command(after_long_help = help_text::MATCH)]
    Match(MatchArgs),
    /// Show the page of a response, as an e-mail has it: of an edited rule, before it is deployed.
    #[command(after_long_help = help_text::PAGE)]
    Page(PageArgs),
    /// List the responses with their exceptions, and fail if an exception has expired.
    #[command(after_long_help = help_text::RULES)]
    Rules(RuleListArgs),
    /// Decide about every fixture, and compare with the expected decisions.
    #[command(after_long_help = help_text::VERIFY)]
    Verify(VerifyArgs),
    /// Learn from past events who reads which secret, so that a first read stands out.
    #[command(after_long_help = help_text::BASELINE)]
    Baseline(BaselineArgs),
    /// Guess facts from events, as an example to edit: Regions, production, people and automation.
    #[command(after_long_help = help_text::FACTS)]
    Facts(FactsArgs),
    /// Print a completion script for a shell.
    #[command(after_long_help = help_text::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Files or folders of events, plain or in gzip, zstd, bzip2, zip or tar; `-` is standard input.
    ///
    /// These forms are understood, alone or mixed: EventBridge events, one or many; CloudTrail files
    /// (`{"Records":[...]}`); the output of `aws cloudtrail lookup-events`, and its events as strings; bare CloudTrail
    /// records; messages of SQS and SNS; CloudWatch Logs (exports, tails, answers, subscriptions, Logs Insights); rows of
    /// Athena, Glue and CloudTrail Lake as JSON or CSV; results of Splunk and Elasticsearch with the original event;
    /// dotted names; UTF-16. A form that cannot be decided about is a problem that names the way out. Digests, flow logs
    /// and other files beside a trail's are counted, and in a fixture about.json, facts.json and expected.json are
    /// skipped.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// A file with what was known about services and settings, as JSON. Without it, a rotation says that the services
    /// which use the secret are unknown.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    /// The order of the incidents.
    #[arg(long, value_enum, default_value_t = IncidentOrder::Severity)]
    pub(crate) order: IncidentOrder,
    /// Show all incidents and rotations also on a terminal, which otherwise shows 24 lines of each and says how many it
    /// leaves out. A pipe and a file always get all.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) secret: SecretFilterArgs,
    #[command(flatten)]
    pub(crate) severity: SeverityArgs,
}

/// The order of incidents in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IncidentOrder {
    /// The most severe first.
    Severity,
    /// The earliest first.
    Time,
}

#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// Files or folders, plain or packed; `-` is standard input. They hold either items of the ledger or events; the
    /// content shows which.
    ///
    /// Items are read as `aws dynamodb query`, `scan` and exports to S3 write them. Other items of the table are
    /// skipped. Events are read in every form that `replay run` understands. Events of Secrets Manager show changes and
    /// reads. Calls of ECS in CloudTrail show deployments. Only `ECS Deployment State Change` events show how a rollout
    /// ended.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// For events: a file that names the services and their secrets, as JSON. Without it, the `RegisterTaskDefinition`
    /// records among the events do, and a service whose task definition is older than the events is not seen.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) secret: SecretFilterArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReadsArgs {
    /// The secret: its name, or its partial or full ARN. A name means the secrets of that name in every account; an ARN
    /// means the secret of its account. Reads of its replicas in other Regions count. `*` and `?` are wildcards:
    /// `prod/billing/*` means each secret whose name fits.
    #[arg(long, value_name = "NAME|ARN", value_parser = parse_secret)]
    pub(crate) secret: SecretQuery,
    /// Files or folders of events, plain or packed; `-` is standard input. Every form that `replay run` understands is
    /// read.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// A file with services and settings, as JSON. They show which reads are launches of tasks, and which callers are
    /// persons.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    /// Also list each read: its time, its caller, the id of its event and its file.
    #[arg(long)]
    pub(crate) each: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Files or folders of events, plain or packed; `-` is standard input. Every form that `replay run` understands is
    /// read.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The form of the baseline.
    #[arg(long, value_enum, default_value_t = BaselineFormat::Items)]
    pub(crate) format: BaselineFormat,
    /// The name of the ledger's table. Items need it.
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BaselineFormat {
    /// For the ledger: JSON lines, each a request of at most 25 items for `aws dynamodb batch-write-item`.
    Items,
    /// For `replay run --facts`: one JSON object.
    Facts,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// The folder of rules. Without it, the rules of this release are used.
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// For scripts: JSON lines, each with a `kind`, as handlers/replay/schema/report-line.json describes. The first is
    /// the header: version, commit, hash of the rules, command line. Then `run` prints decision, incident, totals, problem, coverage and
    /// summary;
    /// `proof` prints proof, no-consumers, failed-rotation, problem, coverage and summary; `reads` prints query, reader,
    /// may-have-read, read (with --each), problem, coverage and summary. A filter stands in `coverage`.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Files with events, plain or packed; `-` is standard input. Every form that `replay run` understands is read.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) events: Vec<PathBuf>,
    /// A file with what was known about services and settings, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MatchArgs {
    /// A file with one EventBridge pattern.
    #[arg(long, value_name = "FILE", requires = "event", required_unless_present = "vectors")]
    pub(crate) pattern: Option<PathBuf>,
    /// A file with one event, or with one CloudTrail record, which gets the envelope of an EventBridge event as in
    /// `replay run`. A message on standard error says so.
    #[arg(long, value_name = "FILE", requires = "pattern")]
    pub(crate) event: Option<PathBuf>,
    /// A file of pairs; `-` is standard input. Each line is `{"id","pattern","event"}`, with pattern and event as
    /// strings of JSON text. The result of each is a line
    /// `{"id","result":"match|no_match|invalid|event_error","error"?}`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pattern", "event"])]
    pub(crate) vectors: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct FactsArgs {
    /// Files or folders of events, plain or packed; `-` is standard input. Every form that `replay run` understands is
    /// read.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// The id of the response: its key in `responses.json`.
    #[arg(long, value_name = "ID")]
    pub(crate) response: String,
    /// A file with events for which the response fires; `-` is standard input. May be repeated. Every form that
    /// `replay run` understands is read. Without it, the page is about an invented incident.
    #[arg(long = "event", value_name = "FILE")]
    pub(crate) events: Vec<PathBuf>,
    /// A file with what was known about services and settings, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RuleListArgs {
    /// The day on which exceptions must still hold, such as `2027-01-31`. Without it, no exception counts as expired.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// Print JSON lines of the kind `response`, one for each response.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Folders of fixtures. A fixture is a folder with an about.json.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Write the current decisions to expected.json.
    #[arg(long)]
    pub(crate) update: bool,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}
