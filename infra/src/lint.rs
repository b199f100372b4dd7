//! Checks a template: what must hold of it, whoever changes it. Each rule is about what the template comes to in a place, not about how it is
//! written.

mod access;
mod alarms;
mod extras;
mod inventory;
mod types;
mod view;
mod wires;

use std::fmt;

use responder_core::rules::RuleSet;
use serde_json::Value;

use crate::resolve::Place;
use view::View;

/// Something that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The resource, or another part of the template.
    pub at: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// Everything that is wrong with a template of this name: `responder`, `forwarder`, `trail`, `dashboard` or `reference`.
pub fn lint(name: &str, template: &Value, rules: &RuleSet) -> Vec<Finding> {
    let mut found = Vec::new();
    for place in places(name) {
        match View::of(template, place) {
            Ok(view) => {
                types::check(&view, &mut found);
                match name {
                    "responder" => {
                        inventory::responder(&view, rules, &mut found);
                        wires::check(&view, rules, &mut found);
                        access::responder(&view, rules, &mut found);
                        alarms::check(&view, &mut found);
                    }
                    "forwarder" => {
                        inventory::forwarder(&view, rules, &mut found);
                        wires::check(&view, rules, &mut found);
                        access::forwarder(&view, &mut found);
                        alarms::check(&view, &mut found);
                    }
                    _ => extras::check(name, &view, rules, &mut found),
                }
            }
            Err(error) => found.push(Finding { at: error.at, what: error.why }),
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Where a template is looked at: as it is by default, and with everything that can be switched on.
fn places(name: &str) -> Vec<Place> {
    let home = Place::new("111122223333", "eu-west-1");
    let away = Place::new("111122223333", "us-east-1").with("HomeRegion", "eu-west-1");
    match name {
        "responder" => {
            let plain = home.with("CodeBucket", "code").with("CodePrefix", "build/");
            let full = plain
                .clone()
                .with("Prefix", "other")
                .with("Chat", "on")
                .with("PageEmail", "on-call@example.org")
                .with("BackupTopicArn", "arn:aws:sns:eu-west-1:111122223333:backup")
                .with("TrustedAccounts", "444455556666,777788889999")
                .with("OrganizationId", "o-a1b2c3d4e5")
                .with("Timing", "large")
                .with("Architecture", "x86_64")
                .with("SettleSeconds", "30");
            vec![plain, full]
        }
        "forwarder" => {
            let full = away
                .clone()
                .with("HomeAccount", "999988887777")
                .with("Heartbeat", "off")
                .with("Prefix", "other")
                .with("AlarmEmail", "on-call@example.org");
            vec![away, full]
        }
        "reference" => {
            let image = format!("example.org/app@sha256:{}", "0".repeat(64));
            vec![home.with("VpcId", "vpc-1").with("SubnetIds", "subnet-1,subnet-2").with("Image", &image)]
        }
        _ => vec![home],
    }
}
