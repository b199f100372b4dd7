//! Stories: events that belong together. They are fixtures, slices of the corpus, and reads that are made to be ambiguous.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use responder_audit::input::find_events;
use responder_core::facts::Facts;
use serde_json::{Value, json};
use simulation::corpus::{list_classes, make_facts, make_sample};
use simulation::random::SeededRandom;

/// Events, and what is known of the world.
#[derive(Clone)]
pub(crate) struct EventStory {
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
    pub(crate) facts: Facts,
}

/// One of some values.
pub(crate) fn choose<'a, T>(random: &mut SeededRandom, all: &'a [T]) -> &'a T {
    &all[random.index(all.len())]
}

/// Every timeline, and every case of access and failure.
pub(crate) fn read_fixtures() -> Vec<EventStory> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut open: Vec<PathBuf> = ["timelines", "access", "failure"].map(|name| root.join(name)).into();
    let mut stories = Vec::new();
    while let Some(folder) = open.pop() {
        let mut paths = BTreeSet::new();
        for entry in fs::read_dir(&folder).unwrap() {
            paths.insert(entry.unwrap().path());
        }
        if paths.iter().any(|path| path.ends_with("about.json")) {
            stories.push(read_story(&folder, &paths));
        } else {
            open.extend(paths.into_iter().filter(|path| path.is_dir()));
        }
    }
    stories.retain(|story| !story.events.is_empty());
    stories.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(stories.len() > 50);
    stories
}

/// The files of a case that hold no events.
const COMPANIONS: [&str; 3] = ["about.json", "facts.json", "expected.json"];

fn read_story(folder: &Path, paths: &BTreeSet<PathBuf>) -> EventStory {
    let mut events = Vec::new();
    for path in paths {
        if COMPANIONS.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        find_events(&fs::read(path).unwrap(), &mut |found| {
            if let Ok(document) = found {
                events.push(document.text.into_owned());
            }
        });
    }
    let facts = match fs::read_to_string(folder.join("facts.json")) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => Facts::default(),
    };
    EventStory { name: folder.file_name().unwrap().to_string_lossy().into_owned(), events, facts }
}

/// At most `most` deliveries in a row of each of one or two samples of the corpus.
pub(crate) fn slice_corpus(random: &mut SeededRandom, most: u64) -> EventStory {
    let classes = list_classes();
    let mut name = String::new();
    let mut events = Vec::new();
    let mut played = Vec::new();
    for _ in 0..=random.below(2) {
        let class = *choose(random, &classes);
        let sample = make_sample(class, random.next_u64());
        let count = sample.events.len().min(usize::try_from(most).unwrap());
        let from = random.index(sample.events.len() - count + 1);
        for (_, event) in &sample.events[from..from + count] {
            events.push(event.to_string());
        }
        name = format!("{name} {}", class.name);
        played.push(sample);
    }
    EventStory { name, events, facts: make_facts(&played) }
}

/// Reads and refusals near every threshold, of secrets whose spellings can mean one another.
pub(crate) fn make_ambiguous_story(random: &mut SeededRandom) -> EventStory {
    let count = 10 + random.below(60);
    let spread = *choose(random, &[300, 1_500, 6_000]);
    let mut events = Vec::new();
    for number in 0..count {
        events.push(make_ambiguous_event(random, number, spread).to_string());
    }
    EventStory { name: "an ambiguous story".to_owned(), events, facts: Facts::default() }
}

fn make_ambiguous_event(random: &mut SeededRandom, number: u64, spread: u64) -> Value {
    let second = random.below(spread);
    let region = *choose(random, &["us-west-2", "us-west-2", "us-west-2", "eu-west-1"]);
    let spelled = spell_ambiguously(random, region);
    let user = random.below(2);
    let at = format!("2026-03-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    let mut detail = json!({
        "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "awsRegion": region,
        "eventTime": at, "eventID": format!("event-{number}"), "recipientAccountId": "111122223333",
        "requestParameters": { "secretId": spelled },
        "userIdentity": { "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/u{user}") },
    });
    if random.chance(200) {
        detail["errorCode"] = json!("AccessDenied");
        detail["requestParameters"] = json!(null);
        detail["errorMessage"] = json!(format!(
            "User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: {spelled} because no"
        ));
    }
    json!({
        "version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
        "account": "111122223333", "time": at, "region": region, "resources": [], "detail": detail,
    })
}

/// A secret by its name or an ARN. Some names end as an ARN's suffix does, and some have several suffixes: the secret was made again.
fn spell_ambiguously(random: &mut SeededRandom, region: &str) -> String {
    let name = match random.below(3) {
        0 => format!("tenant-{:06}", random.below(9)),
        1 => (*choose(random, &["s", "s-abcdef", "s-abcdef-123456", "s-uvwxyz"])).to_owned(),
        _ => format!("prod/{}", random.below(9)),
    };
    let arn = format!("arn:aws:secretsmanager:{region}:111122223333:secret:{name}");
    match random.below(3) {
        0 => name,
        1 => arn,
        _ => format!("{arn}-{}", choose(random, &["a1B2c3", "d4E5f6"])),
    }
}
