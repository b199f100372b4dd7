//! A forwarder sends the events that a rule at home takes: none is lost on the way, and few are sent for nothing.

use std::fs;

use eventbridge_pattern::Pattern;
use infra::event_rules::{RuleState, deployed_rules, forwarding_rules};

use super::code::{list_folders, workspace_path};

#[test]
fn every_event_that_a_rule_takes_is_forwarded_once_or_twice() {
    let rules = responder_core::rules::builtin().unwrap();
    let forwards: Vec<Pattern> =
        forwarding_rules(&rules).iter().map(|forward| Pattern::parse(&forward.pattern).unwrap()).collect();
    let mut taken = 0;
    for folder in list_folders(&workspace_path("fixtures")) {
        for file in ["event.json", "events.jsonl"] {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            let records = if file == "event.json" { vec![text.as_str()] } else { text.lines().collect() };
            // A record that is no event matches nothing.
            let matches = |pattern: &Pattern, record: &str| pattern.matches(record).unwrap_or(false);
            for record in records {
                if deployed_rules(&rules).any(|rule| matches(&rule.pattern, record)) {
                    taken += 1;
                    let sent = forwards.iter().filter(|forward| matches(forward, record)).count();
                    // Two forwarding rules take some events, such as a refused call whose success is watched as well. At home
                    // such an event counts once, by its id.
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
    let wants_reads = |minified: &str| {
        RuleState::needed_for(&serde_json::from_str(minified).unwrap()) == RuleState::AllManagementEvents
    };
    let home = deployed_rules(&rules).any(|rule| wants_reads(rule.pattern.minified()));
    let away = forwarding_rules(&rules).iter().any(|forward| forward.state == RuleState::AllManagementEvents);
    assert!(home && away);
}
