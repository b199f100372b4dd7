//! Locations: an account and a Region together.

use crate::string_type::string_types;

string_types! {
    /// An account and a Region as one key, `account/region`. A file of facts may hold any text here: it names no location then.
    Location;
}

impl Location {
    /// The location of an account and a Region.
    pub fn new(account: &str, region: &str) -> Self {
        Self::from(format!("{account}/{region}"))
    }
}
