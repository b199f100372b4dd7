//! Makes the corpus of labelled events and prints the verdict of the rules on it: recall and pages by class.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use responder_core::rules::builtin;
use serde_json::json;
use simulation::corpus::{ClassVerdict, CorpusSample, judge_samples, list_classes, make_facts, make_samples};

const USAGE: &str = "\
Usage: corpus [--seed N] [--seeds COUNT] [--json] [--write DIR]

  --seed N       the first seed (default 1)
  --seeds COUNT  how many seeds, one sample of each class for each (default 20)
  --json         rows as JSON, one a line
  --write DIR    also write what `replay run --facts DIR/facts.json DIR/events` takes, and the labels";

struct CorpusArguments {
    first_seed: u64,
    seeds: u64,
    as_json: bool,
    write_to: Option<PathBuf>,
}

type CorpusError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let result = match parse_arguments(env::args().skip(1)) {
        Ok(arguments) => run(&arguments),
        Err(error) => Err(error),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _unwritten = writeln!(io::stderr(), "corpus: {error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse_arguments(mut given: impl Iterator<Item = String>) -> Result<CorpusArguments, CorpusError> {
    let mut arguments = CorpusArguments { first_seed: 1, seeds: 20, as_json: false, write_to: None };
    while let Some(name) = given.next() {
        if name == "--json" {
            arguments.as_json = true;
            continue;
        }
        let Some(value) = given.next() else { return Err(format!("{name} needs a value").into()) };
        match name.as_str() {
            "--seed" => arguments.first_seed = value.parse()?,
            "--seeds" => arguments.seeds = value.parse()?,
            "--write" => arguments.write_to = Some(value.into()),
            _ => return Err(format!("{name} is unknown").into()),
        }
    }
    Ok(arguments)
}

/// Judges the corpus of each seed; says whether every attack was found and nothing else paged.
fn run(arguments: &CorpusArguments) -> Result<bool, CorpusError> {
    let rules = builtin()?;
    let mut verdicts: Vec<ClassVerdict> = list_classes().into_iter().map(ClassVerdict::new).collect();
    for seed in arguments.first_seed..arguments.first_seed + arguments.seeds {
        let samples = make_samples(seed);
        for (verdict, more) in verdicts.iter_mut().zip(judge_samples(&rules, &samples)?) {
            verdict.add(&more);
        }
        if let Some(folder) = &arguments.write_to {
            write_samples(&folder.join(format!("seed-{seed}")), &samples)?;
        }
    }
    let mut out = io::stdout().lock();
    if arguments.as_json {
        for verdict in &verdicts {
            writeln!(out, "{}", json!(verdict))?;
        }
    } else {
        write_verdicts(&verdicts, &mut out)?;
    }
    Ok(verdicts.iter().all(|verdict| verdict.wrong == 0))
}

/// The sums of the verdicts on attacks, or on everyday work.
#[derive(Default)]
struct VerdictSums {
    samples: usize,
    found: usize,
    pages: usize,
}

fn write_verdicts(verdicts: &[ClassVerdict], out: &mut impl io::Write) -> io::Result<()> {
    write_heading("attack", "recall", out)?;
    let attacks = write_rows(verdicts, true, out)?;
    writeln!(out)?;
    write_heading("everyday", "quiet", out)?;
    let everyday = write_rows(verdicts, false, out)?;
    writeln!(
        out,
        "\n{} of {} attacks found, {} pages about {} samples of everyday work",
        attacks.found, attacks.samples, everyday.pages, everyday.samples
    )
}

fn write_heading(kind: &str, share: &str, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "{kind:<30} samples  events incidents  pages {share:>7}  paged by")
}

fn write_rows(
    verdicts: &[ClassVerdict],
    are_attacks: bool,
    out: &mut impl io::Write,
) -> io::Result<VerdictSums> {
    let mut sums = VerdictSums::default();
    for verdict in verdicts {
        if verdict.is_attack == are_attacks {
            let good = if are_attacks { verdict.found } else { verdict.samples - verdict.wrong };
            write_row(verdict, 100 * good / verdict.samples.max(1), out)?;
            sums.samples += verdict.samples;
            sums.found += verdict.found;
            sums.pages += verdict.pages;
        }
    }
    Ok(sums)
}

fn write_row(verdict: &ClassVerdict, percent: usize, out: &mut impl io::Write) -> io::Result<()> {
    let rules: Vec<String> = verdict.paged_by.iter().map(|(rule, pages)| format!("{rule} {pages}")).collect();
    let ClassVerdict { class, samples, events, incidents, pages, .. } = verdict;
    let share = format!("{percent} %");
    let row = format!("{class:<30} {samples:>7} {events:>7} {incidents:>9} {pages:>6} {share:>7}  ");
    writeln!(out, "{}", (row + &rules.join(", ")).trim_end())
}

/// Writes the input of a replay, and the labels.
fn write_samples(folder: &Path, samples: &[CorpusSample]) -> Result<(), CorpusError> {
    fs::create_dir_all(folder.join("events"))?;
    fs::write(folder.join("facts.json"), format!("{:#}\n", json!(make_facts(samples))))?;
    let mut labels = Vec::new();
    for sample in samples {
        let class = sample.class;
        labels.push(json!({
            "class": class.name, "attack": class.is_attack, "about": class.about,
            "accounts": sample.accounts, "principal": sample.thief,
        }));
        let mut lines = String::new();
        for (_, event) in &sample.events {
            lines.push_str(&event.to_string());
            lines.push('\n');
        }
        fs::write(folder.join(format!("events/{}.jsonl", class.name)), lines)?;
    }
    fs::write(folder.join("labels.json"), format!("{:#}\n", json!(labels)))?;
    Ok(())
}
