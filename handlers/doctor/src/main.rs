//! `doctor`: looks at what is deployed, and fetches what the replay needs. It changes nothing but for a drill's own queue.

mod aws;
mod cases;
mod check;
mod cli;
mod drill;
mod events;
mod finding;
mod gather;
mod progress;
mod report;
mod services;
mod snapshot;
mod wiring;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser as _;
use responder_core::rules::builtin;
use responder_core::text::to_json_line;
use responder_core::time::{Span, Timestamp};

use aws::{Aws, AwsError};
use cli::{CheckArgs, Cli, Command, DrillArgs, EventsArgs, Format, ServicesArgs, Where};
use finding::Level;
use progress::Progress;
use snapshot::Snapshot;
use wiring::{Site, Wiring};

/// How a command ends; the numbers are in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done = 0,
    Failed = 1,
    Unusable = 2,
    Partly = 3,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let end = match &cli.command {
        Command::Check(args) => check(&cli, args).await,
        Command::Drill(args) => drill(&cli, args).await,
        Command::Events(args) => events(&cli, args).await,
        Command::Services(args) => services(&cli, args).await,
    };
    match end {
        Ok(end) => ExitCode::from(end as u8),
        Err(Failure::Output(error) | Failure::Events(events::EventsError::Output { error, .. }))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            say(&failure.to_string());
            ExitCode::from(End::Unusable as u8)
        }
    }
}

/// Why a command could not do its work at all.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Events(#[from] events::EventsError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    #[error("`{0}` is neither an instant such as 2026-03-04T22:10:00Z nor a length of time such as 90d")]
    When(String),
    #[error("the enabled Regions cannot be listed ({0}): name them with --regions")]
    Regions(String),
    #[error("{0}")]
    Rules(#[from] responder_core::rules::RulesError),
    #[error(transparent)]
    Wiring(#[from] wiring::WiringError),
    #[error(
        "the drill could not be made: {0}\nIs the responder deployed in this Region, under this prefix? `doctor check` says"
    )]
    Drill(String),
}

async fn check(cli: &Cli, args: &CheckArgs) -> Result<End, Failure> {
    let rules = builtin()?;
    let snapshot = if let Some(file) = &args.from {
        saved(file)?
    } else {
        let aws = load(cli).await?;
        let regions = regions(&aws, &args.place).await?;
        let site = site(&aws, &args.naming.prefix, &regions);
        let wiring = Wiring::of(&rules, &site)?;
        let cases = if args.no_matcher { Vec::new() } else { cases::cases(&rules) };
        gather::look(&aws, &site, &wiring, &cases, now(), &Progress::new()).await
    };
    // Now with the parameters that the stacks have.
    let wiring = Wiring::of(&rules, &Site::seen(&snapshot))?;
    if let Some(file) = &args.save {
        let text = serde_json::to_string_pretty(&snapshot).map_err(io::Error::other)?;
        write(file, &text)?;
    }
    let findings = check::check(&wiring, &snapshot);
    let mut out = io::stdout().lock();
    match args.format {
        Format::Text => report::table(&findings, args.all, &mut out)?,
        Format::Json => report::lines(&findings, &mut out)?,
    }
    let failed = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if failed { End::Failed } else { End::Done })
}

async fn drill(cli: &Cli, args: &DrillArgs) -> Result<End, Failure> {
    let aws = load(cli).await?;
    let wiring = Wiring::of(&builtin()?, &site(&aws, &args.naming.prefix, &[]))?;
    let prefix = &args.naming.prefix;
    let progress = Progress::new();
    let drilled =
        drill::drill(&aws, prefix, wiring.home.pages(), Duration::from_secs(args.wait), &progress).await;
    progress.done();
    let drilled = drilled.map_err(Failure::Drill)?;
    let mut out = io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", to_json_line(&drilled).map_err(io::Error::other)?)?,
        Format::Text => {
            for hop in &drilled.hops {
                writeln!(out, "{:>8} ms  {}", hop.after, hop.what)?;
            }
            if drilled.arrived {
                writeln!(out, "\n{}", drilled.subject)?;
            } else {
                writeln!(out, "\nNo page arrived within {} s: `doctor check` says what is wrong", args.wait)?;
            }
        }
    }
    for left in &drilled.left {
        say(&format!("could not remove {left}: do it by hand"));
    }
    Ok(if drilled.arrived { End::Done } else { End::Failed })
}

