//! What could not be learned, in a few sentences however much it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::error::EngineError;

/// What could not be learned, by what it is of and why.
#[derive(Debug, Default)]
pub(super) struct DiscoveryFailures(BTreeMap<(FailedLookup, String), BTreeSet<String>>);

/// Of what something could not be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FailedLookup {
    /// Of a Region: its clusters.
    Clusters,
    /// Of a cluster: which services it has.
    Cluster,
    /// Of a service: anything.
    Service,
    /// Of a task definition: what it refers to.
    Definition,
}

/// How many are named in a sentence.
const NAMED: usize = 3;

impl DiscoveryFailures {
    /// Notes that something of `name` could not be learned.
    pub(super) fn note(&mut self, kind: FailedLookup, name: &str, why: &dyn Display) {
        self.0.entry((kind, why.to_string())).or_default().insert(name.to_owned());
    }

    /// Notes what failed of a call.
    pub(super) fn failed<T>(
        &mut self,
        kind: FailedLookup,
        name: &str,
        result: Result<T, EngineError>,
    ) -> Option<T> {
        result.map_err(|error| self.note(kind, name, &error)).ok()
    }

    /// One sentence for each kind and reason.
    pub(super) fn sentences(self) -> BTreeSet<String> {
        self.0.into_iter().map(|((kind, why), names)| sentence(kind, &names, &why)).collect()
    }
}

fn sentence(kind: FailedLookup, names: &BTreeSet<String>, why: &str) -> String {
    let (before, noun, verb) = match kind {
        FailedLookup::Clusters => ("the clusters of ", "Region", "listed"),
        FailedLookup::Cluster => ("the services of ", "cluster", "listed"),
        FailedLookup::Service => ("", "service", "described"),
        FailedLookup::Definition => ("", "task definition", "read"),
    };
    let some: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let some = some.join(", ");
    match names.len() {
        1 => format!("{before}the {noun} {some} could not be {verb}: {why}"),
        count if count <= NAMED => format!("{before}{count} {noun}s could not be {verb} ({some}): {why}"),
        count => format!("{before}{count} {noun}s could not be {verb} (such as {some}): {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_gaps_are_one_sentence() {
        let mut gaps = DiscoveryFailures::default();
        for n in 0..3_000 {
            gaps.note(FailedLookup::Definition, &format!("web:{n:04}"), &EngineError::Deadline("x"));
        }
        gaps.note(FailedLookup::Definition, "web:1", &"gone");
        gaps.note(FailedLookup::Cluster, "b", &"denied");
        gaps.note(FailedLookup::Cluster, "a", &"denied");
        let expected = [
            "3000 task definitions could not be read (such as web:0000, web:0001, web:0002): no time is left for x",
            "the services of 2 clusters could not be listed (a, b): denied",
            "the task definition web:1 could not be read: gone",
        ];
        assert_eq!(gaps.sentences().into_iter().collect::<Vec<_>>(), expected);
    }
}
