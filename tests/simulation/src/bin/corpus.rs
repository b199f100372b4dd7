//! Makes the corpus of labelled events and says what the rules make of it: recall and pages by class.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use responder_core::rules::builtin;
use serde_json::json;
use simulation::corpus::{Row, facts, judge, resolve_spellings, samples};

const USAGE: &str = "\
Usage: corpus [--seed N] [--seeds COUNT] [--json] [--write DIR]

  --seed N       the first seed (default 1)
  --seeds COUNT  how many seeds, one sample of each class for each (default 20)
  --json         rows as JSON, one a line
  --write DIR    also write what `replay run --facts DIR/facts.json DIR/events` takes, and the labels";

struct Arguments {
    seed: u64,
    seeds: u64,
    json: bool,
    write: Option<PathBuf>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match parse(env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _unwritten = writeln!(io::stderr(), "corpus: {error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut given: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
    let mut arguments = Arguments { seed: 1, seeds: 20, json: false, write: None };
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--seed" => arguments.seed = value()?.parse()?,
            "--seeds" => arguments.seeds = value()?.parse()?,
            "--json" => arguments.json = true,
            "--write" => arguments.write = Some(value()?.into()),
            _ => return Err(format!("what is {name}?").into()),
        }
    }
    Ok(arguments)
}

/// Whether every attack was found and nothing else paged.
fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let rules = builtin()?;
    let mut rows: Vec<Row> = resolve_spellings().into_iter().map(Row::of).collect();
    for seed in arguments.seed..arguments.seed + arguments.seeds {
        let samples = samples(seed);
        for (row, more) in rows.iter_mut().zip(judge(&rules, &samples)?) {
            row.add(&more);
        }
        if let Some(folder) = &arguments.write {
            write(&folder.join(format!("seed-{seed}")), &samples)?;
        }
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        rows.iter().try_for_each(|row| writeln!(out, "{}", json!(row)))?;
    } else {
        table(&rows, &mut out)?;
    }
    Ok(rows.iter().all(|row| row.wrong == 0))
}

fn table(rows: &[Row], out: &mut impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<30} {:>7} {:>7} {:>9} {:>6} {:>7}  paged by",
        "attack", "samples", "events", "incidents", "pages", "recall"
    )?;
    for row in rows.iter().filter(|row| row.is_attack) {
        let recall = format!("{} %", 100 * row.found / row.samples.max(1));
        line(row, &recall, out)?;
    }
    writeln!(
        out,
        "\n{:<30} {:>7} {:>7} {:>9} {:>6} {:>7}  paged by",
        "everyday", "samples", "events", "incidents", "pages", "quiet"
    )?;
    for row in rows.iter().filter(|row| !row.is_attack) {
        let resolve_after = format!("{} %", 100 * (row.samples - row.wrong) / row.samples.max(1));
        line(row, &resolve_after, out)?;
    }
    let (attacks, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_attack);
    let sum = |rows: &[&Row], of: fn(&Row) -> usize| rows.iter().map(|row| of(row)).sum::<usize>();
    writeln!(
        out,
        "\n{} of {} attacks found, {} pages about {} samples of everyday work",
        sum(&attacks, |row| row.found),
        sum(&attacks, |row| row.samples),
        sum(&others, |row| row.pages),
        sum(&others, |row| row.samples),
    )
}

fn line(row: &Row, share: &str, out: &mut impl io::Write) -> io::Result<()> {
    let by: Vec<String> = row.paged_by.iter().map(|(rule, pages)| format!("{rule} {pages}")).collect();
    let Row { class, samples, events, incidents, pages, .. } = row;
    let text = format!(
        "{class:<30} {samples:>7} {events:>7} {incidents:>9} {pages:>6} {share:>7}  {}",
        by.join(", ")
    );
    writeln!(out, "{}", text.trim_end())
}

fn write(folder: &std::path::Path, samples: &[simulation::corpus::Sample]) -> Result<(), Failure> {
    fs::create_dir_all(folder.join("events"))?;
    fs::write(folder.join("facts.json"), format!("{:#}\n", json!(facts(samples))))?;
    let labels: Vec<_> = samples
        .iter()
        .map(|sample| {
            let class = sample.class;
            json!({
                "class": class.name, "attack": class.is_attack, "about": class.about,
                "accounts": sample.accounts, "principal": sample.thief,
            })
        })
        .collect();
    fs::write(folder.join("labels.json"), format!("{:#}\n", json!(labels)))?;
    for sample in samples {
        let lines: Vec<String> = sample.events.iter().map(|(_, event)| event.to_string()).collect();
        fs::write(folder.join(format!("events/{}.jsonl", sample.class.name)), lines.join("\n") + "\n")?;
    }
    Ok(())
}
