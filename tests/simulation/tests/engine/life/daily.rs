//! The daily summary over the ledger: nothing that is noted gets lost or counts twice, and it is sent once.

use responder_core::rules::Handler;
use responder_core::settings::Settings;
use simulation::cloud::CallFault;

use super::{FAULTS, at, deliver_all, functions, read, run_sweep};
use crate::functions::{CloudView as _, FunctionSet};

const DAY: i64 = 86_400;

fn functions_with_summary(fault: Option<(u64, CallFault)>) -> FunctionSet {
    functions(fault, Settings { first_reads: true, ..Settings::default() })
}

/// Six first reads in two batches, one of them delivered twice, and the sweeps of the next morning; one call goes wrong.
/// Returns the summaries, and how many calls it took.
fn day(fault: Option<(u64, CallFault)>) -> (Vec<String>, u64) {
    let mut functions = functions_with_summary(fault);
    let batches: [Vec<String>; 3] = [
        (0..4).map(|i| read(i, i)).collect(),
        (3..6).map(|i| read(i, i)).collect(),
        // Read again: neither a first read nor a write.
        (0..6).map(|i| read(600 + i, i)).collect(),
    ];
    for (number, batch) in (0..).zip(batches) {
        deliver_all(&mut functions, 60 + number * 600, &batch);
    }
    // It starts at three: half past five, then after six.
    for second in [9_000, DAY + 9_000, DAY + 10_900, DAY + 11_000, DAY + 11_100, DAY + 11_200] {
        run_sweep(&mut functions, second);
    }
    let mut summaries = Vec::new();
    for page in functions.cloud.pages() {
        if page.page.body.starts_with("Daily summary") {
            summaries.push(page.page.body);
        }
    }
    (summaries, functions.cloud.count_all_calls())
}

#[test]
fn what_is_noted_of_a_day_is_told_once_and_counts_once_whatever_fails() {
    let (summaries, calls) = day(None);
    assert_eq!(summaries.len(), 1);
    for call in 0..calls {
        for fault in FAULTS {
            let (notified, _) = day(Some((call, fault)));
            // Once more where no invocation can know that it was sent.
            assert!((1..=2).contains(&notified.len()), "{call} {fault:?}: {notified:?}");
            for summary in &notified {
                assert!(
                    summary.contains("2026-05-04") && summary.contains("6  first-read"),
                    "{fault:?}: {summary}"
                );
                assert!(
                    (0..6).all(|i| summary.contains(&format!("  s{i}  "))),
                    "{call} {fault:?}: {summary}"
                );
                assert!(!summary.contains("times"), "{call} {fault:?}: {summary}");
            }
        }
    }
}

#[test]
fn a_read_costs_one_write_a_day_and_what_is_noted_one_a_batch() {
    let mut functions = functions(None, Settings::default());
    let count_items = |functions: &FunctionSet| {
        (functions.cloud.count_items("seen#"), functions.cloud.count_items("digest#"))
    };
    let reads: Vec<String> = (0..9).map(|i| read(i, i)).collect();
    deliver_all(&mut functions, 60, &reads);
    assert_eq!(count_items(&functions), (0, 0));
    functions.engine.settings.first_reads = true;
    deliver_all(&mut functions, 120, &reads);
    assert_eq!(count_items(&functions), (9, 1));
    let calls = functions.cloud.count_all_calls();
    deliver_all(&mut functions, 180, &reads);
    let again = functions.cloud.count_all_calls() - calls;
    assert_eq!(count_items(&functions), (9, 1));
    assert!(again <= 8, "{again} calls for what is known");
}

#[test]
fn the_notes_of_a_batch_are_one_item_unless_that_would_be_too_long() {
    let ordinary = digest_items(&(0..1_000).map(|i| read(i % 60, i)).collect::<Vec<_>>());
    assert_eq!(ordinary.len(), 1, "{ordinary:?}");
    let long = |i: i64| read(i % 60, i).replace(&format!("s{i}"), &format!("{i}{}", "\u{e9}".repeat(500)));
    let long = digest_items(&(0..1_000).map(long).collect::<Vec<_>>());
    assert!(long.len() > 1 && long.iter().all(|bytes| *bytes < 300_000), "{long:?}");
}

/// The bytes of the digest items that are written for a batch.
fn digest_items(reads: &[String]) -> Vec<u64> {
    let mut functions = functions_with_summary(None);
    assert!(functions.deliver(Handler::Access, at(120), reads));
    let mut items = Vec::new();
    for (key, bytes) in functions.cloud.take_journal().writes {
        if key.pk.starts_with("digest#") {
            items.push(bytes);
        }
    }
    items
}
