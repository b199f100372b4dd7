//! The agenda of a world.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum AgendaEntry {
    /// The rotation of a secret begins.
    RotationBegins(String),
    /// The rotation of a secret ends well.
    RotationEnds(String),
    /// Somebody else deploys a service.
    SomebodyDeploys(String),
    /// The schedule invokes the sweep.
    SweepIsDue,
    /// The timeout of an invocation.
    InvocationTimesOut(u64),
    /// From now on nothing goes wrong.
    CalmBegins,
}

/// The entries, by time.
#[derive(Debug, Default)]
pub(super) struct WorldAgenda {
    entries: BTreeMap<(Timestamp, u64), AgendaEntry>,
    added: u64,
}

impl WorldAgenda {
    pub(super) fn add(&mut self, at: Timestamp, entry: AgendaEntry) {
        self.added += 1;
        self.entries.insert((at, self.added), entry);
    }

    /// When the next entry is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next entry that is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<AgendaEntry> {
        let entry = self.entries.first_entry()?;
        if entry.key().0 > now { None } else { Some(entry.remove()) }
    }
}
