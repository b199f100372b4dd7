//! The command line: what can be asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use responder_audit::access_history::SecretQuery;
use responder_core::rules::CalendarDay;
use responder_core::time::{Date, Timestamp};

/// Decide again, offline, what secrets-responder's functions decide on events: the same rules, the same code, the
/// same bytes. Nothing is sent anywhere.
#[derive(Debug, Parser)]
#[command(name = "replay", version, term_width = 100, after_help = EXIT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT: &str = "\
Exit status:
  0  done
  1  `match`: no match; `verify`: a case differs; `proof`: a service is not proved; `rules`: an exception ran out
  2  the rules, the facts, a pattern or an argument cannot be used; nothing was decided
  3  some of the input could not be read; it was reported, and the rest was decided";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decide about events and report incidents, rotations and a summary.
    #[command(after_long_help = RUN)]
    Run(RunArgs),
    /// Prove of every service that uses a changed secret that it runs the new value, or say where the proof ends.
    #[command(after_long_help = PROOF)]
    Proof(ProofArgs),
    /// Say who read a secret, from where and when.
    #[command(after_long_help = READS)]
    Reads(ReadsArgs),
    /// Say of every rule whether it matches an event, or the first path that fails.
    #[command(after_long_help = EXPLAIN)]
    Explain(ExplainArgs),
    /// Match one pattern against one event, or a file of such pairs.
    #[command(after_long_help = MATCH)]
    Match(MatchArgs),
    /// List the responses with their exceptions, and fail if one has run out.
    #[command(after_long_help = LIST)]
    Rules(ListArgs),
    /// Decide about every fixture and compare with what is expected.
    #[command(after_long_help = VERIFY)]
    Verify(VerifyArgs),
    /// Learn from past events who reads which secret, so that first reads mean something.
    #[command(after_long_help = BASELINE)]
    Baseline(BaselineArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Files or folders of events, plain or gzip; `-` is standard input.
    ///
    /// Understood: EventBridge events, one or many; CloudTrail files (`{"Records":[...]}`); `LookupEvents` output; bare
    /// CloudTrail records; any mix of them. In a folder of fixtures, about.json, facts.json and expected.json are
    /// passed over; so are CloudTrail's digest files.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// What was known of services and settings, as JSON; without it a rotation says that its consumers are unknown.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// Files or folders, plain or gzip; `-` is standard input. Either items of the ledger or events, told by content.
    ///
    /// Items as `aws dynamodb query`, `scan` and exports to S3 write them; other items of the table are passed over.
    /// Events in every form that `replay run` reads: of Secrets Manager (changes and reads), and of ECS (calls, and
    /// `ECS Deployment State Change`, without which nobody knows how a rollout ended).
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// For events: which services use which secrets, as JSON. Without it the `RegisterTaskDefinition` records among the
    /// events say so, and a service whose task definition is older than they are is not seen.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReadsArgs {
    /// The secret: its name, which means that of every account in the input, or its partial or full ARN, which means
    /// one account's. Reads of its replicas in other Regions count.
    #[arg(long, value_name = "NAME|ARN", value_parser = requested)]
    pub(crate) secret: SecretQuery,
    /// Only reads from then on: an instant, or the day that it begins with in UTC.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) since: Option<Timestamp>,
    /// Only reads before then.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
    /// Files or folders of events, plain or gzip; `-` is standard input. Every form that `replay run` reads.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Services and settings, as JSON: they tell which reads are launches of tasks, and who is a person.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
}

fn requested(text: &str) -> Result<SecretQuery, &'static str> {
    SecretQuery::parse(text).ok_or("expected a secret's name or ARN")
}

