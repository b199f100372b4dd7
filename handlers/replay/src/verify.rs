//! `replay verify`: every fixture's decision against what is expected of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use responder_core::notify::Renderer;
use responder_core::plan::PlanStep;
use responder_core::rules::{Handler, ResponseAction, RuleSet};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::VerifyArgs;
use crate::source::COMPANIONS;
use crate::story::{Story, replay};
use crate::{End, Failure, report, settings};

/// What a case says of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// One sentence.
    #[serde(rename = "about")]
    _sentence: String,
    /// Where the shape of its events comes from.
    #[serde(rename = "shape")]
    _source: String,
    /// The responses that must act, and no others.
    fires: BTreeSet<String>,
    /// Why the case is here.
    #[serde(rename = "kind")]
    _kind: Kind,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Fires,
    NearMiss,
    Hostile,
}

pub(crate) fn verify(args: &VerifyArgs) -> Result<End, Failure> {
    let rules = settings::rules(&args.rules)?;
    let mut cases = Vec::new();
    for folder in &args.folders {
        find(folder, &mut cases)?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut differing = 0;
    for case in &cases {
        let name = case.display();
        let found = check(&rules, case, args.update)?;
        let (observation, problems) =
            if found.problems.is_empty() { ("ok", &[][..]) } else { ("DIFFERS", &found.problems[..]) };
        writeln!(out, "{observation:<8}{name}")?;
        for line in decisions(&found.story) {
            writeln!(out, "            {line}")?;
        }
        for problem in problems {
            writeln!(out, "        ! {problem}")?;
        }
        differing += usize::from(!problems.is_empty());
    }
    let (count, done) = (cases.len(), if args.update { "updated" } else { "as expected" });
    writeln!(out, "\n{} of {count} cases {done}", count - differing)?;
    out.flush()?;
    if cases.is_empty() {
        let file =
            args.folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(Failure::Content {
            file,
            reason: "no case here: a case is a folder with an about.json".to_owned(),
        });
    }
    Ok(if differing == 0 { End::Done } else { End::Differs })
}

/// The folders below `folder` that hold a case, in order of names.
fn find(folder: &Path, cases: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if folder.join("about.json").is_file() {
        cases.push(folder.to_owned());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>())
        .map_err(|error| Failure::File { file: folder.display().to_string(), error })?;
    entries.sort();
    entries.iter().filter(|path| path.is_dir()).try_for_each(|path| find(path, cases))
}

/// A case that was decided, and how it differs.
struct Checked {
    story: Story,
    problems: Vec<String>,
}

fn check(rules: &RuleSet, case: &Path, update: bool) -> Result<Checked, Failure> {
    let about: About = parse(&case.join("about.json"))?;
    let facts = Some(case.join("facts.json")).filter(|file| file.is_file());
    let facts = settings::facts(facts.as_deref())?;
    // By name, so that what is expected does not depend on where the fixtures lie.
    let mut inputs: Vec<PathBuf> = fs::read_dir(case)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>())
        .map_err(|error| Failure::File { file: case.display().to_string(), error })?;
    inputs.retain(|path| !COMPANIONS.iter().any(|name| path.file_name().is_some_and(|file| file == *name)));
    inputs.sort();
    let mut story = replay(rules, facts, &inputs);
    for problem in &mut story.problems {
        if let Some(name) = Path::new(&problem.file).file_name() {
            problem.file = name.to_string_lossy().into_owned();
        }
    }
    let mut problems = Vec::new();
    let fired = fired(rules, &story);
    if fired != about.fires {
        problems.push(format!("about.json says that {:?} fire, but {fired:?} do", about.fires));
    }
    let renderer = Renderer::new(rules, &story.settings);
    let mut decisions = Vec::new();
    for plan in &story.decisions {
        decisions.push(renderer.render_plan(plan));
    }
    let decided = json!({
        "decisions": decisions, "incidents": story.incidents,
        "problems": story.problems, "summary": story.summary,
    });
    let file = case.join("expected.json");
    if update {
        let text = format!("{decided:#}\n");
        fs::write(&file, text).map_err(|error| Failure::File { file: file.display().to_string(), error })?;
    } else {
        let expected: Value = if file.is_file() { parse(&file)? } else { Value::Null };
        if let Some(place) = difference(&expected, &decided, String::new()) {
            problems.push(format!("expected.json differs at {place}"));
        }
    }
    Ok(Checked { story, problems })
}

