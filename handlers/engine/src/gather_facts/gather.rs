//! Asks the core's questions round by round: some answers lead to further questions.

use std::collections::BTreeSet;

use futures_util::future::join3;
use responder_core::decide::questions;
use responder_core::facts::{LEDGER_GAP, Settings};
use responder_core::question::Question;
use responder_core::rules::MatchedEvent;

use super::describe_secrets::describe_secrets;
use super::fact_sources::FactSources;
use super::find_consumers::find_consumers;
use super::gathered_facts::GatheredFacts;
use super::ledger_answers::{LedgerAnswers, ask_ledger};
use super::merge_facts::merge_facts;
use super::question_batch::QuestionBatch;
use crate::port::AwsPort;

/// The most rounds of questions. The longest chains have four: the sweep asks for open incidents, their states, and their
/// observations; an access asks for the secrets of a role, the incident's state, and the observations.
const MAX_ROUNDS: usize = 6;

/// Asks all sources at the same time. It never fails: the facts say what could not be learned.
pub(crate) async fn gather_facts<A: AwsPort>(
    matched_events: &[MatchedEvent<'_>],
    settings: Settings,
    sources: &FactSources<'_, A>,
) -> GatheredFacts {
    let mut gathered = GatheredFacts::default();
    gathered.facts.settings = settings;
    gathered.facts.now = Some(sources.aws.now());
    for _ in 0..MAX_ROUNDS {
        let new = select_new_questions(matched_events, &gathered);
        if new.is_empty() {
            break;
        }
        gathered.asked.extend(new.iter().cloned());
        answer_questions(&mut gathered, new, sources).await;
        gathered.facts.now = Some(sources.aws.now());
    }
    gathered.is_cut_off = !select_new_questions(matched_events, &gathered).is_empty();
    gathered
}

/// The questions of this round. While an incident's state is asked for, its observations wait for the next round, because
/// the state may make them unnecessary; so does the digest of a day, which may be long.
fn select_new_questions(matched_events: &[MatchedEvent<'_>], gathered: &GatheredFacts) -> BTreeSet<Question> {
    let mut new = BTreeSet::new();
    let mut postponable = BTreeSet::new();
    for matched_event in matched_events {
        for question in questions(matched_event, &gathered.facts) {
            if gathered.asked.contains(&question) {
                continue;
            }
            match question {
                Question::Observations { .. } | Question::DigestDay { .. } => postponable.insert(question),
                _ => new.insert(question),
            };
        }
    }
    if !new.iter().any(|question| matches!(question, Question::Incident { .. })) {
        new.extend(postponable);
    }
    new
}

async fn answer_questions<A: AwsPort>(
    gathered: &mut GatheredFacts,
    questions: BTreeSet<Question>,
    sources: &FactSources<'_, A>,
) {
    let batch = QuestionBatch::sort_questions(questions);
    let roles = batch.stored.roles.clone();
    let settings = gathered.facts.settings.clone();
    let (ledger_answers, secret_facts, consumer_facts) = join3(
        ask_ledger(batch.ledger, batch.stored, sources.ledger),
        describe_secrets(&batch.secrets, sources),
        find_consumers(&batch.consumers, &settings, sources),
    )
    .await;
    let LedgerAnswers { observations, windows, stored, facts, unanswered, unanswered_locations } =
        ledger_answers;
    gathered.observations_dropped += observations.dropped;
    gathered.unanswered.extend(observations.unanswered);
    gathered.unanswered.extend(stored.unanswered);
    gathered.unanswered.extend(unanswered);
    for location in unanswered_locations {
        gathered.facts.discovery_failures.entry(location.clone()).or_default().insert(LEDGER_GAP.to_owned());
        gathered.unanswered.insert(location.into());
    }
    // A role whose secrets are unknown launches nothing, as far as the core is concerned: its reads count as any reads do.
    for role in roles {
        gathered.facts.launch_secrets.entry(role).or_default();
    }
    gathered.facts.observations.extend(observations.groups);
    gathered.facts.observations.extend(windows);
    for answer in [stored.facts, facts, secret_facts, consumer_facts] {
        merge_facts(&mut gathered.facts, answer);
    }
}
