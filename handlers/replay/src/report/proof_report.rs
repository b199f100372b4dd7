//! The data of `replay proof`: reads ledger items or events, and judges the chains.

use std::path::PathBuf;

use responder_audit::input::{
    ContentProblem, CoverageReport, FileKind, InputCoverage, InputProblem, ReadProgress, read_content_events,
    read_files,
};
use responder_audit::proof::{
    ChainState, FailedRotation, ProofChain, ProofScope, RotationEvents, RotationProof, UnconsumedChange,
    merge_copies, read_ledger_items, rebuild_proofs,
};
use responder_audit::query::UnseenValues;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::time::Timestamp;
use serde::Serialize;

use super::report_filter::ReportFilter;
use crate::command_outcome::CommandError;

/// Everything that is proved, and not.
#[derive(Debug)]
pub(crate) struct ProofReport {
    /// The chains, by time of the change.
    pub(crate) chains: Vec<ProofChain>,
    /// The changes of secrets that no service is known to use.
    pub(crate) unconsumed: Vec<UnconsumedChange>,
    /// The rotations that failed.
    pub(crate) failed: Vec<FailedRotation>,
    /// The parts of the input that could not be read.
    pub(crate) problems: Vec<InputProblem>,
    /// The counts of what is shown.
    pub(crate) totals: ProofTotals,
    /// The coverage of the input.
    pub(crate) coverage: CoverageReport,
    /// The filter of the report.
    pub(crate) filter: ReportFilter,
}

/// The counts: `consumers` = `complete` + `late` + `read` + `open` + `broken`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ProofTotals {
    /// Services that use a changed secret, once for each change.
    pub(crate) consumers: usize,
    /// Complete chains.
    pub(crate) complete: usize,
    /// Chains of services that got the new value later than a change may go unanswered.
    pub(crate) late: usize,
    /// Chains with a read of the new value, and without a known end of the rollout.
    pub(crate) read: usize,
    /// Chains that may yet be completed.
    pub(crate) open: usize,
    /// Chains that will not be completed by themselves.
    pub(crate) broken: usize,
    /// Changes whose services are unknown.
    pub(crate) unknown: usize,
    /// Changes of secrets that certainly no service uses.
    pub(crate) unused: usize,
    /// Rotations that failed, and after which the secret got no new value.
    pub(crate) failed: usize,
    /// Rotations that failed at first, and after which the secret got a new value.
    pub(crate) recovered: usize,
    /// Parts of the input that could not be read.
    pub(crate) quarantined: usize,
    /// Whether the services come from the task definitions of the input only, so that others may be missing.
    pub(crate) partial: bool,
}

impl ProofReport {
    /// Reads the files below `paths`, judges the chains in them, and leaves out those that do not fit the filter.
    ///
    /// # Errors
    /// When the input has both items of the ledger and events: they would prove the same rotations twice. When a filter
    /// by principal meets items of the ledger: they hold no roles.
    pub(crate) fn read(
        paths: &[PathBuf],
        facts: &Facts,
        mut filter: ReportFilter,
        progress: &mut dyn ReadProgress,
    ) -> Result<Self, CommandError> {
        let mut input =
            ProofInput { unseen: UnseenValues::of_filter(&filter.events), ..ProofInput::default() };
        let reading = read_files(paths, progress, &mut |file, content, coverage| {
            input.read_file(file, content, coverage)
        });
        input.check_unmixed()?;
        input.check_filter(&filter)?;
        let coverage = reading.coverage.report();
        if input.ledger_file.is_none() {
            filter.note_unseen(&coverage, input.unseen.texts());
        }
        let mut report = Self {
            chains: Vec::new(),
            unconsumed: Vec::new(),
            failed: Vec::new(),
            problems: reading.problems,
            totals: ProofTotals::default(),
            coverage,
            filter,
        };
        if input.ledger_file.is_some() {
            for proof in merge_copies(input.recorded) {
                report.chains.push(ProofChain::judge(proof, &ProofScope::LEDGER));
            }
        } else {
            let rebuilt = rebuild_proofs(&input.evidence, facts);
            report.chains = rebuilt.chains;
            report.unconsumed = rebuilt.unconsumed;
            report.failed = rebuilt.failed;
            report.totals.partial = facts.services.is_none() && !report.chains.is_empty();
        }
        report.hide_others();
        report.count();
        Ok(report)
    }

