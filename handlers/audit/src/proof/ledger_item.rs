//! Proofs in an exported ledger: `DynamoDB` JSON as `query`, `scan`, `get-item` and exports to S3 write it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::RotationProof;
use crate::input::{InputProblem, scan};
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// Whether some bytes are an export of a table: the first value that can be read tells.
pub fn is_ledger(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct ItemShape {
        #[serde(rename = "Items")]
        items: Option<Vec<IgnoredAny>>,
        #[serde(rename = "Item", alias = "pk")]
        item: Option<Map<String, Value>>,
    }
    let mut found = None;
    values(bytes, &mut |_, value| {
        let Ok(slice) = value else { return true };
        let list =
            serde_json::from_slice::<Vec<ItemShape>>(slice).ok().and_then(|list| list.into_iter().next());
        let shape = list.or_else(|| serde_json::from_slice(slice).ok());
        found = Some(shape.is_some_and(|shape| shape.items.is_some() || shape.item.is_some()));
        false
    });
    found.unwrap_or_default()
}

/// Hands over every proof in an export, and what cannot be read of it. Items that are no proofs are passed over.
pub fn items(bytes: &[u8], sink: &mut dyn FnMut(Result<RotationProof, InputProblem>)) {
    values(bytes, &mut |offset, value| {
        let mut problem = |reason: String| sink(Err(InputProblem { offset, reason }));
        let slice = match value {
            Ok(slice) => slice,
            Err(why) => {
                problem(why.to_owned());
                return true;
            }
        };
        match serde_json::from_slice::<Value>(slice) {
            Ok(value) => each(&value, &mut |found| {
                sink(found.map_err(|error| InputProblem { offset, reason: error.to_string() }));
            }),
            // Its text may be a part of the input.
            Err(error) => problem(format!("not JSON (line {} of the value)", error.line())),
        }
        true
    });
}

/// An item that cannot be used. Holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// Not an item of a table.
    #[error("neither an item of a table nor a list of them")]
    NotAnItem,
    /// A proof without something that every proof has.
    #[error("a proof without a usable `{0}`")]
    Attribute(&'static str),
}

/// The objects and lists that follow each other in some bytes, with their places, until the sink has enough. After a
/// broken one it goes on with the next line.
fn values<'b>(bytes: &'b [u8], sink: &mut dyn FnMut(usize, Result<&'b [u8], &'static str>) -> bool) {
    // A broken value may be looked at again from each of its lines: not for ever.
    let mut budget = bytes.len().saturating_mul(16).saturating_add(1 << 20);
    let (mut at, mut recovering) = (scan::skip_space(bytes, 0), false);
    while let Some(byte) = bytes.get(at) {
        let (next, notified) = match byte {
            b'{' | b'[' => match scan::value_end(bytes, at) {
                Ok(end) => {
                    recovering &= at != 0 && bytes.get(at - 1) != Some(&b'\n');
                    let more = sink(at, bytes.get(at..end).ok_or("cut"));
                    (end, more)
                }
                Err(broken) => {
                    budget = budget.saturating_sub(broken.at - at);
                    let more = recovering || sink(at, Err(broken.why));
                    recovering = true;
                    (scan::next_line(bytes, at), more)
                }
            },
            b',' => (at + 1, true),
            _ => {
                // What is left of a broken value is no news.
                let more = recovering || sink(at, Err("neither an object nor a list"));
                recovering = true;
                (scan::next_line(bytes, at), more)
            }
        };
        if !notified {
            return;
        }
        if budget == 0 {
            sink(at, Err("too much of this input is broken; the rest was not read"));
            return;
        }
        at = scan::skip_space(bytes, next);
    }
}

/// The proofs in one value: the answer of `query` or `scan`, a line of an export, a list of items, or an item.
fn each(value: &Value, sink: &mut dyn FnMut(Result<RotationProof, ItemError>)) {
    let list = value.get("Items").unwrap_or(value).as_array();
    if let Some(list) = list {
        return list.iter().for_each(|item| one(item, sink));
    }
    one(value.get("Item").unwrap_or(value), sink);
}

fn one(item: &Value, sink: &mut dyn FnMut(Result<RotationProof, ItemError>)) {
    let Some(item) = item.as_object().filter(|item| item.contains_key("pk")) else {
        return sink(Err(ItemError::NotAnItem));
    };
    let is_proof = string(item, "pk").is_some_and(|key| key.starts_with("proof#"));
    if is_proof {
        sink(proof(item));
    }
}

