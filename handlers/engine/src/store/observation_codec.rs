//! The text of many observations: what they share is written once, and no text is longer than an item may be.
//!
//! A text is a JSON object with four tables. The rows refer to entries of the lists by their numbers. Two reads of the
//! secrets `db` and `api` by one principal, 7 and 9 seconds after `base`, are
//!
//! ```json
//! {"base":1767323040000,
//!  "common":[{"account":"111122223333","region":"us-west-2","principal":"AROA…","roles":{"bulk-read":"counts"}}],
//!  "places":[["111122223333","us-west-2"]],
//!  "secrets":[[0,"db",true],[0,"api",true]],
//!  "rows":[[7000,"<key>","<event id>",0,[0]],[9000,"<key>","<event id>",0,[1]]]}
//! ```
//!
//! A row is: milliseconds after `base`, the observation's key, its event's id, the number of its common fields, and the
//! numbers of its secrets. A secret is: the number of its place, its name, and whether the name comes from an ARN. Common
//! fields are all fields of the observation but `at`, `key`, `id` and `secrets`, so that a field that the core adds is kept
//! without a change here.

use std::collections::BTreeMap;

use responder_core::aws::secret_ref::SecretRef;
use responder_core::state::observation::Observation;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How many bytes a text may have. An item may have 400 KB with its names and keys (developer guide of `DynamoDB`: service
/// quotas).
pub(super) const MAX_TEXT_BYTES: usize = 280_000;

/// An upper bound of the bytes of a number with the punctuation around it.
const NUMBER_BYTES: usize = 10;
/// An upper bound of the bytes of an empty text: the names of the tables, their brackets, and `base`.
const FRAME_BYTES: usize = 128;

/// Writes observations that are no earlier than `base`, or a little, as texts: as one, unless that would be too long.
pub(super) fn pack_observations(base: Timestamp, observations: &[&Observation]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut packer = ObservationPacker::default();
    for observation in observations {
        let Some(parts) = ObservationParts::split_observation(observation) else { continue };
        if !packer.rows.is_empty() && packer.byte_bound + packer.added_bytes(&parts) > MAX_TEXT_BYTES {
            texts.push(std::mem::take(&mut packer).into_text(base));
        }
        packer.add_observation(base, &parts);
    }
    if !packer.rows.is_empty() {
        texts.push(packer.into_text(base));
    }
    texts
}

/// Reads the observations of a text. An observation that cannot be read was written by another release, and is left out.
pub(super) fn unpack_observations(text: &str) -> Vec<Observation> {
    let Ok(packed) = serde_json::from_str::<PackedObservations>(text) else { return Vec::new() };
    packed.rows.iter().filter_map(|row| packed.join_row(row)).collect()
}

/// A text as it is read.
#[derive(Deserialize)]
struct PackedObservations {
    base: i64,
    common: Vec<Map<String, Value>>,
    places: Vec<(String, String)>,
    secrets: Vec<(usize, String, bool)>,
    rows: Vec<PackedRow>,
}

/// Milliseconds after `base`, key, id, number of the common fields, numbers of the secrets.
type PackedRow = (i64, String, String, usize, Vec<usize>);

impl PackedObservations {
    fn join_row(&self, (after, key, id, common, secret_numbers): &PackedRow) -> Option<Observation> {
        let mut fields = self.common.get(*common)?.clone();
        let mut secrets = Vec::new();
        for number in secret_numbers {
            secrets.push(self.secret_value(*number)?);
        }
        let at = Timestamp::from_millis(self.base.checked_add(*after)?);
        fields.insert("at".to_owned(), json!(at));
        fields.insert("key".to_owned(), json!(key));
        fields.insert("id".to_owned(), json!(id));
        fields.insert("secrets".to_owned(), Value::Array(secrets));
        serde_json::from_value(Value::Object(fields)).ok()
    }

    fn secret_value(&self, number: usize) -> Option<Value> {
        let (place, text, from_arn) = self.secrets.get(number)?;
        let (account, region) = self.places.get(*place)?;
        Some(json!({"account": account, "region": region, "text": text, "from_arn": from_arn}))
    }
}

/// An observation taken apart; each text is JSON.
struct ObservationParts<'o> {
    observation: &'o Observation,
    key: String,
    id: String,
    common: String,
    secrets: Vec<SecretParts>,
}

