//! `replay proof`: which services are proved to run the new values of changed secrets, and where the other chains end.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use responder_audit::input;
use responder_audit::proof::{
    ChainState, ProofChain, ProofScope, RotationEvents, RotationProof, UnconsumedChange, is_ledger, items,
    merged,
};
use responder_core::event::Event;
use responder_core::facts::Facts;
use serde::Serialize;

use crate::cli::{Format, ProofArgs};
use crate::output::line;
use crate::source::{Problem, each_file};
use crate::{End, Failure, report, settings, table, warn};

/// Everything that is proved, and not.
#[derive(Debug)]
pub(crate) struct Proofs {
    /// The chains, by time of the change.
    pub(crate) chains: Vec<ProofChain>,
    /// The changes of secrets that no service is known to use.
    pub(crate) lone: Vec<UnconsumedChange>,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
    /// The counts.
    pub(crate) summary: Totals,
}

/// The counts: `consumers` = `complete` + `read` + `open` + `broken`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Services that use a changed secret, once for each change.
    pub(crate) consumers: usize,
    /// Proved.
    pub(crate) complete: usize,
    /// A new task read the new value, and nothing tells how the rollout ended.
    pub(crate) read: usize,
    /// Not yet.
    pub(crate) open: usize,
    /// Not, and not by waiting.
    pub(crate) broken: usize,
    /// Changes whose services are unknown.
    pub(crate) unknown: usize,
    /// Changes of secrets that certainly no service uses.
    pub(crate) unused: usize,
    /// Parts of the input that could not be read.
    pub(crate) quarantined: usize,
    /// Whether the services come from the task definitions of the input only, so that others may be missing.
    pub(crate) partial: bool,
}

pub(crate) fn proof(args: &ProofArgs) -> Result<End, Failure> {
    let facts = settings::facts(args.facts.as_deref())?;
    let proofs = read(args, &facts)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => lines(&proofs, &mut out)?,
        Format::Text => {
            for problem in &proofs.problems {
                warn(&report::problem(problem));
            }
            table::write(&proofs, &mut out)?;
        }
    }
    out.flush()?;
    let totals = &proofs.summary;
    Ok(if totals.quarantined > 0 {
        End::Parked
    } else if totals.complete < totals.consumers || totals.unknown > 0 {
        End::Differs
    } else {
        End::Done
    })
}

fn read(args: &ProofArgs, facts: &Facts) -> Result<Proofs, Failure> {
    let mut recorded: Vec<RotationProof> = Vec::new();
    let mut observations = RotationEvents::default();
    let (mut ledgers, mut others) = (None, None);
    let mut problems = each_file(&args.paths, &mut |file, bytes, problems| {
        if is_beside_an_export(file) {
            return;
        }
        let mut problem = |offset, reason| {
            problems.push(Problem { file: file.to_owned(), offset: Some(offset), reason });
        };
        if is_ledger(bytes) {
            ledgers.get_or_insert_with(|| file.to_owned());
            items(bytes, &mut |found| match found {
                Ok(proof) => recorded.push(proof),
                Err(error) => problem(error.offset, error.reason),
            });
            return;
        }
        input::read(bytes, &mut |found| {
            let document = match found {
                Ok(document) => document,
                Err(error) => return problem(error.offset, error.reason),
            };
            others.get_or_insert_with(|| file.to_owned());
            let added = Event::parse(&document.text).map_err(|error| error.to_string());
            let added = added.and_then(|event| observations.add(&event).map_err(|error| error.to_string()));
            if let Err(reason) = added {
                problem(document.offset, reason);
            }
        });
    });
    if let (Some(ledger), Some(file)) = (&ledgers, others) {
        let reason = format!("events beside the ledger's items of {ledger}: prove from one or the other");
        return Err(Failure::Content { file, reason });
    }
    problems.sort();
    let (chains, lone) = if ledgers.is_some() {
        (
            merged(recorded).into_iter().map(|proof| ProofChain::of(proof, &ProofScope::LEDGER)).collect(),
            Vec::new(),
        )
    } else {
        let rebuilt = observations.rebuild(facts);
        (rebuilt.chains, rebuilt.lone)
    };
    let count = |state| chains.iter().filter(|chain: &&ProofChain| chain.state == state).count();
    let summary = Totals {
        consumers: chains.len(),
        complete: count(ChainState::Complete),
        read: count(ChainState::Read),
        open: count(ChainState::Open),
        broken: count(ChainState::Broken),
        unknown: lone.iter().filter(|lone: &&UnconsumedChange| !lone.certain).count(),
        unused: lone.iter().filter(|lone| lone.certain).count(),
        quarantined: problems.len(),
        partial: ledgers.is_none() && facts.services.is_none() && !chains.is_empty(),
    };
    Ok(Proofs { chains, lone, problems, summary })
}

/// What an export to S3 puts beside its data ("DynamoDB table export output format", `DynamoDB` developer guide).
fn is_beside_an_export(file: &str) -> bool {
    let path = Path::new(file);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_checksum = path.extension().is_some_and(|extension| extension == "md5");
    is_checksum || ["_started", "manifest-files.json", "manifest-summary.json"].contains(&name)
}

fn lines(proofs: &Proofs, out: &mut impl io::Write) -> io::Result<()> {
    for chain in &proofs.chains {
        line("proof", chain, out)?;
    }
    for lone in &proofs.lone {
        line("no-consumers", lone, out)?;
    }
    for problem in &proofs.problems {
        line("problem", problem, out)?;
    }
    line("summary", &proofs.summary, out)
}
