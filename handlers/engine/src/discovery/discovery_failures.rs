//! Discovery failures, in a few sentences however many there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// The names of what could not be read, by kind and reason.
#[derive(Debug, Default)]
pub(super) struct DiscoveryFailures {
    names: BTreeMap<(FailedLookup, String), BTreeSet<String>>,
}

/// A lookup that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FailedLookup {
    /// The clusters of a Region could not be listed.
    Clusters,
    /// The services of a cluster could not be listed.
    Cluster,
    /// The managed daemons of a cluster could not be listed.
    Daemons,
    /// A managed daemon could not be described.
    Daemon,
    /// A service could not be described.
    Service,
    /// A task definition could not be read.
    Definition,
}

/// How many names stand in a sentence.
const MAX_NAMES_OF_SENTENCE: usize = 3;

impl DiscoveryFailures {
    /// Adds a failed lookup of `name`.
    pub(super) fn add_failure(&mut self, lookup: FailedLookup, name: &str, why: &dyn Display) {
        self.names.entry((lookup, why.to_string())).or_default().insert(name.to_owned());
    }

    /// One sentence for each kind and reason.
    pub(super) fn into_sentences(self) -> BTreeSet<String> {
        let mut sentences = BTreeSet::new();
        for ((lookup, why), names) in &self.names {
            sentences.insert(write_sentence(*lookup, names, why));
        }
        sentences
    }
}

fn write_sentence(lookup: FailedLookup, names: &BTreeSet<String>, why: &str) -> String {
    let (before, noun, verb) = match lookup {
        FailedLookup::Clusters => ("the clusters of ", "Region", "listed"),
        FailedLookup::Cluster => ("the services of ", "cluster", "listed"),
        FailedLookup::Daemons => ("the managed daemons of ", "cluster", "listed"),
        FailedLookup::Daemon => ("", "managed daemon", "described"),
        FailedLookup::Service => ("", "service", "described"),
        FailedLookup::Definition => ("", "task definition", "read"),
    };
    let examples: Vec<&str> = names.iter().take(MAX_NAMES_OF_SENTENCE).map(String::as_str).collect();
    let examples = examples.join(", ");
    match names.len() {
        1 => format!("{before}the {noun} {examples} could not be {verb}: {why}"),
        count if count <= MAX_NAMES_OF_SENTENCE => {
            format!("{before}{count} {noun}s could not be {verb} ({examples}): {why}")
        }
        count => format!("{before}{count} {noun}s could not be {verb} (such as {examples}): {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EngineError;

    #[test]
    fn thousands_of_gaps_are_one_sentence() {
        let mut gaps = DiscoveryFailures::default();
        for n in 0..3_000 {
            gaps.add_failure(
                FailedLookup::Definition,
                &format!("web:{n:04}"),
                &EngineError::DeadlineReached("x"),
            );
        }
        gaps.add_failure(FailedLookup::Definition, "web:1", &"gone");
        gaps.add_failure(FailedLookup::Cluster, "b", &"denied");
        gaps.add_failure(FailedLookup::Cluster, "a", &"denied");
        let expected = [
            "3000 task definitions could not be read (such as web:0000, web:0001, web:0002): no time is left for x",
            "the services of 2 clusters could not be listed (a, b): denied",
            "the task definition web:1 could not be read: gone",
        ];
        assert_eq!(gaps.into_sentences().into_iter().collect::<Vec<_>>(), expected);
    }
}
