//! Origins: the source addresses and the lasting access keys from which an incident came, as far as its pages named them.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash;

/// How many origins are kept. A caller that changes the address with each call is paged for the first of them alone.
const ORIGINS_MAX: usize = 12;

/// An address or an access key, by the beginning of its hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(u32);

impl Origin {
    /// The origin of calls from an address.
    pub fn of_address(address: &str) -> Self {
        Self::of_parts("address", address)
    }

    /// The origin of calls with an access key; `None` for a temporary one. A session gets a new temporary key every hour, so it
    /// says nothing that the address does not say.
    pub fn of_access_key(key: &str) -> Option<Self> {
        key.starts_with("AKIA").then(|| Self::of_parts("access-key", key))
    }

    fn of_parts(kind: &str, text: &str) -> Self {
        let hash = hash::hash_parts(&["origin", kind, text]);
        let beginning = hash.get(..8).unwrap_or_default();
        Self(u32::from_str_radix(beginning, 16).unwrap_or_default())
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:08x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u32::from_str_radix(&text, 16).map(Self).map_err(D::Error::custom)
    }
}

/// Some origins, sorted, each once. It holds no more than a few, so that it is as small as a number of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OriginSet {
    origins: [Origin; ORIGINS_MAX],
    count: usize,
}

impl OriginSet {
    /// The origins.
    pub fn as_slice(&self) -> &[Origin] {
        self.origins.get(..self.count).unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether an origin is among them.
    pub fn contains(&self, origin: Origin) -> bool {
        self.as_slice().contains(&origin)
    }

    /// Adds an origin, if there is room.
    pub fn insert(&mut self, origin: Origin) {
        let Err(index) = self.as_slice().binary_search(&origin) else { return };
        if self.count == ORIGINS_MAX {
            return;
        }
        self.count += 1;
        if let Some(moved) = self.origins.get_mut(index..self.count) {
            moved.rotate_right(1);
            if let Some(place) = moved.first_mut() {
                *place = origin;
            }
        }
    }

    /// These origins, and then others as far as there is room.
    #[must_use]
    pub fn union(mut self, others: &Self) -> Self {
        for origin in others.as_slice() {
            self.insert(*origin);
        }
        self
    }
}

impl Serialize for OriginSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OriginSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::default();
        for origin in Vec::<Origin>::deserialize(deserializer)? {
            set.insert(origin);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::{ORIGINS_MAX, Origin, OriginSet};

    #[test]
    fn a_set_holds_each_origin_once_in_any_order_and_no_more_than_its_room() {
        let origins: Vec<Origin> =
            (0..30).map(|number| Origin::of_address(&format!("192.0.2.{number}"))).collect();
        let (mut forwards, mut backwards) = (OriginSet::default(), OriginSet::default());
        for origin in &origins[..9] {
            forwards.insert(*origin);
            forwards.insert(*origin);
        }
        for origin in origins[..9].iter().rev() {
            backwards.insert(*origin);
        }
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.len(), 9);
        assert!(forwards.as_slice().is_sorted());
        for origin in &origins {
            forwards.insert(*origin);
        }
        assert_eq!(forwards.len(), ORIGINS_MAX);
        assert!(origins[..9].iter().all(|origin| forwards.contains(*origin)), "the first ones stay");
        let text = serde_json::to_string(&forwards).unwrap();
        assert_eq!(serde_json::from_str::<OriginSet>(&text).unwrap(), forwards);
    }

    #[test]
    fn temporary_keys_are_no_origins() {
        assert_eq!(Origin::of_access_key("ASIAIOSFODNN7EXAMPLE"), None);
        assert_ne!(
            Origin::of_access_key("AKIAIOSFODNN7EXAMPLE"),
            Origin::of_access_key("AKIAI44QH8DHBEXAMPLE")
        );
    }
}
