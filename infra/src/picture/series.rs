//! Made-up series that tell a story: a day of work, a wave of rotations at 03:00, a theft at 14:20.

use responder_core::hash;

/// One each ten minutes, from midnight to midnight.
pub(super) const POINTS: usize = 145;

/// When the rotations begin, and the theft: points.
const ROTATIONS: i64 = 18;
const THEFT: i64 = 86;

/// What a series is made of.
#[derive(Default)]
struct Shape {
    /// What is always there.
    base: i64,
    /// What the hours of work add at the most.
    work: i64,
    /// What the first minutes of the rotations add; it takes an hour and a half to end.
    rotations: i64,
    /// What the theft adds, for half an hour.
    theft: i64,
    /// How much of all that is chance, in percent.
    noise: i64,
}

/// The values of a metric.
pub(super) fn series(name: &str, dimension: &str, label: &str) -> [i64; POINTS] {
    let shape = shape(name, dimension, label);
    let mut values = [0; POINTS];
    for (value, at) in values.iter_mut().zip(0_i64..) {
        let work = shape.work * day(at) / 100;
        let since = at - ROTATIONS;
        let rotations = if (0..9).contains(&since) { shape.rotations * (9 - since) / 9 } else { 0 };
        // It is told at its beginning.
        let lasts = if name == "PagesSent" { 1 } else { 3 };
        let theft = if (0..lasts).contains(&(at - THEFT)) { shape.theft } else { 0 };
        let sum = shape.base + work + rotations + theft;
        *value = (sum + sum * shape.noise * chance(name, dimension, label, at) / 10_000).max(0);
    }
    values
}

fn shape(name: &str, dimension: &str, label: &str) -> Shape {
    let none = Shape::default();
    match (name, dimension) {
        ("DeploymentsForced", "rotation") => Shape { rotations: 38, noise: 20, ..none },
        ("DeploymentsForced", _) => Shape { rotations: 22, noise: 40, ..none },
        ("DeploymentsHeld", "rotation") => Shape { rotations: 14, noise: 30, ..none },
        ("DeploymentsHeld", _) => Shape { rotations: 7, noise: 50, ..none },
        ("SecondsToConsume", _) => {
            let rotations = if label.starts_with("half") {
                85
            } else if label.starts_with("nine") {
                190
            } else {
                330
            };
            Shape { rotations, noise: 12, ..none }
        }
        ("PagesSent", "access") => Shape { theft: 2, ..none },
        ("EventsAnswered", _) => Shape { base: 160, work: 420, rotations: 260, theft: 640, noise: 12 },
        ("EventsCoalesced", _) => Shape { base: 12, work: 30, noise: 40, ..none },
        ("MatchedEvents" | "Invocations", "access-secret-read") => {
            Shape { base: 170, work: 440, rotations: 260, theft: 600, noise: 12 }
        }
        ("MatchedEvents" | "Invocations", "access-read-denied") => {
            Shape { base: 1, work: 6, theft: 190, noise: 60, ..none }
        }
        ("MatchedEvents" | "Invocations", "access-batch-read") => {
            Shape { base: 8, work: 22, theft: 40, noise: 35, ..none }
        }
        ("ApproximateNumberOfMessagesVisible", "access") => {
            Shape { base: 2, work: 9, rotations: 6, theft: 46, noise: 60 }
        }
        ("ApproximateNumberOfMessagesVisible", "rotation") => Shape { rotations: 31, noise: 40, ..none },
        ("ApproximateAgeOfOldestMessage", "access") => {
            Shape { base: 3, work: 3, theft: 9, noise: 30, ..none }
        }
        ("ApproximateAgeOfOldestMessage", "rotation") => Shape { rotations: 24, noise: 30, ..none },
        ("Invocations", "access") => Shape { base: 34, work: 60, rotations: 32, theft: 70, noise: 12 },
        ("Invocations", "rotation") => Shape { base: 1, rotations: 58, noise: 25, ..none },
        ("Invocations", "sweep") => Shape { base: 6, ..none },
        ("Invocations", "failure") => Shape { base: 1, ..none },
        ("Duration", "access") => {
            Shape { base: 1_900, work: 3_100, rotations: 1_500, theft: 5_200, noise: 15 }
        }
        ("Duration", "rotation") => Shape { base: 4, rotations: 7_300, noise: 25, ..none },
        ("Duration", "sweep") => Shape { base: 420, rotations: 2_600, noise: 15, ..none },
        ("Duration", _) => Shape { base: 4, ..none },
        ("ConsumedWriteCapacityUnits", _) => {
            Shape { base: 330, work: 860, rotations: 760, theft: 420, noise: 12 }
        }
        ("ConsumedReadCapacityUnits", _) => {
            Shape { base: 900, work: 2_300, rotations: 2_900, theft: 1_700, noise: 12 }
        }
        _ => none,
    }
}

/// How busy people are, in percent: from 07:00 to 19:00, most at 13:00.
fn day(at: i64) -> i64 {
    let from_noon = (at - 78).abs();
    (100 - from_noon * from_noon * 100 / (36 * 36)).max(0)
}

/// From -100 to 100, the same each time.
fn chance(name: &str, dimension: &str, label: &str, at: i64) -> i64 {
    let hash = hash::hash_parts(&[name, dimension, label, &at.to_string()]);
    let digits = hash.get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    digits.unwrap_or_default() % 201 - 100
}
