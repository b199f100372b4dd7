//! The daily summary over the ledger: nothing that is noted gets lost or counts twice, and it is sent once.

use responder_core::rules::Handler;

use super::{FunctionSet, read, sweep};
use crate::fake::PlannedFault;

const DAY: i64 = 86_400;

/// Six first reads in two batches, one of them told twice, and the sweeps of the next morning; with a trouble at one call.
/// Returns the summaries, and how many calls it took.
fn day(trouble: Option<(usize, PlannedFault)>) -> (Vec<String>, usize) {
    let mut world = FunctionSet::new();
    world.engine.settings.first_reads = true;
    world.engine.aws.trouble.set(trouble);
    let batches: [Vec<String>; 3] = [
        (0..4).map(|i| read(i, i)).collect(),
        (3..6).map(|i| read(i, i)).collect(),
        // Read again: neither a first read nor a write.
        (0..6).map(|i| read(600 + i, i)).collect(),
    ];
    for (number, batch) in (0..).zip(batches) {
        world.deliver_all(60 + number * 600, &batch);
    }
    // It starts at three: half past five, then after six.
    for second in [9_000, DAY + 9_000, DAY + 10_900, DAY + 11_000, DAY + 11_100, DAY + 11_200] {
        world.deliver(Handler::Sweep, second, &[sweep(second)]);
    }
    let bodies = world.engine.aws.bodies.borrow();
    (
        bodies.iter().filter(|body| body.starts_with("Daily summary")).cloned().collect(),
        world.engine.aws.turns.get(),
    )
}

#[test]
fn what_is_noted_of_a_day_is_told_once_and_counts_once_whatever_fails() {
    let (summaries, calls) = day(None);
    assert_eq!(summaries.len(), 1);
    for turn in 0..calls {
        for trouble in [
            PlannedFault::Refused,
            PlannedFault::Unanswered,
            PlannedFault::DiesBefore,
            PlannedFault::DiesAfter,
        ] {
            let (notified, _) = day(Some((turn, trouble)));
            // Once more where nobody can know that it was told.
            assert!((1..=2).contains(&notified.len()), "{turn} {trouble:?}: {notified:?}");
            for summary in &notified {
                assert!(
                    summary.contains("2026-05-04") && summary.contains("6  first-read"),
                    "{trouble:?}: {summary}"
                );
                assert!(
                    (0..6).all(|i| summary.contains(&format!("  s{i}  "))),
                    "{turn} {trouble:?}: {summary}"
                );
                assert!(!summary.contains("times"), "{turn} {trouble:?}: {summary}");
            }
        }
    }
}

#[test]
fn a_read_costs_one_write_a_day_and_what_is_noted_one_a_batch() {
    let mut world = FunctionSet::new();
    let written = |world: &FunctionSet, pk: &str| {
        world.engine.aws.table.borrow().keys().filter(|key| key.pk.starts_with(pk)).count()
    };
    let reads: Vec<String> = (0..9).map(|i| read(i, i)).collect();
    world.deliver_all(60, &reads);
    assert_eq!((written(&world, "seen#"), written(&world, "digest#")), (0, 0));
    world.engine.settings.first_reads = true;
    world.deliver_all(120, &reads);
    assert_eq!((written(&world, "seen#"), written(&world, "digest#")), (9, 1));
    let turns = world.engine.aws.turns.get();
    world.deliver_all(180, &reads);
    let again = world.engine.aws.turns.get() - turns;
    assert_eq!((written(&world, "seen#"), written(&world, "digest#")), (9, 1));
    assert!(again <= 8, "{again} calls for what is known");
}

#[test]
fn the_notes_of_a_batch_are_one_item_unless_that_would_be_too_long() {
    let items = |reads: &[String]| -> Vec<usize> {
        let mut world = FunctionSet::new();
        world.engine.settings.first_reads = true;
        world.deliver_all(120, reads);
        let written = world.engine.aws.written.borrow();
        written.iter().filter(|(key, _)| key.pk.starts_with("digest#")).map(|(_, bytes)| *bytes).collect()
    };
    let ordinary = items(&(0..1_000).map(|i| read(i % 60, i)).collect::<Vec<_>>());
    assert_eq!(ordinary.len(), 1, "{ordinary:?}");
    let long = |i: i64| read(i % 60, i).replace(&format!("s{i}"), &format!("{i}{}", "\u{e9}".repeat(500)));
    let long = items(&(0..1_000).map(long).collect::<Vec<_>>());
    assert!(long.len() > 1 && long.iter().all(|bytes| *bytes < 300_000), "{long:?}");
}