/// The responses that acted: opened an incident, redeployed something, proved something, or parked; and of a sweep also
/// those whose work it carried on.
fn fired(rules: &RuleSet, story: &Story) -> BTreeSet<String> {
    // A function parks what the replay reports as a problem.
    let parks = rules
        .responses
        .values()
        .filter(|response| response.action == ResponseAction::Quarantine && !story.problems.is_empty());
    let incidents = story.incidents.iter().flat_map(|incident| incident.also.iter().chain([&incident.rule]));
    // Of the steps that bear no id, the action says whose they are.
    let acts = story.decisions.iter().flat_map(|plan| {
        plan.steps.iter().filter_map(|step| match step {
            PlanStep::Redeploy { .. } => Some(ResponseAction::Redeploy),
            PlanStep::RecordChange { .. } | PlanStep::ResolveChange { .. }
                if plan.handler == Handler::Sweep =>
            {
                Some(ResponseAction::Redeploy)
            }
            PlanStep::ReconcileDeployment { .. } | PlanStep::EndDeployment { .. }
                if plan.handler == Handler::Sweep =>
            {
                Some(ResponseAction::Follow)
            }
            PlanStep::Prove { .. } => Some(ResponseAction::Prove),
            _ => None,
        })
    });
    let acts: Vec<ResponseAction> = acts.collect();
    let acted = rules.responses.values().filter(|response| acts.contains(&response.action));
    incidents.cloned().chain(acted.chain(parks).map(|response| response.id.clone())).collect()
}

/// What was done about a case, in short: each different line once with how often, counts only where nothing else was done.
fn decisions(story: &Story) -> Vec<String> {
    const MAX: usize = 8;
    let steps = || story.decisions.iter().flat_map(|plan| &plan.steps);
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut add = |line: String| match lines.iter_mut().find(|(known, _)| *known == line) {
        Some((_, times)) => *times += 1,
        None => lines.push((line, 1)),
    };
    steps().filter(|step| !matches!(step, PlanStep::Count { .. })).map(report::step).for_each(&mut add);
    story.problems.iter().map(|problem| format!("parked    {}", report::problem(problem))).for_each(&mut add);
    let fired: BTreeSet<&String> =
        story.incidents.iter().flat_map(|incident| incident.also.iter().chain([&incident.rule])).collect();
    // The highest count of each rule that did not fire: how near a miss it is.
    let mut counts: BTreeMap<&String, (usize, &PlanStep)> = BTreeMap::new();
    for step in steps() {
        if let PlanStep::Count { rule, count, .. } = step
            && !fired.contains(rule)
            && counts.get(rule).is_none_or(|(most, _)| most < count)
        {
            counts.insert(rule, (*count, step));
        }
    }
    counts.values().map(|(_, step)| report::step(step)).for_each(&mut add);
    let more = lines.len().saturating_sub(MAX);
    lines.truncate(MAX);
    let mut lines: Vec<String> = lines
        .into_iter()
        .map(|(line, times)| if times == 1 { line } else { format!("{line} ({times} times)") })
        .collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let nothing =
        if story.decisions.is_empty() { "ignored   no rule matches" } else { "nothing   is to be done" };
    if lines.is_empty() { vec![nothing.to_owned()] } else { lines }
}

/// The first place at which two values differ, as a JSON pointer.
fn difference(expected: &Value, found: &Value, place: String) -> Option<String> {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let place = format!("{place}/{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => difference(a, b, place),
                    _ => Some(place),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) => {
            let pairs = a.iter().zip(b).enumerate();
            let inside = pairs.into_iter().find_map(|(i, (a, b))| difference(a, b, format!("{place}/{i}")));
            inside.or_else(|| (a.len() != b.len()).then(|| format!("{place}/{}", a.len().min(b.len()))))
        }
        (a, b) => (a != b).then(|| if place.is_empty() { "/".to_owned() } else { place }),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::File { file: file.clone(), error })?;
    serde_json::from_str(&text).map_err(|error| Failure::Content { file, reason: error.to_string() })
}