    /// Leaves out what does not fit. Of a principal, only chains and reads know a role.
    fn hide_others(&mut self) {
        let Self { chains, unconsumed, failed, filter, .. } = self;
        let events = filter.events.clone();
        let fits_change = |secret: &SecretRef, at: Timestamp| {
            events.includes_time(at)
                && events.fits_places(&[&secret.account], &[&secret.region])
                && events.fits_secret(secret)
        };
        let is_by_any = events.principals.is_empty();
        filter.retain(chains, |chain| {
            fits_change(&chain.proof.secret, chain.proof.changed_at)
                && (is_by_any || chain.execution_roles.iter().any(|role| events.fits_role(role)))
        });
        filter.retain(unconsumed, |change| {
            let read = change.first_read.as_ref();
            fits_change(&change.secret, change.changed_at)
                && (is_by_any || read.is_some_and(|read| events.fits_principal(&read.role, None)))
        });
        filter.retain(failed, |rotation| fits_change(&rotation.secret, rotation.failed_at) && is_by_any);
    }

    fn count(&mut self) {
        let totals = &mut self.totals;
        totals.consumers = self.chains.len();
        totals.quarantined = self.problems.len();
        for chain in &self.chains {
            match chain.state {
                ChainState::Complete => totals.complete += 1,
                ChainState::Late => totals.late += 1,
                ChainState::Read => totals.read += 1,
                ChainState::Open => totals.open += 1,
                ChainState::Broken => totals.broken += 1,
            }
        }
        for change in &self.unconsumed {
            if change.certain {
                totals.unused += 1;
            } else {
                totals.unknown += 1;
            }
        }
        for rotation in &self.failed {
            if rotation.recovered_at.is_some() {
                totals.recovered += 1;
            } else {
                totals.failed += 1;
            }
        }
    }
}

/// The content of the files.
#[derive(Default)]
struct ProofInput {
    /// The records of the ledger.
    recorded: Vec<RotationProof>,
    /// The evidence in events.
    evidence: RotationEvents,
    /// The first file with items of the ledger.
    ledger_file: Option<String>,
    /// The first file with events.
    event_file: Option<String>,
    /// The values of the filter that no event names.
    unseen: UnseenValues,
}

impl ProofInput {
    /// Reads one file. Returns the parts of it that could not be read.
    fn read_file(&mut self, file: &str, content: &[u8], coverage: &mut InputCoverage) -> Vec<ContentProblem> {
        match FileKind::detect(file, content) {
            FileKind::ExportManifest => Vec::new(),
            FileKind::LedgerItems => {
                coverage.add_ledger_content(content.len());
                self.ledger_file.get_or_insert_with(|| file.to_owned());
                self.read_items(content)
            }
            FileKind::Events => read_content_events(file, content, coverage, &mut |located| {
                self.event_file.get_or_insert_with(|| file.to_owned());
                self.add_event(located.text)
            }),
        }
    }

    fn read_items(&mut self, content: &[u8]) -> Vec<ContentProblem> {
        let mut problems = Vec::new();
        read_ledger_items(content, &mut |found| match found {
            Ok(proof) => self.recorded.push(proof),
            Err(problem) => problems.push(problem),
        });
        problems
    }

    fn add_event(&mut self, text: &str) -> Result<(), String> {
        let event = Event::parse(text).map_err(|error| error.to_string())?;
        self.unseen.see(&event);
        self.evidence.add_event(&event).map_err(|error| error.to_string())
    }

    fn check_filter(&self, filter: &ReportFilter) -> Result<(), CommandError> {
        match &self.ledger_file {
            Some(file) if !filter.events.principals.is_empty() => Err(CommandError::UnusableContent {
                file: file.clone(),
                reason: "--principal needs events: the items of the ledger hold no roles".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn check_unmixed(&self) -> Result<(), CommandError> {
        match (&self.ledger_file, &self.event_file) {
            (Some(ledger_file), Some(event_file)) => Err(CommandError::UnusableContent {
                file: event_file.clone(),
                reason: format!(
                    "events beside the ledger's items of {ledger_file}: prove from one or the other"
                ),
            }),
            _ => Ok(()),
        }
    }
}
