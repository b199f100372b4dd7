//! Many marks as one text: what they share is said once, and a text is never longer than an item may be.

use std::collections::BTreeMap;

use responder_core::state::observation::Observation;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How many bytes a text may have. An item may have 400 KB with its names and keys (developer guide of `DynamoDB`: service
/// quotas).
pub(super) const LONGEST: usize = 280_000;

/// Marks that lie within some time of `base` as texts: one, unless that would be too long.
pub(super) fn pack(base: Timestamp, observations: &[&Observation]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut packer = ObservationPacker::default();
    for parts in observations.iter().filter_map(|observation| ObservationParts::of(observation)) {
        if !packer.rows.is_empty() && packer.size + packer.adds(&parts) > LONGEST {
            texts.push(std::mem::take(&mut packer).text(base));
        }
        packer.push(base, &parts);
    }
    if !packer.rows.is_empty() {
        texts.push(packer.text(base));
    }
    texts
}

/// The marks of a text. What cannot be read was written by another release and counts no more.
pub(super) fn unpack(text: &str) -> Vec<Observation> {
    let Ok(packed) = serde_json::from_str::<PackedObservations>(text) else { return Vec::new() };
    packed.rows.iter().filter_map(|row| packed.observation(row)).collect()
}

/// A text as it is read: numbers stand for entries of the lists.
#[derive(Deserialize)]
struct PackedObservations {
    base: i64,
    /// What is the same of many marks.
    common: Vec<Map<String, Value>>,
    /// Accounts and Regions of secrets.
    places: Vec<(String, String)>,
    /// Place, name, and whether it comes from an ARN.
    secrets: Vec<(usize, String, bool)>,
    /// Milliseconds after `base`, key, id, common fields, secrets.
    rows: Vec<PackedRow>,
}

type PackedRow = (i64, String, String, usize, Vec<usize>);

impl PackedObservations {
    fn observation(&self, (after, key, id, common, secrets): &PackedRow) -> Option<Observation> {
        let mut fields = self.common.get(*common)?.clone();
        let secrets: Option<Vec<Value>> = secrets.iter().map(|index| self.secret(*index)).collect();
        let at = Timestamp::from_millis(self.base.checked_add(*after)?);
        fields.insert("at".to_owned(), json!(at));
        fields.insert("key".to_owned(), json!(key));
        fields.insert("id".to_owned(), json!(id));
        fields.insert("secrets".to_owned(), Value::Array(secrets?));
        serde_json::from_value(Value::Object(fields)).ok()
    }

    fn secret(&self, index: usize) -> Option<Value> {
        let (place, text, from_arn) = self.secrets.get(index)?;
        let (account, region) = self.places.get(*place)?;
        Some(json!({"account": account, "region": region, "text": text, "from_arn": from_arn}))
    }
}

/// A mark taken apart; texts are JSON.
struct ObservationParts<'m> {
    observation: &'m Observation,
    key: String,
    id: String,
    common: String,
    /// Place and rest of each secret.
    secrets: Vec<(String, String)>,
}

impl<'m> ObservationParts<'m> {
    fn of(observation: &'m Observation) -> Option<Self> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(observation) else { return None };
        for own in ["at", "key", "id", "secrets"] {
            fields.remove(own);
        }
        let text = |text: &str| json!(text).to_string();
        let secret = |secret: &responder_core::aws::secret_ref::SecretRef| {
            let place = json!([secret.account, secret.region]).to_string();
            (place, format!("{},{}", text(Untrusted::raw(&secret.text)), secret.from_arn))
        };
        Some(Self {
            observation,
            key: text(&observation.key),
            id: text(observation.id.raw()),
            common: Value::Object(fields).to_string(),
            secrets: observation.secrets.iter().map(secret).collect(),
        })
    }
}

/// A text in the making.
#[derive(Default)]
struct ObservationPacker {
    common: ValueTable,
    places: ValueTable,
    secrets: ValueTable,
    rows: Vec<String>,
    /// Never less than the bytes of the text.
    size: usize,
}

/// How many bytes a number and what is around it have at most.
const NUMBER: usize = 10;
/// What is around the lists, and in front of them.
const FRAME: usize = 128;

