//! P3: an incident is one page, and the ledger knows which pages were sent. P7: SNS accepts each of them.

use std::collections::BTreeMap;

use super::context::OracleContext;
use super::page_subject::{ROLLOUT_RULE, label_service};
use crate::cloud::SentNotification;

/// An incident is one page, and one more at most where its sender died, or where a call on the way was lost.
pub(super) fn check_pages_are_sent_once(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    let mut marked: BTreeMap<&str, Vec<&SentNotification>> = BTreeMap::new();
    for sent in &context.pages {
        if sent.marked {
            marked.entry(&sent.key).or_default().push(sent);
            continue;
        }
        let is_disturbed = context.world.with_record(|record| record.disturbed.contains(&sent.by));
        if sent.is_open() && !is_disturbed {
            let SentNotification { at, by, page, .. } = sent;
            violations.push(format!("invocation {by} sent {} at {at} and did not mark it", page.subject));
        }
    }
    for (key, copies) in marked {
        let is_of_rollouts = copies.iter().all(|sent| sent.attribute("rule") == ROLLOUT_RULE);
        if is_of_rollouts && copies.len() > 1 {
            violations.push(format!("the incident {key} was sent and marked {} times", copies.len()));
        }
    }
}

/// Where the ledger says that people were notified of a service and a secret, a page names both.
pub(super) fn check_ledger_matches_pages(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    for (service, secret) in list_notified_consumers(context) {
        let name = secret.rsplit('/').next().unwrap_or_default();
        let label = label_service(&service);
        let is_sent =
            context.pages.iter().any(|sent| sent.page.body.contains(label) && sent.page.body.contains(name));
        if !is_sent {
            violations.push(format!("nobody was notified of {service} and {secret}, and the ledger says so"));
        }
    }
}

/// The services (ARNs) and secrets (keys) of which people were notified, by the ledger.
fn list_notified_consumers(context: &OracleContext<'_>) -> Vec<(String, String)> {
    context.world.with_table(|table| {
        let mut consumers = Vec::new();
        for item in table.items() {
            let Some(names) = item.key.sk.strip_prefix("notified#") else { continue };
            if let Some((service, secret)) = names.split_once('#') {
                consumers.push((service.to_owned(), secret.to_owned()));
            }
        }
        consumers
    })
}

/// SNS and the chats accept every page.
pub(super) fn check_pages_are_accepted(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    context.world.with_record(|record| violations.extend(record.unpublishable.iter().cloned()));
}
