//! How long calls take.

use responder_core::time::Span;

use crate::random::SeededRandom;

/// How long calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallLatency {
    /// No time.
    None,
    /// As long as each other, before their effect.
    Fixed(Span),
    /// About as long as calls of AWS take, before their effect and after it.
    Typical,
}

impl CallLatency {
    /// How long a call takes before its effect and after it, if it typically takes `millis` for each.
    pub(super) fn draw(self, millis: i64, random: &mut SeededRandom) -> (Span, Span) {
        match self {
            Self::None => (Span::default(), Span::default()),
            Self::Fixed(span) => (span, Span::default()),
            Self::Typical => {
                let before = draw_about(millis, random);
                (before, draw_about(millis, random))
            }
        }
    }
}

/// A time of about `millis`, at least a quarter and at most four times as long.
fn draw_about(millis: i64, random: &mut SeededRandom) -> Span {
    let scale = if random.chance(50) { 2 } else { 1 };
    let more = random.signed_below(u64::try_from(millis * 2).unwrap_or_default());
    Span::from_millis((millis / 4).max(1) + more * scale)
}
