//! The oracle: no page is lost, and none is sent again without a cause.
//!
//! A page that was claimed, sent and marked excuses no other: after it, no page as urgent may be sent of the incident, but by a worker that could not ask the ledger. While a worker is
//! between sending and marking, no other may send. The excuses for one more page are in [`RepeatCause`].

use super::choice::CallEnding;
use super::request::{PageMeaning, RequestMeaning, urgency};
use super::scene::ExploredScene;
use super::state::{ExploredState, MessageFate, RepeatCause, SentPages};
use super::worker::{ClaimStanding, WorkerProgress};

/// How many deaths a page must survive without the dead-letter queue.
const SURVIVED_DEATHS: u8 = 4;

/// A call that takes effect.
pub(super) struct CallEffect {
    pub(super) meaning: RequestMeaning,
    pub(super) ending: CallEnding,
    /// The worker whose call it is.
    pub(super) caller: WorkerProgress,
    /// The other worker.
    pub(super) other: Option<WorkerProgress>,
}

/// Judges the effect of a call; returns the cause that allowed it to send one more page, if it did.
///
/// # Errors
///
/// The violation, if nothing allows it.
pub(super) fn judge_effect(sent: &mut SentPages, effect: &CallEffect) -> Result<Option<RepeatCause>, String> {
    match effect.meaning {
        RequestMeaning::Page(page) => {
            let before = *sent;
            sent.add(page);
            let cause = match effect.ending {
                _ if effect.caller.bypasses_ledger() => Some(RepeatCause::Unclaimed),
                CallEnding::Success => None,
                CallEnding::Unheard => Some(RepeatCause::Died),
                _ => Some(RepeatCause::Unanswered),
            };
            if let Some(cause) = cause {
                sent.causes |= cause.bit();
            }
            return judge_page(before, effect, page);
        }
        RequestMeaning::Mark => sent.mark(effect.caller),
        RequestMeaning::Claim | RequestMeaning::Release | RequestMeaning::Write | RequestMeaning::Read => {
            if effect.ending.is_death() && effect.caller.unmarked > 0 {
                sent.causes |= RepeatCause::Died.bit();
            }
        }
    }
    Ok(None)
}

/// Notes that a call of a worker ends without an effect.
pub(super) fn note_no_effect(sent: &mut SentPages, caller: WorkerProgress, meaning: RequestMeaning) {
    if meaning == RequestMeaning::Mark && caller.unmarked > 0 {
        sent.causes |= RepeatCause::Unmarked.bit();
    }
}

/// Notes that SNS takes a page whose sender no longer waits.
pub(super) fn note_late_page(sent: &mut SentPages, page: PageMeaning) {
    sent.add(page);
    sent.causes |= RepeatCause::Unanswered.bit();
}

/// Notes that a worker ends: the ledger was not asked to mark its last page, if that is not marked.
pub(super) fn note_end(sent: &mut SentPages, worker: WorkerProgress) {
    if worker.is_disturbed {
        note_no_effect(sent, worker, RequestMeaning::Mark);
    } else {
        sent.mark(worker);
    }
}

/// Judges a state in which nothing goes on any more:
///
/// 1. SNS took a page that is urgent enough, or a message is in the dead-letter queue.
/// 2. If nothing but a few processes died, SNS took a page that is urgent enough for that.
///
/// # Errors
///
/// The violation.
pub(super) fn judge_end(scene: &ExploredScene, state: &ExploredState) -> Result<(), String> {
    let has_dead_letter = state.messages.iter().any(|message| message.fate == MessageFate::DeadLetter);
    let sent = state.sent;
    // 1.
    if sent.open < urgency(scene.severity, scene.secrets) && !sent.is_resolved && !has_dead_letter {
        return Err(
            "a page is lost: SNS took none as urgent, and no message is in the dead-letter queue".to_owned()
        );
    }
    // 2.
    let had_only_deaths =
        state.left.faults == scene.bounds.faults && state.left.copies == scene.bounds.copies;
    let had_few_deaths = scene.bounds.deaths - state.left.deaths <= SURVIVED_DEATHS;
    let is_sent =
        sent.open >= urgency(scene.despite_deaths, scene.secrets_despite_deaths) || sent.is_resolved;
    if had_only_deaths && had_few_deaths && !is_sent {
        return Err(
            "a page is not sent, although nothing but processes died: the message is in the dead-letter queue"
                .to_owned(),
        );
    }
    Ok(())
}

/// Judges a page:
///
/// 1. A worker that knows that the ledger does not answer may page without a claim.
/// 2. Any other worker needs a claim.
/// 3. No page as urgent was claimed, sent and marked before.
/// 4. The other worker is not between sending and marking one as urgent.
/// 5. If one as urgent was sent before, there is a cause for one more.
fn judge_page(
    before: SentPages,
    effect: &CallEffect,
    page: PageMeaning,
) -> Result<Option<RepeatCause>, String> {
    let caller = effect.caller;
    let unmarked = effect.other.map(|other| other.unmarked).unwrap_or_default();
    let kind = match page {
        PageMeaning::Open(_) => "page",
        PageMeaning::Resolved => "resolution",
    };
    let was_sent = before.has(page);
    // 1.
    if caller.bypasses_ledger() {
        return Ok(was_sent.then_some(RepeatCause::Unclaimed));
    }
    // 2.
    if caller.claim != ClaimStanding::Ours {
        return Err(format!("a {kind} is sent that nobody claimed"));
    }
    // 3.
    if before.has_marked(page) {
        return Err(format!("a second {kind} is sent after one that was claimed, sent and marked"));
    }
    // 4.
    let is_under_way = match page {
        PageMeaning::Open(rank) => unmarked >= rank && unmarked != PageMeaning::RESOLVED,
        PageMeaning::Resolved => unmarked == PageMeaning::RESOLVED,
    };
    if is_under_way {
        return Err(format!("a second {kind} is sent while another worker is about to mark its own"));
    }
    // 5.
    if !was_sent {
        return Ok(None);
    }
    match before.find_cause() {
        Some(cause) => Ok(Some(cause)),
        None => Err(format!("a second {kind} is sent without any cause")),
    }
}

impl SentPages {
    fn add(&mut self, page: PageMeaning) {
        match page {
            PageMeaning::Open(rank) => self.open = self.open.max(rank),
            PageMeaning::Resolved => self.is_resolved = true,
        }
    }

    /// Takes the unmarked page of a worker for marked.
    fn mark(&mut self, worker: WorkerProgress) {
        match worker.unmarked {
            PageMeaning::RESOLVED => self.is_resolution_marked = true,
            rank => self.marked = self.marked.max(rank),
        }
    }

    /// Whether a page as urgent was sent.
    fn has(self, page: PageMeaning) -> bool {
        match page {
            PageMeaning::Open(rank) => self.open >= rank,
            PageMeaning::Resolved => self.is_resolved,
        }
    }

    /// Whether a page as urgent was claimed, sent and marked.
    fn has_marked(self, page: PageMeaning) -> bool {
        match page {
            PageMeaning::Open(rank) => self.marked >= rank,
            PageMeaning::Resolved => self.is_resolution_marked,
        }
    }

    /// A cause for one more page.
    fn find_cause(self) -> Option<RepeatCause> {
        RepeatCause::ALL.into_iter().find(|cause| self.causes & cause.bit() != 0)
    }
}
