//! Instants of the explored world, as milliseconds since it began.

use responder_core::time::Timestamp;

/// When the world begins: 2026-05-04T03:01:00Z.
pub(super) const WORLD_START_MILLIS: i64 = 1_777_863_660_000;

/// Milliseconds since the world began.
pub(super) type WorldMillis = u32;

pub(super) fn to_timestamp(at: WorldMillis) -> Timestamp {
    Timestamp::from_millis(WORLD_START_MILLIS + i64::from(at))
}

pub(super) fn to_world_millis(at: Timestamp) -> WorldMillis {
    let since = at.millis().saturating_sub(WORLD_START_MILLIS).max(0);
    WorldMillis::try_from(since).unwrap_or(WorldMillis::MAX)
}