async fn events(cli: &Cli, args: &EventsArgs) -> Result<End, Failure> {
    let now = now();
    let (since, until) = (instant(&args.since, now)?, instant(&args.until, now)?);
    let aws = load(cli).await?;
    let (mut regions, mut sources) = (regions(&aws, &args.place).await?, args.sources.clone());
    for names in [&mut regions, &mut sources] {
        names.sort();
        names.dedup();
    }
    let asked = format!("{} {}", args.since, args.until);
    let wanted = events::Wanted { asked, since, until, sources, regions };
    let looked = events::events(&aws, wanted, args.out.as_deref(), &Progress::new()).await?;
    for problem in &looked.problems {
        say(problem);
    }
    if args.out.is_some() {
        let how = looked.resumed.map(|until| format!(", going on where it was interrupted, up to {until}"));
        say(&format!("{} events{}", looked.events, how.unwrap_or_default()));
    }
    Ok(if looked.problems.is_empty() { End::Done } else { End::Partly })
}

async fn services(cli: &Cli, args: &ServicesArgs) -> Result<End, Failure> {
    let aws = load(cli).await?;
    let regions = regions(&aws, &args.place).await?;
    let facts = services::services(&aws, &regions, &Progress::new()).await;
    let text = serde_json::to_string_pretty(&facts).map_err(io::Error::other)?;
    match &args.out {
        Some(file) => write(file, &text)?,
        None => writeln!(io::stdout(), "{text}")?,
    }
    for (place, gaps) in &facts.gaps {
        for gap in gaps {
            say(&format!("{place}: {gap}"));
        }
    }
    Ok(if facts.gaps.is_empty() { End::Done } else { End::Partly })
}

async fn load(cli: &Cli) -> Result<Aws, AwsError> {
    Aws::load(cli.profile.as_deref(), cli.region.as_deref()).await
}

async fn regions(aws: &Aws, place: &Where) -> Result<Vec<String>, Failure> {
    if place.regions.is_empty() {
        return aws.regions().await.map_err(Failure::Regions);
    }
    Ok(place.regions.clone())
}

/// Where an installation should be; nothing is known yet of its stacks.
fn site(aws: &Aws, prefix: &str, regions: &[String]) -> Site {
    Site {
        prefix: prefix.to_owned(),
        partition: aws.partition.clone(),
        account: aws.account.clone(),
        home: aws.home.clone(),
        regions: regions.iter().map(|region| (region.clone(), BTreeMap::new())).collect(),
    }
}

/// An instant, or so long before `now`.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let ago = || text.parse::<Span>().ok().map(|ago| now.minus(ago));
    text.parse().ok().or_else(ago).ok_or_else(|| Failure::When(text.to_owned()))
}

fn saved(file: &Path) -> Result<Snapshot, Failure> {
    let failed = |reason: String| Failure::File { file: file.display().to_string(), reason };
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(format!("not what `--save` writes: {error}")))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, format!("{text}\n"))
        .map_err(|error| Failure::File { file: file.display().to_string(), reason: error.to_string() })
}

/// The present.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Tells a person something beside the output.
fn say(text: &str) {
    let lines: Vec<String> =
        text.lines().map(|line| responder_core::text::Untrusted::new(line).show(2_000)).collect();
    drop(writeln!(io::stderr(), "doctor: {}", lines.join("\n")));
}