/// A secret taken apart.
struct SecretParts {
    /// The JSON of `[account, region]`.
    place: String,
    /// The name as JSON, a comma, and whether it comes from an ARN.
    name: String,
}

impl<'o> ObservationParts<'o> {
    fn split_observation(observation: &'o Observation) -> Option<Self> {
        let Ok(Value::Object(mut common)) = serde_json::to_value(observation) else { return None };
        for own in ["at", "key", "id", "secrets"] {
            common.remove(own);
        }
        Some(Self {
            observation,
            key: json_string(&observation.key),
            id: json_string(observation.id.raw()),
            common: Value::Object(common).to_string(),
            secrets: observation.secrets.iter().map(SecretParts::split_secret).collect(),
        })
    }
}

impl SecretParts {
    fn split_secret(secret: &SecretRef) -> Self {
        let place = json!([secret.account, secret.region]).to_string();
        Self { place, name: format!("{},{}", json_string(Untrusted::raw(&secret.text)), secret.from_arn) }
    }
}

fn json_string(text: &str) -> String {
    json!(text).to_string()
}

/// A text in the making.
#[derive(Default)]
struct ObservationPacker {
    common: EntryTable,
    places: EntryTable,
    secrets: EntryTable,
    rows: Vec<String>,
    /// The text has at most so many bytes. Counting exactly would mean to write it after each observation.
    byte_bound: usize,
}

impl ObservationPacker {
    /// How many bytes an observation adds at most.
    fn added_bytes(&self, parts: &ObservationParts<'_>) -> usize {
        // A row with its key, its id, and four more numbers or brackets.
        let mut bytes = parts.key.len() + parts.id.len() + 4 * NUMBER_BYTES;
        if self.rows.is_empty() {
            bytes += FRAME_BYTES;
        }
        if !self.common.contains("", &parts.common) {
            bytes += parts.common.len() + 1;
        }
        for SecretParts { place, name } in &parts.secrets {
            bytes += NUMBER_BYTES;
            if !self.secrets.contains(place, name) {
                bytes += place.len() + name.len() + 2 * NUMBER_BYTES;
            }
        }
        bytes
    }

    fn add_observation(&mut self, base: Timestamp, parts: &ObservationParts<'_>) {
        self.byte_bound += self.added_bytes(parts);
        let common = self.common.number_of("", &parts.common, || parts.common.clone());
        let mut secret_numbers = Vec::new();
        for SecretParts { place, name } in &parts.secrets {
            let place_number = self.places.number_of("", place, || place.clone());
            let number = self.secrets.number_of(place, name, || format!("[{place_number},{name}]"));
            secret_numbers.push(number.to_string());
        }
        let after = parts.observation.at.millis().saturating_sub(base.millis());
        let secret_numbers = secret_numbers.join(",");
        self.rows.push(format!("[{after},{},{},{common},[{secret_numbers}]]", parts.key, parts.id));
    }

    fn into_text(self, base: Timestamp) -> String {
        format!(
            r#"{{"base":{},"common":[{}],"places":[{}],"secrets":[{}],"rows":[{}]}}"#,
            base.millis(),
            self.common.entries.join(","),
            self.places.entries.join(","),
            self.secrets.entries.join(","),
            self.rows.join(","),
        )
    }
}

/// A table of the text: each entry is written once and has a number.
#[derive(Default)]
struct EntryTable {
    numbers: BTreeMap<(String, String), usize>,
    entries: Vec<String>,
}

impl EntryTable {
    fn contains(&self, first: &str, second: &str) -> bool {
        self.numbers.contains_key(&(first.to_owned(), second.to_owned()))
    }

