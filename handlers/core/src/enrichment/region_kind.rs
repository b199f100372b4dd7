//! Whether a Region is one of the operator's: the Region where the responder is installed and those of the setting `REGIONS`.

use serde_json::Value;

use crate::event::Event;
use crate::settings::Settings;

/// Whether the event happened in a home Region: `home` or `outside`; absent where no home is known.
pub(super) fn find_region_kind(event: &Event, settings: &Settings) -> Option<&'static str> {
    if event.region.is_empty() {
        return None;
    }
    let is_home = settings.is_swept(&event.region)?;
    Some(if is_home { "home" } else { "outside" })
}

/// Whether a request copies a secret to home Regions only: `home`, `outside` if one Region is not, or `unknown` where no
/// home is known; absent where the request names no Region.
pub(super) fn find_replica_kind(event: &Event, settings: &Settings) -> Option<&'static str> {
    let replicas = event.find_value("/detail/requestParameters/addReplicaRegions")?.as_array()?;
    if replicas.is_empty() {
        return None;
    }
    let mut kind = "home";
    for replica in replicas {
        let region = replica.get("region").and_then(Value::as_str).unwrap_or_default();
        match settings.is_swept(region) {
            Some(true) => {}
            Some(false) => return Some("outside"),
            None => kind = "unknown",
        }
    }
    Some(kind)
}
