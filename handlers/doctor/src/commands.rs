//! The commands: what each of them reads, does and prints, and how it ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use infra::ResolvedTemplateError;
use responder_core::rules::{RulesError, builtin};
use responder_core::text::{Untrusted, to_json_line};
use responder_core::time::{Span, Timestamp};

use crate::aws_session::{AwsSession, AwsSessionError, CallError};
use crate::check::check_installation;
use crate::cli::{
    CheckArgs, DoctorCli, DoctorCommand, DoctorFormat, DrillArgs, EventsArgs, RegionsOption, ServicesArgs,
};
use crate::clock::current_time;
use crate::drill::{DrillError, run_drill};
use crate::events::{EventFileError, EventLookup, look_up_events};
use crate::expected::{ExpectedInstallation, InstallationLayout};
use crate::finding::FindingLevel;
use crate::gather::gather_snapshot;
use crate::matcher_cases::list_matcher_cases;
use crate::progress::ProgressDisplay;
use crate::report::{write_json_lines, write_table};
use crate::services::gather_services;
use crate::snapshot::AccountSnapshot;

/// How a command ends; `--help` explains the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DoctorExit {
    Done = 0,
    Failed = 1,
    Unusable = 2,
    Incomplete = 3,
}

/// Why a command cannot do its work at all.
#[derive(Debug, thiserror::Error)]
enum DoctorError {
    #[error(transparent)]
    Session(#[from] AwsSessionError),
    #[error(transparent)]
    EventFile(#[from] EventFileError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    #[error("`{0}` is neither an instant, such as 2026-03-04T22:10:00Z, nor a length of time, such as 90d")]
    NoInstant(String),
    #[error("the enabled Regions cannot be listed ({0}): name them with --regions")]
    NoRegions(CallError),
    #[error("{0}")]
    Rules(#[from] RulesError),
    #[error(transparent)]
    Template(#[from] ResolvedTemplateError),
    #[error(
        "the drill could not be made: {0}\nIs the responder deployed in this Region, under this prefix? Run `doctor check`"
    )]
    Drill(#[from] DrillError),
}

/// Runs a command, and prints why it cannot be run.
pub(crate) async fn run_command(cli: &DoctorCli) -> ExitCode {
    let outcome = match &cli.command {
        DoctorCommand::Check(args) => run_check(cli, args).await,
        DoctorCommand::Drill(args) => run_drill_command(cli, args).await,
        DoctorCommand::Events(args) => run_events(cli, args).await,
        DoctorCommand::Services(args) => run_services(cli, args).await,
    };
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        // The reader of the output has seen enough.
        Err(DoctorError::Output(error) | DoctorError::EventFile(EventFileError::Write { error, .. }))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            print_message(&error.to_string());
            ExitCode::from(DoctorExit::Unusable as u8)
        }
    }
}

async fn run_check(cli: &DoctorCli, args: &CheckArgs) -> Result<DoctorExit, DoctorError> {
    let rules = builtin()?;
    let snapshot = if let Some(file) = &args.from {
        read_snapshot(file)?
    } else {
        let session = open_session(cli).await?;
        let regions = choose_regions(&session, &args.regions).await?;
        let prefix = &args.prefix.prefix;
        let expected = ExpectedInstallation::generate(&rules, &plan_layout(&session, prefix, &regions))?;
        let cases = if args.no_matcher { Vec::new() } else { list_matcher_cases(&rules) };
        let now = current_time();
        gather_snapshot(&session, prefix, &expected, &cases, now, &ProgressDisplay::new()).await
    };
    // Once more, now with the parameters that the stacks have.
    let layout = InstallationLayout::from_snapshot(&snapshot);
    let expected = ExpectedInstallation::generate(&rules, &layout)?;
    if let Some(file) = &args.save {
        let text = serde_json::to_string_pretty(&snapshot).map_err(io::Error::other)?;
        write_file(file, &text)?;
    }
    let findings = check_installation(&expected, &snapshot);
    let mut out = io::stdout().lock();
    match args.format {
        DoctorFormat::Text => write_table(&findings, args.all, &mut out)?,
        DoctorFormat::Json => write_json_lines(&findings, &mut out)?,
    }
    let has_failed = findings.iter().any(|finding| finding.level == FindingLevel::Fail);
    Ok(if has_failed { DoctorExit::Failed } else { DoctorExit::Done })
}

async fn run_drill_command(cli: &DoctorCli, args: &DrillArgs) -> Result<DoctorExit, DoctorError> {
    let session = open_session(cli).await?;
    let prefix = &args.prefix.prefix;
    let expected = ExpectedInstallation::generate(&builtin()?, &plan_layout(&session, prefix, &[]))?;
    let progress = ProgressDisplay::new();
    let max_wait = Duration::from_secs(args.wait);
    let drilled = run_drill(&session, prefix, expected.home.page_topic(), max_wait, &progress).await;
    progress.finish();
    let drilled = drilled?;
    let mut out = io::stdout().lock();
    match args.format {
        DoctorFormat::Json => writeln!(out, "{}", to_json_line(&drilled).map_err(io::Error::other)?)?,
        DoctorFormat::Text => {
            for hop in &drilled.hops {
                writeln!(out, "{:>8} ms  {}", hop.after, hop.what)?;
            }
            if drilled.arrived {
                writeln!(out, "\n{}", drilled.subject)?;
            } else {
                writeln!(out, "\nThe page did not arrive within {} s: run `doctor check`", args.wait)?;
            }
        }
    }
    for resource in &drilled.left {
        print_message(&format!("{resource} could not be removed: remove it by hand"));
    }
    Ok(if drilled.arrived { DoctorExit::Done } else { DoctorExit::Failed })
}

async fn run_events(cli: &DoctorCli, args: &EventsArgs) -> Result<DoctorExit, DoctorError> {
    let now = current_time();
    let since = parse_instant(&args.since, now)?;
    let until = parse_instant(&args.until, now)?;
    let session = open_session(cli).await?;
    let mut regions = choose_regions(&session, &args.regions).await?;
    let mut sources = args.sources.clone();
    for names in [&mut regions, &mut sources] {
        names.sort();
        names.dedup();
    }
    let typed_period = format!("{} {}", args.since, args.until);
    let lookup = EventLookup { typed_period, since, until, sources, regions };
    let summary = look_up_events(&session, lookup, args.out.as_deref(), &ProgressDisplay::new()).await?;
    for problem in &summary.problems {
        print_message(problem);
    }
    if args.out.is_some() {
        let resumed = match summary.resumed_until {
            Some(until) => format!(", continued where the lookup was interrupted, up to {until}"),
            None => String::new(),
        };
        print_message(&format!("{} events{resumed}", summary.events));
    }
    Ok(if summary.problems.is_empty() { DoctorExit::Done } else { DoctorExit::Incomplete })
}

async fn run_services(cli: &DoctorCli, args: &ServicesArgs) -> Result<DoctorExit, DoctorError> {
    let session = open_session(cli).await?;
    let regions = choose_regions(&session, &args.regions).await?;
    let facts = gather_services(&session, &regions, &ProgressDisplay::new()).await;
    let text = serde_json::to_string_pretty(&facts).map_err(io::Error::other)?;
    match &args.out {
        Some(file) => write_file(file, &text)?,
        None => writeln!(io::stdout(), "{text}")?,
    }
    for (location, failures) in &facts.discovery_failures {
        for failure in failures {
            print_message(&format!("{location}: {failure}"));
        }
    }
    Ok(if facts.discovery_failures.is_empty() { DoctorExit::Done } else { DoctorExit::Incomplete })
}

async fn open_session(cli: &DoctorCli) -> Result<AwsSession, AwsSessionError> {
    AwsSession::open(cli.profile.as_deref(), cli.region.as_deref()).await
}

/// The Regions that the command line names, or else all that are enabled.
async fn choose_regions(session: &AwsSession, option: &RegionsOption) -> Result<Vec<String>, DoctorError> {
    if option.regions.is_empty() {
        return session.list_enabled_regions().await.map_err(DoctorError::NoRegions);
    }
    Ok(option.regions.clone())
}

/// The layout that an installation should have; the parameters of its stacks are not known yet.
fn plan_layout(session: &AwsSession, prefix: &str, regions: &[String]) -> InstallationLayout {
    let mut unknown_parameters = BTreeMap::new();
    for region in regions {
        unknown_parameters.insert(region.clone(), BTreeMap::new());
    }
    InstallationLayout {
        prefix: prefix.to_owned(),
        partition: session.partition.clone(),
        account: session.account.clone(),
        home: session.home_region.clone(),
        regions: unknown_parameters,
    }
}

/// An instant, or a length of time before `now`.
fn parse_instant(text: &str, now: Timestamp) -> Result<Timestamp, DoctorError> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    match text.parse::<Span>() {
        Ok(before) => Ok(now.minus(before)),
        Err(_) => Err(DoctorError::NoInstant(text.to_owned())),
    }
}

fn read_snapshot(file: &Path) -> Result<AccountSnapshot, DoctorError> {
    let text = fs::read_to_string(file).map_err(|error| file_error(file, &error))?;
    serde_json::from_str(&text).map_err(|error| DoctorError::File {
        file: file.display().to_string(),
        reason: format!("this is not a file that `--save` wrote: {error}"),
    })
}

fn write_file(file: &Path, text: &str) -> Result<(), DoctorError> {
    fs::write(file, format!("{text}\n")).map_err(|error| file_error(file, &error))
}

fn file_error(file: &Path, error: &io::Error) -> DoctorError {
    DoctorError::File { file: file.display().to_string(), reason: error.to_string() }
}

/// Prints a message beside the output.
fn print_message(message: &str) {
    let lines: Vec<String> = message.lines().map(|line| Untrusted::new(line).show(2_000)).collect();
    drop(writeln!(io::stderr(), "doctor: {}", lines.join("\n")));
}