fn instant(text: &str) -> Result<Timestamp, &'static str> {
    let day = text.parse::<Date>().map(Date::start);
    day.or_else(|_| text.parse()).map_err(|_| "expected `2026-01-31` or `2026-01-31T12:00:00Z`")
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Files or folders of events, plain or gzip; `-` is standard input. Every form that `replay run` reads.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// What for.
    #[arg(long, value_enum, default_value_t = BaselineFormat::Items)]
    pub(crate) format: BaselineFormat,
    /// The ledger's table: items need it.
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BaselineFormat {
    /// JSON lines, each a request of 25 items for `aws dynamodb batch-write-item`.
    Items,
    /// One JSON object for `replay run --facts`.
    Facts,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// The folder of rules; without it the rules of this release.
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// JSON lines, each with a `kind`: decision, incident, proof, no-consumers, reader, may-have-read,
    /// problem or summary.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A file with one or more events; `-` is standard input.
    #[arg(value_name = "EVENT")]
    pub(crate) event: PathBuf,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MatchArgs {
    /// A file with one EventBridge pattern.
    #[arg(long, value_name = "FILE", requires = "event", required_unless_present = "vectors")]
    pub(crate) pattern: Option<PathBuf>,
    /// A file with one event, taken as it is.
    #[arg(long, value_name = "FILE", requires = "pattern")]
    pub(crate) event: Option<PathBuf>,
    /// JSON lines `{"id","pattern","event"}`, pattern and event being strings of JSON text; prints
    /// `{"id","result":"match|no_match|invalid|event_error","error"?}` for each. `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pattern", "event"])]
    pub(crate) vectors: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The day on which exceptions must still hold, such as `2027-01-31`; without it none has run out.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<CalendarDay>,
    /// JSON lines, one for each response.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Folders of cases: a case is a folder with an about.json.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Write what is decided now as what is expected.
    #[arg(long)]
    pub(crate) update: bool,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

const RUN: &str = "\
Examples:
  Everything in a folder of trail files:
    replay run AWSLogs/
  What LookupEvents says:
    aws cloudtrail lookup-events --output json | replay run -
  Incidents only, for a script:
    replay run --format json AWSLogs/ | jq 'select(.kind == \"incident\")'
  A rotation, with what is known of the services:
    replay run --facts services.json rotation.json

Exit status: 0 done; 2 nothing was decided; 3 some of the input could not be read, the rest was decided.";

const PROOF: &str = "\
Examples:
  From the ledger:
    aws dynamodb scan --table-name LEDGER --output json \\
        --filter-expression 'begins_with(pk, :proof)' \\
        --expression-attribute-values '{\":proof\":{\"S\":\"proof#\"}}' | replay proof -
  From an export of the ledger to S3:
    replay proof AWSDynamoDB/01234567890123-01234567/data/
  From CloudTrail and an EventBridge archive alone:
    replay proof --facts services.json AWSLogs/ archive.jsonl
  What is not proved, for a script:
    replay proof --format json AWSLogs/ | jq 'select(.kind == \"proof\" and .state != \"complete\")'

Exit status: 0 every chain is complete; 1 a chain is not, or the services are unknown; 2 unusable;
3 some of the input could not be read, so that more may be missing than is told.";

const READS: &str = "\
Examples:
  Who read it in the last 90 days, from trail files:
    replay reads --secret prod/billing/db --since \"$(date -u -d '90 days ago' +%F)\" AWSLogs/
  Which of the reads were tasks that started:
    replay reads --secret prod/billing/db --facts services.json AWSLogs/
  Access keys and addresses, for a script:
    replay reads --secret ARN --format json AWSLogs/ |
      jq -r 'select(.kind == \"reader\") | [.principal, .access_keys[], .addresses[]] | @tsv'

A batch by name and the record of its read of the secret are one call. A batch by filter does not
say what it read: it is listed apart unless the record of its read is there. Copies count once.

Callers:
  human     a person
  unknown   the record does not say
  workload  a program
  task      a session that is named like an ECS task
  launch    such a session, whose role starts tasks with this secret (known from --facts)
  service   an AWS service

Exit status: 0 done; 2 unusable; 3 some of the input could not be read: reads may be missing.";

const BASELINE: &str = "\
Examples:
  Into the ledger, before FIRST_READS=on; what DynamoDB leaves unprocessed it prints:
    replay baseline --table LEDGER AWSLogs/ |
      while read -r items; do aws dynamodb batch-write-item --request-items \"$items\"; done
  For the replay:
    replay baseline --format facts AWSLogs/2026/03/ > facts.json
    replay run --facts facts.json AWSLogs/2026/04/

Exit status: 0 done; 2 unusable; 3 some of the input could not be read, the rest was learned from.";

const EXPLAIN: &str = "\
Example:
  replay explain event.json";

const MATCH: &str = "\
Examples:
  replay match --pattern rules/access/secret-read.json --event event.json
  replay match --vectors handlers/eventbridge-pattern/vectors/patterns.jsonl

Exit status of a pair: 0 match; 1 no match; 2 the pattern or the event is refused. Of --vectors: 0.";

const LIST: &str = "\
Example:
  replay rules --on \"$(date -u +%F)\"

Exit status: 0 done; 1 an exception has run out: whose it is, of which response and since when is said; 2 the rules cannot be used.";

const VERIFY: &str = "\
Examples:
  replay verify fixtures
  replay verify --update fixtures/access

Exit status: 0 every case is as expected; 1 a case differs; 2 nothing was decided.";
