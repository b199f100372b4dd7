//! What must hold: no page is lost, and none is sent again without a cause.
//!
//! A page that was claimed, sent and marked excuses no other: after it, no page as urgent may be sent of the incident, but by who could not ask the ledger. While a worker is
//! between sending and marking, nobody else may send. What excuses one more page is in [`Cause`].

use super::choice::How;
use super::process::{Claim, Work};
use super::request::{Meaning, Tells};
use super::scene::Scene;
use super::state::{Cause, Fate, State, Told};

/// A call of a worker takes effect; what allowed it to send one more page, if it did.
///
/// # Errors
/// What is wrong, if nothing allows it.
pub(super) fn effect(
    notified: &mut Told,
    work: Work,
    other: Option<Work>,
    meaning: Meaning,
    how: How,
) -> Result<Option<Cause>, String> {
    match meaning {
        Meaning::Page(tells) => {
            let before = *notified;
            notified.add(tells);
            let cause = match how {
                _ if work.bypasses() => Some(Cause::Unclaimed),
                How::Well => None,
                How::Unheard => Some(Cause::Died),
                _ => Some(Cause::Unanswered),
            };
            notified.causes |= cause.map_or(0, Cause::bit);
            return allowed(before, work, other, tells);
        }
        Meaning::Mark => notified.observation(work),
        Meaning::Claim | Meaning::Release | Meaning::Write | Meaning::Read => {
            if how.dies() && work.unmarked > 0 {
                notified.causes |= Cause::Died.bit();
            }
        }
    }
    Ok(None)
}

/// A call of a worker ends without an effect.
pub(super) fn no_effect(notified: &mut Told, work: Work, meaning: Meaning) {
    if meaning == Meaning::Mark && work.unmarked > 0 {
        notified.causes |= Cause::Unmarked.bit();
    }
}

/// SNS takes a page that its sender gave up.
pub(super) fn late(notified: &mut Told, tells: Tells) {
    notified.add(tells);
    notified.causes |= Cause::Unanswered.bit();
}

/// A worker ends: the ledger was not asked to mark its last page, if that is not marked.
pub(super) fn ended(notified: &mut Told, work: Work) {
    if work.disturbed {
        no_effect(notified, work, Meaning::Mark);
    } else {
        notified.observation(work);
    }
}

/// Nobody is at anything any more.
///
/// # Errors
/// What was lost.
pub(super) fn end(scene: &Scene, state: &State) -> Result<(), String> {
    let dead = state.messages.iter().any(|message| message.fate == Fate::Dead);
    let said = state.notified.open >= scene.severity.rank() || state.notified.resolved;
    let (left, bounds) = (state.left, scene.bounds);
    let deaths_alone = left.faults == bounds.faults && left.copies == bounds.copies;
    if !said && !dead {
        let wrong = "a page is lost: SNS took none as urgent, and no message is in the dead-letter queue";
        return Err(wrong.to_owned());
    }
    let sent = state.notified.open >= scene.despite_deaths.rank() || state.notified.resolved;
    if !sent && deaths_alone && bounds.deaths - left.deaths <= 4 {
        let wrong = "a page is not sent, although nothing but processes died: the message is in the dead-letter queue";
        return Err(wrong.to_owned());
    }
    Ok(())
}

/// Whether the page may be sent, and if there was one before, what allows it.
fn allowed(before: Told, work: Work, other: Option<Work>, tells: Tells) -> Result<Option<Cause>, String> {
    let unmarked = other.map(|other| other.unmarked).unwrap_or_default();
    let (what, again, marked, under_way) = match tells {
        Tells::Open(rank) => {
            let under_way = unmarked >= rank && unmarked != Tells::RESOLVED;
            ("page", before.open >= rank, before.marked >= rank, under_way)
        }
        Tells::Resolved => {
            ("resolution", before.resolved, before.marked_resolved, unmarked == Tells::RESOLVED)
        }
    };
    match work.claim {
        _ if work.bypasses() => Ok(again.then_some(Cause::Unclaimed)),
        Claim::None | Claim::Unknown => Err(format!("a {what} is sent that nobody claimed")),
        Claim::Ours if marked => {
            Err(format!("a second {what} is sent after one that was claimed, sent and marked"))
        }
        Claim::Ours if under_way => {
            Err(format!("a second {what} is sent while another worker is about to mark its own"))
        }
        Claim::Ours if again => {
            let cause = Cause::ALL.into_iter().find(|cause| before.causes & cause.bit() != 0);
            cause.map(Some).ok_or_else(|| format!("a second {what} is sent without any cause"))
        }
        Claim::Ours => Ok(None),
    }
}

impl Told {
    fn add(&mut self, tells: Tells) {
        match tells {
            Tells::Open(rank) => self.open = self.open.max(rank),
            Tells::Resolved => self.resolved = true,
        }
    }

    fn observation(&mut self, work: Work) {
        match work.unmarked {
            Tells::RESOLVED => self.marked_resolved = true,
            rank => self.marked = self.marked.max(rank),
        }
    }
}