fn proof(item: &Map<String, Value>) -> Result<RotationProof, ItemError> {
    let text = |name| string(item, name).filter(|text| !text.is_empty()).map(str::to_owned);
    let time = |name| match item.get(name) {
        None => Ok(None),
        Some(value) if value.get("NULL").is_some() => Ok(None),
        Some(_) => instant(item, name).map(Some).ok_or(ItemError::Attribute(name)),
    };
    let needed = |name| time(name)?.ok_or(ItemError::Attribute(name));
    let decision = text("decision").and_then(|name| serde_json::from_value(Value::String(name)).ok());
    Ok(RotationProof {
        secret: text("secret")
            .and_then(|json| serde_json::from_str(&json).ok())
            .ok_or(ItemError::Attribute("secret"))?,
        service: text("service").ok_or(ItemError::Attribute("service"))?,
        version: text("version"),
        changed_at: needed("changed_at")?,
        decided_at: Some(needed("decided_at")?),
        decision: Some(decision.ok_or(ItemError::Attribute("decision"))?),
        why: text("why").map(Untrusted::new),
        deployment: text("deployment"),
        deployed_at: time("deployed_at")?,
        completed_at: time("completed_at")?,
        failed_at: time("failed_at")?,
        superseded_at: time("superseded_at")?,
        fetched_at: time("fetched_at")?,
        shared: item.get("shared").and_then(|shared| shared.get("N")?.as_str()) == Some("1"),
    })
}

fn string<'i>(item: &'i Map<String, Value>, name: &str) -> Option<&'i str> {
    item.get(name)?.get("S")?.as_str()
}

/// Milliseconds; numbers are strings in `DynamoDB` JSON.
fn instant(item: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    item.get(name)?.get("N")?.as_str()?.parse().ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::super::tests::whole;
    use super::*;
    use serde_json::json;

    fn item() -> Value {
        let proof = whole();
        let millis = |at: Option<Timestamp>| json!({"N": at.unwrap().millis().to_string()});
        json!({
            "pk": {"S": format!("proof#{}", proof.secret.key())},
            "sk": {"S": format!("{}#{}", proof.changed_at, proof.service)},
            "secret": {"S": serde_json::to_string(&proof.secret).unwrap()}, "service": {"S": proof.service},
            "changed_at": millis(Some(proof.changed_at)), "decided_at": millis(proof.decided_at),
            "decision": {"S": "redeploy"}, "deployment": {"S": proof.deployment},
            "deployed_at": millis(proof.deployed_at), "completed_at": millis(proof.completed_at),
            "fetched_at": millis(proof.fetched_at), "failed_at": {"NULL": true}, "expires_at": {"N": "1"},
        })
    }

    fn read(text: &str) -> (Vec<RotationProof>, Vec<String>) {
        let (mut proofs, mut problems) = (Vec::new(), Vec::new());
        items(text.as_bytes(), &mut |found| match found {
            Ok(proof) => proofs.push(proof),
            Err(problem) => problems.push(problem.reason),
        });
        (proofs, problems)
    }

    #[test]
    fn every_form_of_an_export_is_read_and_known_as_one() {
        let (item, other) = (item(), json!({"pk": {"S": "marks#x"}, "sk": {"S": "y"}}));
        let lines = format!("{}\n{}\n", json!({"Item": other}), json!({"Item": item}));
        let pretty = format!("{:#}", json!({"Items": [item, other], "Count": 2}));
        for text in [
            lines,
            pretty,
            json!([item, other]).to_string(),
            json!({"Item": item}).to_string(),
            item.to_string(),
            format!("{}{}", json!({"Items": []}), json!({"Items": [item]})),
        ] {
            assert!(is_ledger(text.as_bytes()), "{text}");
            assert_eq!(read(&text), (vec![whole()], Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_became_of_the_deployment_is_read() {
        let mut item = item();
        item["superseded_at"] = json!({"N": whole().changed_at.millis().to_string()});
        let expected = RotationProof { superseded_at: Some(whole().changed_at), ..whole() };
        assert_eq!(read(&item.to_string()).0, [expected]);
    }

    #[test]
    fn events_are_no_ledger() {
        for text in [
            "",
            "[]",
            "garbage",
            r#"{"Records":[]}"#,
            r#"{"detail-type":"x"}"#,
            r#"[{"eventName":"x"}]"#,
            r#"{"Item":5}"#,
        ] {
            assert!(!is_ledger(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_broken_costs_itself_only() {
        let line = json!({"Item": item()}).to_string();
        let (proofs, problems) = read(&format!("{line}\n{}\nnonsense\n{line}", &line[..90]));
        assert_eq!((proofs.len(), problems.len()), (2, 1), "{problems:?}");
        // An answer of the command line that was cut: the items before the cut stand on lines of their own.
        let pretty = format!("{:#}", json!({"Items": [item(), item()]}));
        let (proofs, problems) = read(&pretty[..pretty.len() - 40]);
        assert_eq!((proofs.len(), problems.len()), (1, 1), "{problems:?}");
        assert_eq!(
            read(&"{\"a\":\n".repeat(100_000)).1.last().map(String::as_str),
            Some("too much of this input is broken; the rest was not read")
        );
    }

    #[test]
    fn a_proof_without_what_it_needs_is_told_by_attribute_and_not_by_value() {
        for (name, value) in [
            ("secret", json!({"S": "hunter2"})),
            ("service", json!({"N": "1"})),
            ("changed_at", json!({"S": "hunter2"})),
            ("decided_at", json!({"NULL": true})),
            ("decision", json!({"S": "hunter2"})),
            ("fetched_at", json!({"N": "1e99"})),
        ] {
            let mut item = item();
            item[name] = value;
            let (proofs, problems) = read(&item.to_string());
            assert_eq!((proofs.len(), problems), (0, vec![format!("a proof without a usable `{name}`")]));
        }
    }
}
