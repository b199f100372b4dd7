//! Changes of secrets: what several events tell of one change is one change.

use std::collections::BTreeMap;

use super::observe::LabelMove;
use responder_core::aws::secret_ref::{SecretRef, resolve_spellings};
use responder_core::time::{Span, Timestamp};

/// A change of a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObservedChange {
    pub(super) secret: SecretRef,
    pub(super) version: Option<String>,
    pub(super) at: Timestamp,
}

/// How far apart the events of one change are dated at the most.
const TOGETHER: Span = Span::from_secs(60);

/// The changes that these events tell of, by time. Two versions are two changes, however close.
///
/// Of the events of one change the last move of AWSCURRENT dates it: a deployment after that reads the new value for
/// certain. `RotationSucceeded` is a report of a move, and dates it only if nothing else does. A rotation is reported
/// once: two reports are two changes, however close. They name no version.
pub(super) fn changes<'o>(moves: impl Iterator<Item = &'o LabelMove>) -> Vec<ObservedChange> {
    let moves: Vec<&LabelMove> = moves.collect();
    let names = resolve_spellings(moves.iter().map(|moved| &moved.secret));
    let mut by_secret: BTreeMap<&str, Vec<&LabelMove>> = BTreeMap::new();
    for moved in moves {
        by_secret.entry(names.get(&moved.secret).map_or("", String::as_str)).or_default().push(moved);
    }
    let mut found = Vec::new();
    for mut moves in by_secret.into_values() {
        // An ARN with its random characters says most.
        let spelled = |secret: &&SecretRef| (secret.from_arn, secret.text.raw().len());
        let secret = moves.iter().map(|moved| &moved.secret).max_by_key(spelled).cloned();
        moves.sort();
        let groups = groups(&moves);
        found.extend(secret.into_iter().flat_map(|secret| {
            groups.iter().map(move |group| ObservedChange {
                secret: secret.clone(),
                version: group.version.clone(),
                at: group.moved.unwrap_or(group.first),
            })
        }));
    }
    found.sort_by(|a, b| (a.at, &a.secret, &a.version).cmp(&(b.at, &b.secret, &b.version)));
    found
}

struct ChangeReports {
    first: Timestamp,
    moved: Option<Timestamp>,
    version: Option<String>,
    is_reported: bool,
}

fn groups(moves: &[&LabelMove]) -> Vec<ChangeReports> {
    let mut groups: Vec<ChangeReports> = Vec::new();
    for moved in moves {
        let near = |group: &ChangeReports| moved.at <= group.first.plus(TOGETHER);
        let same = groups
            .iter()
            .rposition(|group| near(group) && moved.version.is_some() && group.version == moved.version);
        let fits = |group: &ChangeReports| {
            let again = group.is_reported && moved.is_report;
            near(group) && !again && (group.version.is_none() || moved.version.is_none())
        };
        let last = groups.last().is_some_and(fits).then(|| groups.len() - 1);
        let at = (!moved.is_report).then_some(moved.at);
        match same.or(last).and_then(|index| groups.get_mut(index)) {
            Some(group) => {
                group.moved = group.moved.max(at);
                group.version = group.version.take().or_else(|| moved.version.clone());
                group.is_reported |= moved.is_report;
            }
            None => groups.push(ChangeReports {
                first: moved.at,
                moved: at,
                version: moved.version.clone(),
                is_reported: moved.is_report,
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::tests::at;
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn moved(second: i64, secret: &str, version: Option<&str>, is_report: bool) -> LabelMove {
        let secret = SecretRef::typed(secret, "111122223333", "us-west-2").unwrap();
        LabelMove { at: at(second), secret, version: version.map(str::to_owned), is_report }
    }

    fn found(moves: &[LabelMove]) -> Vec<(i64, Option<String>)> {
        let found = changes(moves.iter());
        let backwards = changes(moves.iter().rev());
        assert_eq!(found, backwards);
        found
            .into_iter()
            .map(|change| ((change.at.millis() - at(0).millis()) / 1_000, change.version))
            .collect()
    }

    #[test]
    fn what_a_rotation_tells_three_times_is_one_change_at_its_last_move() {
        let version = Some("v1");
        let notified =
            [moved(0, "prod/db", version, false), moved(1, ARN, version, false), moved(3, ARN, None, true)];
        assert_eq!(found(&notified), [(1, Some("v1".to_owned()))]);
        assert_eq!(changes(notified.iter())[0].secret.text.raw(), "prod/db-a1B2c3");
        assert_eq!(found(&notified[2..]), [(3, None)]);
    }

    #[test]
    fn two_versions_and_two_minutes_are_two_changes() {
        let quick = [moved(0, ARN, Some("v1"), false), moved(10, ARN, Some("v2"), false)];
        assert_eq!(found(&quick).len(), 2);
        assert_eq!(found(&[moved(0, ARN, None, false), moved(60, ARN, None, false)]).len(), 1);
        assert_eq!(found(&[moved(0, ARN, None, false), moved(61, ARN, None, false)]).len(), 2);
        assert_eq!(found(&[moved(0, ARN, None, false), moved(0, "prod/other", None, false)]).len(), 2);
    }

    #[test]
    fn two_reports_are_two_rotations_and_a_report_and_its_move_are_one() {
        let report = |second| moved(second, ARN, None, true);
        let label = |second, version| moved(second, "prod/db", Some(version), false);
        let times = |moves: &[LabelMove]| found(moves).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(times(&[report(0), report(40)]), [0, 40]);
        assert_eq!(times(&[report(0), report(20), report(40)]), [0, 20, 40]);
        assert_eq!(times(&[label(0, "v1"), report(2), report(40)]), [0, 40]);
        // The native event may be dated before or after the report.
        for (first, second) in [(0, 39), (3, 41), (0, 41), (3, 39)] {
            let both = [label(first, "v1"), report(2), label(second, "v2"), report(40)];
            let notified = [(first, Some("v1".to_owned())), (second, Some("v2".to_owned()))];
            assert_eq!(found(&both), notified);
        }
    }
}
