//! Events that belong together: the fixtures, slices of the corpus, and reads that are made to be ambiguous.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use responder_audit::input::find_events;
use responder_core::facts::Facts;
use serde_json::json;
use simulation::Random;
use simulation::corpus::{facts, resolve_spellings, sample};

/// Events, and what is known of the world.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
    pub(crate) facts: Facts,
}

/// Every timeline, and every case of access and failure.
pub(crate) fn fixtures() -> Vec<Story> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut open: Vec<PathBuf> = ["timelines", "access", "failure"].map(|name| root.join(name)).into();
    let mut stories = Vec::new();
    while let Some(folder) = open.pop() {
        let paths: BTreeSet<PathBuf> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        if paths.iter().any(|path| path.ends_with("about.json")) {
            stories.push(story(&folder, &paths));
        } else {
            open.extend(paths.into_iter().filter(|path| path.is_dir()));
        }
    }
    stories.retain(|story| !story.events.is_empty());
    stories.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(stories.len() > 50);
    stories
}

fn story(folder: &Path, paths: &BTreeSet<PathBuf>) -> Story {
    let companions = ["about.json", "facts.json", "expected.json"];
    let companion = |path: &&PathBuf| companions.iter().any(|name| path.ends_with(name));
    let mut events = Vec::new();
    for path in paths.iter().filter(|path| !companion(path)) {
        find_events(&fs::read(path).unwrap(), &mut |found| {
            events.extend(found.ok().map(|found| found.text.into_owned()));
        });
    }
    let facts = fs::read_to_string(folder.join("facts.json"));
    let facts = facts.map_or_else(|_| Facts::default(), |text| serde_json::from_str(&text).unwrap());
    Story { name: folder.file_name().unwrap().to_string_lossy().into_owned(), events, facts }
}

/// At most `most` deliveries in a row of each of one or two samples of the corpus.
pub(crate) fn slice(random: &mut Random, most: u64) -> Story {
    let resolve_spellings = resolve_spellings();
    let mut name = String::new();
    let (mut events, mut played) = (Vec::new(), Vec::new());
    for _ in 0..=random.below(2) {
        let class = resolve_spellings[usize::try_from(random.below(resolve_spellings.len() as u64)).unwrap()];
        let sample = sample(class, random.next_u64());
        let count = usize::try_from(most.min(sample.events.len() as u64)).unwrap();
        let from = usize::try_from(random.below((sample.events.len() - count) as u64 + 1)).unwrap();
        events.extend(sample.events[from..from + count].iter().map(|(_, event)| event.to_string()));
        name = format!("{name} {}", class.name);
        played.push(sample);
    }
    Story { name, events, facts: facts(&played) }
}

/// Reads and refusals near every threshold, of secrets whose spellings can mean one another.
pub(crate) fn muddle(random: &mut Random) -> Story {
    let count = 10 + random.below(60);
    let spread = [300, 1_500, 6_000][usize::try_from(random.below(3)).unwrap()];
    let events = (0..count).map(|number| ambiguous(random, number, spread)).collect();
    Story { name: "a muddle".to_owned(), events, facts: Facts::default() }
}

fn ambiguous(random: &mut Random, number: u64, spread: u64) -> String {
    let second = random.below(spread);
    let region =
        ["us-west-2", "us-west-2", "us-west-2", "eu-west-1"][usize::try_from(random.below(4)).unwrap()];
    // Names that end as an ARN's suffix does, and several suffixes of one name: a secret that was made again.
    let name = match random.below(3) {
        0 => format!("tenant-{:06}", random.below(9)),
        1 => ["s", "s-abcdef", "s-abcdef-123456", "s-uvwxyz"][usize::try_from(random.below(4)).unwrap()]
            .to_owned(),
        _ => format!("prod/{}", random.below(9)),
    };
    let arn = format!("arn:aws:secretsmanager:{region}:111122223333:secret:{name}");
    let spelled = match random.below(3) {
        0 => name,
        1 => arn,
        _ => format!("{arn}-{}", ["a1B2c3", "d4E5f6"][usize::try_from(random.below(2)).unwrap()]),
    };
    let (who, at) = (
        random.below(2),
        format!("2026-03-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60),
    );
    let mut detail = json!({
        "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "awsRegion": region,
        "eventTime": at, "eventID": format!("event-{number}"), "recipientAccountId": "111122223333",
        "requestParameters": { "secretId": spelled },
        "userIdentity": { "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/u{who}") },
    });
    if random.chance(200) {
        detail["errorCode"] = json!("AccessDenied");
        detail["requestParameters"] = json!(null);
        detail["errorMessage"] = json!(format!(
            "User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: {spelled} because no"
        ));
    }
    let event = json!({
        "version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
        "account": "111122223333", "time": at, "region": region, "resources": [], "detail": detail,
    });
    event.to_string()
}
