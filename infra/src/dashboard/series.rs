//! Synthetic series that tell a story: a day of work, a wave of rotations at 03:00, a theft at 14:20.

use responder_core::hash;

/// The points of a day: one each ten minutes, from midnight to midnight.
pub(super) const POINTS_A_DAY: usize = 145;

/// The point at which the rotations begin: 03:00.
const ROTATIONS_POINT: i64 = 18;
/// The point at which the theft begins: 14:20.
const THEFT_POINT: i64 = 86;

/// The parts that a series is the sum of.
#[derive(Default)]
struct SeriesShape {
    /// The value at any time.
    base: i64,
    /// The most that the hours of work add.
    work: i64,
    /// The most that the rotations add: at their beginning; it takes an hour and a half to end.
    rotations: i64,
    /// How much the theft adds, for half an hour.
    theft: i64,
    /// How far chance changes the sum, in percent.
    noise: i64,
}

/// The values of a metric, by its name, the value of its dimension and its label.
pub(super) fn synthetic_series(name: &str, dimension: &str, label: &str) -> [i64; POINTS_A_DAY] {
    let shape = series_shape(name, dimension, label);
    let mut values = [0; POINTS_A_DAY];
    for (value, point) in values.iter_mut().zip(0_i64..) {
        let mut sum = shape.base + shape.work * work_percent(point) / 100;
        let since_rotations = point - ROTATIONS_POINT;
        if (0..9).contains(&since_rotations) {
            sum += shape.rotations * (9 - since_rotations) / 9;
        }
        // On-call is paged once, at the beginning of the theft.
        let theft_points = if name == "PagesSent" { 1 } else { 3 };
        if (0..theft_points).contains(&(point - THEFT_POINT)) {
            sum += shape.theft;
        }
        let noise = sum * shape.noise * chance_percent(name, dimension, label, point) / 10_000;
        *value = (sum + noise).max(0);
    }
    values
}

fn series_shape(name: &str, dimension: &str, label: &str) -> SeriesShape {
    let none = SeriesShape::default();
    match (name, dimension) {
        ("DeploymentsForced", "rotation") => SeriesShape { rotations: 38, noise: 20, ..none },
        ("DeploymentsForced", _) => SeriesShape { rotations: 22, noise: 40, ..none },
        ("DeploymentsDeferred", "rotation") => SeriesShape { rotations: 14, noise: 30, ..none },
        ("DeploymentsDeferred", _) => SeriesShape { rotations: 7, noise: 50, ..none },
        ("SecondsToConsume", _) => {
            let rotations = if label.starts_with("half") {
                85
            } else if label.starts_with("nine") {
                190
            } else {
                330
            };
            SeriesShape { rotations, noise: 12, ..none }
        }
        ("PagesSent", "access") => SeriesShape { theft: 2, ..none },
        ("EventsAnswered", _) => SeriesShape { base: 160, work: 420, rotations: 260, theft: 640, noise: 12 },
        ("EventsCoalesced", _) => SeriesShape { base: 12, work: 30, noise: 40, ..none },
        ("MatchedEvents" | "Invocations", "access-secret-read") => {
            SeriesShape { base: 170, work: 440, rotations: 260, theft: 600, noise: 12 }
        }
        ("MatchedEvents" | "Invocations", "access-read-denied") => {
            SeriesShape { base: 1, work: 6, theft: 190, noise: 60, ..none }
        }
        ("MatchedEvents" | "Invocations", "access-batch-read") => {
            SeriesShape { base: 8, work: 22, theft: 40, noise: 35, ..none }
        }
        ("ApproximateNumberOfMessagesVisible", "access") => {
            SeriesShape { base: 2, work: 9, rotations: 6, theft: 46, noise: 60 }
        }
        ("ApproximateNumberOfMessagesVisible", "rotation") => {
            SeriesShape { rotations: 31, noise: 40, ..none }
        }
        ("ApproximateAgeOfOldestMessage", "access") => {
            SeriesShape { base: 3, work: 3, theft: 9, noise: 30, ..none }
        }
        ("ApproximateAgeOfOldestMessage", "rotation") => SeriesShape { rotations: 24, noise: 30, ..none },
        ("Invocations", "access") => SeriesShape { base: 34, work: 60, rotations: 32, theft: 70, noise: 12 },
        ("Invocations", "rotation") => SeriesShape { base: 1, rotations: 58, noise: 25, ..none },
        ("Invocations", "sweep") => SeriesShape { base: 6, ..none },
        ("Invocations", "failure") => SeriesShape { base: 1, ..none },
        ("Duration", "access") => {
            SeriesShape { base: 1_900, work: 3_100, rotations: 1_500, theft: 5_200, noise: 15 }
        }
        ("Duration", "rotation") => SeriesShape { base: 4, rotations: 7_300, noise: 25, ..none },
        ("Duration", "sweep") => SeriesShape { base: 420, rotations: 2_600, noise: 15, ..none },
        ("Duration", _) => SeriesShape { base: 4, ..none },
        ("ConsumedWriteCapacityUnits", _) => {
            SeriesShape { base: 330, work: 860, rotations: 760, theft: 420, noise: 12 }
        }
        ("ConsumedReadCapacityUnits", _) => {
            SeriesShape { base: 900, work: 2_300, rotations: 2_900, theft: 1_700, noise: 12 }
        }
        _ => none,
    }
}

/// How busy people are, in percent: from 07:00 to 19:00, most at 13:00.
fn work_percent(point: i64) -> i64 {
    let from_peak = (point - 78).abs();
    (100 - from_peak * from_peak * 100 / (36 * 36)).max(0)
}

/// A number from -100 to 100 that is the same each time.
fn chance_percent(name: &str, dimension: &str, label: &str, point: i64) -> i64 {
    let hash = hash::hash_parts(&[name, dimension, label, &point.to_string()]);
    let digits = hash.get(..8).unwrap_or_default();
    i64::from_str_radix(digits, 16).unwrap_or_default() % 201 - 100
}
