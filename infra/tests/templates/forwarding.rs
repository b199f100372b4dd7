//! What a rule at home takes, a forwarder sends: no event is lost on the way, and few are sent for nothing.

use std::fs;

use eventbridge_pattern::Pattern;
use infra::rules::{State, deployed, forwards};

use super::code::{folders, workspace};

#[test]
fn whatever_a_rule_takes_is_forwarded_and_at_most_twice() {
    let rules = responder_core::rules::builtin().unwrap();
    let forwards: Vec<Pattern> =
        forwards(&rules).iter().map(|forward| Pattern::parse(&forward.pattern).unwrap()).collect();
    let mut taken = 0;
    for folder in folders(&workspace("fixtures")) {
        for file in ["event.json", "events.jsonl"] {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            let records = if file == "event.json" { vec![text.as_str()] } else { text.lines().collect() };
            // A record that is no event matches nothing.
            let matches = |pattern: &Pattern, record: &str| pattern.matches(record).unwrap_or(false);
            for record in records {
                if deployed(&rules).any(|rule| matches(&rule.pattern, record)) {
                    taken += 1;
                    let sent = forwards.iter().filter(|forward| matches(forward, record)).count();
                    // Some come as two kinds, such as a refused call of what is also watched for itself. At home each counts
                    // once, by its id.
                    assert!((1..=2).contains(&sent), "{sent} times: {}", folder.display());
                }
            }
        }
    }
    assert!(taken > 50, "only {taken} events of the fixtures match a rule");
}

#[test]
fn a_forwarder_gets_reads_where_a_rule_at_home_does() {
    let rules = responder_core::rules::builtin().unwrap();
    let wants_reads =
        |minified: &str| State::of(&serde_json::from_str(minified).unwrap()) == State::AllManagementEvents;
    let home = deployed(&rules).any(|rule| wants_reads(rule.pattern.minified()));
    let away = forwards(&rules).iter().any(|forward| forward.state == State::AllManagementEvents);
    assert!(home && away);
}