    /// The number of an entry, which is written now if it is new.
    fn number_of(&mut self, first: &str, second: &str, write_entry: impl FnOnce() -> String) -> usize {
        let entry_key = (first.to_owned(), second.to_owned());
        if let Some(number) = self.numbers.get(&entry_key) {
            return *number;
        }
        let number = self.entries.len();
        self.entries.push(write_entry());
        self.numbers.insert(entry_key, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use proptest::sample::select;
    use responder_core::aws::secret_ref::SecretRef;
    use responder_core::state::observation::ObservationRole;
    use responder_core::state::origin_set::Origin;

    use super::*;

    fn any_secret() -> impl Strategy<Value = SecretRef> {
        let place = select(&["111122223333", "444455556666"][..]);
        (place, select(&["us-west-2", "\"],["][..]), ".{0,6}", any::<bool>()).prop_map(
            |(account, region, text, from_arn)| SecretRef {
                account: account.to_owned(),
                region: region.to_owned(),
                text: Untrusted::new(text),
                from_arn,
            },
        )
    }

    fn any_mark() -> impl Strategy<Value = Observation> {
        let texts = (".{0,40}", ".{0,40}", select(&["p", "q", "\\\"\u{2028}"][..]));
        let flags = (any::<bool>(), any::<bool>(), any::<bool>());
        let role = (0..4, "[a-z]{1,3}").prop_map(|(kind, exception)| match kind {
            0 => ObservationRole::Counts,
            1 => ObservationRole::Downgraded(exception),
            2 => ObservationRole::Precedes(Some(exception).filter(|exception| exception.len() > 1)),
            _ => ObservationRole::Suppressed(exception),
        });
        let roles = btree_map("[a-z]{1,3}", role, 0..3);
        (texts, flags, roles, -5i64..600_000, vec(any_secret(), 0..4)).prop_map(
            |(texts, (resolves, secrets_known, error), roles, at, secrets)| {
                let (key, id, principal) = texts;
                let origins = if error { vec![Origin::of_address(principal)] } else { Vec::new() };
                Observation {
                    at: Timestamp::from_millis(1_700_000_000_000 + at),
                    key,
                    resolves,
                    id: Untrusted::new(id),
                    account: "111122223333".to_owned(),
                    region: "us-west-2".to_owned(),
                    principal: Untrusted::new(principal),
                    secrets,
                    secrets_known,
                    error,
                    origins,
                    roles,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(observations in btree_set(any_mark(), 0..20)) {
            let base = Timestamp::from_millis(1_700_000_000_000);
            let texts = pack_observations(base, &observations.iter().collect::<Vec<_>>());
            prop_assert_eq!(texts.len(), usize::from(!observations.is_empty()));
            prop_assert_eq!(&texts, &pack_observations(base, &observations.iter().collect::<Vec<_>>()));
            let unpacked: BTreeSet<Observation> = texts.iter().flat_map(|text| unpack_observations(text)).collect();
            prop_assert_eq!(unpacked, observations);
        }

        #[test]
        fn the_size_is_never_underestimated(observations in btree_set(any_mark(), 1..20)) {
            let base = Timestamp::from_millis(1_700_000_000_000);
            let mut packer = ObservationPacker::default();
            for parts in observations.iter().filter_map(ObservationParts::split_observation) {
                packer.add_observation(base, &parts);
            }
            let size = packer.byte_bound;
            prop_assert!(packer.into_text(base).len() <= size);
        }
    }

    #[test]
    fn numbers_that_stand_for_nothing_cost_their_mark_only() {
        let text = r#"{"base":0,"common":[{"account":"1","region":"r","principal":"p","secrets_known":true}],"places":[],
            "secrets":[[7,"x",false]],"rows":[[1,"a","i",0,[]],[1,"b","i",1,[]],[1,"c","i",0,[0]],[1,"d","i",0,[5]]]}"#;
        let keys: Vec<String> =
            unpack_observations(text).into_iter().map(|observation| observation.key).collect();
        assert_eq!(keys, ["a"]);
        assert!(unpack_observations("").is_empty() && unpack_observations("[]").is_empty());
    }
}