impl ObservationPacker {
    /// How many bytes a mark adds at most.
    fn adds(&self, parts: &ObservationParts<'_>) -> usize {
        let ObservationParts { key, id, common, secrets, .. } = parts;
        let secrets = secrets.iter().map(|(place, rest)| {
            let entry =
                if self.secrets.holds(place, rest) { 0 } else { place.len() + rest.len() + 2 * NUMBER };
            entry + NUMBER
        });
        let common = if self.common.holds("", common) { 0 } else { common.len() + 1 };
        let frame = if self.rows.is_empty() { FRAME } else { 0 };
        frame + key.len() + id.len() + common + secrets.sum::<usize>() + 4 * NUMBER
    }

    fn push(&mut self, base: Timestamp, parts: &ObservationParts<'_>) {
        self.size += self.adds(parts);
        let common = self.common.index("", &parts.common, || parts.common.clone());
        let mut secrets = Vec::new();
        for (place, rest) in &parts.secrets {
            let number = self.places.index("", place, || place.clone());
            let index = self.secrets.index(place, rest, || format!("[{number},{rest}]"));
            secrets.push(index.to_string());
        }
        let after = parts.observation.at.millis().saturating_sub(base.millis());
        self.rows.push(format!("[{after},{},{},{common},[{}]]", parts.key, parts.id, secrets.join(",")));
    }

    fn text(self, base: Timestamp) -> String {
        let Self { common, places, secrets, rows, .. } = self;
        let list = |entries: Vec<String>| format!("[{}]", entries.join(","));
        format!(
            r#"{{"base":{},"common":{},"places":{},"secrets":{},"rows":{}}}"#,
            base.millis(),
            list(common.entries),
            list(places.entries),
            list(secrets.entries),
            list(rows),
        )
    }
}

/// Entries that are said once.
#[derive(Default)]
struct ValueTable {
    known: BTreeMap<(String, String), usize>,
    entries: Vec<String>,
}

impl ValueTable {
    fn holds(&self, first: &str, second: &str) -> bool {
        self.known.contains_key(&(first.to_owned(), second.to_owned()))
    }

    fn index(&mut self, first: &str, second: &str, entry: impl FnOnce() -> String) -> usize {
        let Self { known, entries } = self;
        *known.entry((first.to_owned(), second.to_owned())).or_insert_with(|| {
            entries.push(entry());
            entries.len() - 1
        })
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
                    roles,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(observations in btree_set(any_mark(), 0..20)) {
            let base = Timestamp::from_millis(1_700_000_000_000);
            let texts = pack(base, &observations.iter().collect::<Vec<_>>());
            prop_assert_eq!(texts.len(), usize::from(!observations.is_empty()));
            prop_assert_eq!(&texts, &pack(base, &observations.iter().collect::<Vec<_>>()));
            let unpacked: BTreeSet<Observation> = texts.iter().flat_map(|text| unpack(text)).collect();
            prop_assert_eq!(unpacked, observations);
        }

        #[test]
        fn the_size_is_never_underestimated(observations in btree_set(any_mark(), 1..20)) {
            let base = Timestamp::from_millis(1_700_000_000_000);
            let mut packer = ObservationPacker::default();
            for parts in observations.iter().filter_map(ObservationParts::of) {
                packer.push(base, &parts);
            }
            let size = packer.size;
            prop_assert!(packer.text(base).len() <= size);
        }
    }

    #[test]
    fn numbers_that_stand_for_nothing_cost_their_mark_only() {
        let text = r#"{"base":0,"common":[{"account":"1","region":"r","principal":"p","secrets_known":true}],"places":[],
            "secrets":[[7,"x",false]],"rows":[[1,"a","i",0,[]],[1,"b","i",1,[]],[1,"c","i",0,[0]],[1,"d","i",0,[5]]]}"#;
        let keys: Vec<String> = unpack(text).into_iter().map(|observation| observation.key).collect();
        assert_eq!(keys, ["a"]);
        assert!(unpack("").is_empty() && unpack("[]").is_empty());
    }
}
