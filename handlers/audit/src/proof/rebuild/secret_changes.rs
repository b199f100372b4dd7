//! Changes of secrets: the events that show one change count as one change.

use std::collections::BTreeMap;

use crate::proof::evidence::LabelMove;
use responder_core::aws::secret_ref::{SecretRef, resolve_spellings};
use responder_core::time::{Span, Timestamp};

/// A change of a secret's value. The derived order is by time, then by secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObservedChange {
    pub(super) at: Timestamp,
    pub(super) secret: SecretRef,
    pub(super) version: Option<String>,
}

/// How far apart the times of the events of one change may be.
const CHANGE_MERGE_WINDOW: Span = Span::from_secs(60);

/// Finds the changes that these moves of AWSCURRENT show, by time. The rules:
///
/// 1. Two versions are two changes, however close in time they are.
/// 2. The last move of AWSCURRENT dates the change: a deployment after that reads the new value for certain.
/// 3. `RotationSucceeded` only reports a move. It dates the change if nothing else does.
/// 4. A rotation is reported once: two reports are two changes, however close in time they are. They name no version.
pub(super) fn find_changes(moves: &[&LabelMove]) -> Vec<ObservedChange> {
    let names = resolve_spellings(moves.iter().map(|label_move| &label_move.secret));
    let mut moves_by_name: BTreeMap<&str, Vec<&LabelMove>> = BTreeMap::new();
    for label_move in moves {
        if let Some(name) = names.get(&label_move.secret) {
            moves_by_name.entry(name).or_default().push(label_move);
        }
    }
    let mut changes = Vec::new();
    for mut moves in moves_by_name.into_values() {
        moves.sort();
        let Some(secret) = choose_spelling(&moves) else { continue };
        for group in group_moves(&moves) {
            let at = group.moved_at.unwrap_or(group.first_at);
            changes.push(ObservedChange { at, secret: secret.clone(), version: group.version });
        }
    }
    changes.sort();
    changes
}

/// Returns the spelling that says most about the secret: an ARN with its random characters, if there is one.
fn choose_spelling<'m>(moves: &[&'m LabelMove]) -> Option<&'m SecretRef> {
    let spellings = moves.iter().map(|label_move| &label_move.secret);
    spellings.max_by_key(|secret| (secret.from_arn, secret.text.raw().len()))
}

/// The moves that show one change.
struct MoveGroup {
    /// The time of the first event of the group.
    first_at: Timestamp,
    /// The time of the last move that is not a report.
    moved_at: Option<Timestamp>,
    version: Option<String>,
    is_reported: bool,
}

/// Groups the moves of one secret, which come by time.
fn group_moves(moves: &[&LabelMove]) -> Vec<MoveGroup> {
    let mut groups: Vec<MoveGroup> = Vec::new();
    for label_move in moves {
        let moved_at = if label_move.is_report { None } else { Some(label_move.at) };
        match find_group(&mut groups, label_move) {
            Some(group) => {
                group.moved_at = group.moved_at.max(moved_at);
                if group.version.is_none() {
                    group.version.clone_from(&label_move.version);
                }
                group.is_reported |= label_move.is_report;
            }
            None => groups.push(MoveGroup {
                first_at: label_move.at,
                moved_at,
                version: label_move.version.clone(),
                is_reported: label_move.is_report,
            }),
        }
    }
    groups
}

/// Returns the group that a move belongs to: the last one of the same version, else the last group of all, if one of the
/// two names no version and they are not both reported. Either must have begun shortly before.
fn find_group<'g>(groups: &'g mut [MoveGroup], label_move: &LabelMove) -> Option<&'g mut MoveGroup> {
    let mut found = None;
    for (index, group) in groups.iter().enumerate() {
        if label_move.version.is_some() && group.version == label_move.version && group.is_near(label_move) {
            found = Some(index);
        }
    }
    if let Some(index) = found {
        return groups.get_mut(index);
    }
    let last = groups.last_mut()?;
    let is_reported_twice = last.is_reported && label_move.is_report;
    let names_two_versions = last.version.is_some() && label_move.version.is_some();
    if last.is_near(label_move) && !is_reported_twice && !names_two_versions { Some(last) } else { None }
}

impl MoveGroup {
    fn is_near(&self, label_move: &LabelMove) -> bool {
        label_move.at <= self.first_at.plus(CHANGE_MERGE_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::rotation_proof::tests::at;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn moved(second: i64, secret: &str, version: Option<&str>, is_report: bool) -> LabelMove {
        let secret = SecretRef::from_name_or_arn(secret, "111122223333", "us-west-2").unwrap();
        LabelMove { at: at(second), secret, version: version.map(str::to_owned), is_report }
    }

    fn list_changes(moves: &[LabelMove]) -> Vec<(i64, Option<String>)> {
        let found = find_changes(&moves.iter().collect::<Vec<_>>());
        let backwards = find_changes(&moves.iter().rev().collect::<Vec<_>>());
        assert_eq!(found, backwards);
        found
            .into_iter()
            .map(|change| ((change.at.millis() - at(0).millis()) / 1_000, change.version))
            .collect()
    }

    #[test]
    fn three_events_of_one_rotation_are_one_change_at_its_last_move() {
        let version = Some("v1");
        let notified =
            [moved(0, "prod/db", version, false), moved(1, ARN, version, false), moved(3, ARN, None, true)];
        assert_eq!(list_changes(&notified), [(1, Some("v1".to_owned()))]);
        assert_eq!(find_changes(&notified.iter().collect::<Vec<_>>())[0].secret.text.raw(), "prod/db-a1B2c3");
        assert_eq!(list_changes(&notified[2..]), [(3, None)]);
    }

    #[test]
    fn two_versions_and_two_minutes_are_two_changes() {
        let quick = [moved(0, ARN, Some("v1"), false), moved(10, ARN, Some("v2"), false)];
        assert_eq!(list_changes(&quick).len(), 2);
        assert_eq!(list_changes(&[moved(0, ARN, None, false), moved(60, ARN, None, false)]).len(), 1);
        assert_eq!(list_changes(&[moved(0, ARN, None, false), moved(61, ARN, None, false)]).len(), 2);
        assert_eq!(list_changes(&[moved(0, ARN, None, false), moved(0, "prod/other", None, false)]).len(), 2);
    }

    #[test]
    fn two_reports_are_two_rotations_and_a_report_and_its_move_are_one() {
        let report = |second| moved(second, ARN, None, true);
        let label = |second, version| moved(second, "prod/db", Some(version), false);
        let times =
            |moves: &[LabelMove]| list_changes(moves).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(times(&[report(0), report(40)]), [0, 40]);
        assert_eq!(times(&[report(0), report(20), report(40)]), [0, 20, 40]);
        assert_eq!(times(&[label(0, "v1"), report(2), report(40)]), [0, 40]);
        // The native event may be dated before or after the report.
        for (first, second) in [(0, 39), (3, 41), (0, 41), (3, 39)] {
            let both = [label(first, "v1"), report(2), label(second, "v2"), report(40)];
            let notified = [(first, Some("v1".to_owned())), (second, Some("v2".to_owned()))];
            assert_eq!(list_changes(&both), notified);
        }
    }
}
