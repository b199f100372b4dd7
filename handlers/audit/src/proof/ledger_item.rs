//! Proofs in an exported ledger: `DynamoDB` JSON as `query`, `scan`, `get-item` and exports to S3 write it.

use serde_json::{Map, Value};

use super::rotation_proof::{RecordedDecision, RotationProof};
use crate::input::{ContentProblem, scan_values};
use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// The beginning of the partition key of every proof.
const PROOF_KEY_PREFIX: &str = "proof#";

/// An item that cannot be used. It holds nothing of the item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerItemError {
    /// The value is not an item of a table.
    #[error("neither an item of a table nor a list of them")]
    NotAnItem,
    /// A proof lacks an attribute that every proof has, or the attribute has another type.
    #[error("a proof without a usable `{0}`")]
    UnusableAttribute(&'static str),
}

/// Hands every proof in an export to `sink`, and every part of the export that cannot be read. Items that are no proofs
/// are skipped.
pub fn read_ledger_items(bytes: &[u8], sink: &mut dyn FnMut(Result<RotationProof, ContentProblem>)) {
    scan_values(bytes, &mut |offset, value| {
        match parse_value(value) {
            Ok(value) => {
                for item in list_items(&value) {
                    match read_item(item) {
                        Ok(Some(proof)) => sink(Ok(proof)),
                        Ok(None) => {}
                        Err(error) => sink(Err(ContentProblem { offset, reason: error.to_string() })),
                    }
                }
            }
            Err(reason) => sink(Err(ContentProblem { offset, reason })),
        }
        true
    });
}

/// Parses a value of the export. The error holds nothing of its text.
fn parse_value(value: Result<&[u8], &'static str>) -> Result<Value, String> {
    serde_json::from_slice(value?).map_err(|error| format!("not JSON (line {} of the value)", error.line()))
}

/// Returns the items in one value: the answer of `query` or `scan`, a line of an export, a list of items, or an item.
fn list_items(value: &Value) -> &[Value] {
    match value.get("Items").unwrap_or(value) {
        Value::Array(items) => items,
        _ => std::slice::from_ref(value.get("Item").unwrap_or(value)),
    }
}

/// Reads one item. Returns `None` if it is no proof.
fn read_item(item: &Value) -> Result<Option<RotationProof>, LedgerItemError> {
    let Some(attributes) = item.as_object() else { return Err(LedgerItemError::NotAnItem) };
    if !attributes.contains_key("pk") {
        return Err(LedgerItemError::NotAnItem);
    }
    let item = LedgerItem { attributes };
    match item.text("pk") {
        Some(key) if key.starts_with(PROOF_KEY_PREFIX) => item.read_proof().map(Some),
        _ => Ok(None),
    }
}

/// The attributes of an item in `DynamoDB` JSON: each is an object with its type, such as `{"S":"text"}`.
struct LedgerItem<'i> {
    attributes: &'i Map<String, Value>,
}

impl<'i> LedgerItem<'i> {
    fn read_proof(&self) -> Result<RotationProof, LedgerItemError> {
        Ok(RotationProof {
            secret: self.secret()?,
            service: self
                .owned_text("service")
                .map(ServiceArn::from)
                .ok_or(LedgerItemError::UnusableAttribute("service"))?,
            version: self.owned_text("version"),
            changed_at: self.required_time("changed_at")?,
            decided_at: Some(self.required_time("decided_at")?),
            decision: Some(self.decision()?),
            why: self.owned_text("why").map(Untrusted::new),
            deployment: self.owned_text("deployment"),
            deployed_at: self.time("deployed_at")?,
            completed_at: self.time("completed_at")?,
            failed_at: self.time("failed_at")?,
            superseded_at: self.time("superseded_at")?,
            fetched_at: self.time("fetched_at")?,
            shared: self.number("shared") == Some("1"),
        })
    }

    /// The secret, which is JSON in a string.
    fn secret(&self) -> Result<SecretRef, LedgerItemError> {
        let text = self.text("secret").unwrap_or_default();
        serde_json::from_str(text).or(Err(LedgerItemError::UnusableAttribute("secret")))
    }

    fn decision(&self) -> Result<RecordedDecision, LedgerItemError> {
        let word = Value::from(self.text("decision").unwrap_or_default());
        serde_json::from_value(word).or(Err(LedgerItemError::UnusableAttribute("decision")))
    }

    /// A string attribute; `None` if it is absent, empty or not a string.
    fn text(&self, name: &str) -> Option<&'i str> {
        let text = self.attributes.get(name)?.get("S")?.as_str()?;
        if text.is_empty() { None } else { Some(text) }
    }

    fn owned_text(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A number attribute. Numbers are strings in `DynamoDB` JSON.
    fn number(&self, name: &str) -> Option<&'i str> {
        self.attributes.get(name)?.get("N")?.as_str()
    }

    /// A time in milliseconds; `None` if it is absent or `NULL`.
    fn time(&self, name: &'static str) -> Result<Option<Timestamp>, LedgerItemError> {
        match self.attributes.get(name) {
            None => return Ok(None),
            Some(value) if value.get("NULL").is_some() => return Ok(None),
            Some(_) => {}
        }
        match self.number(name).unwrap_or_default().parse() {
            Ok(millis) => Ok(Some(Timestamp::from_millis(millis))),
            Err(_) => Err(LedgerItemError::UnusableAttribute(name)),
        }
    }

    fn required_time(&self, name: &'static str) -> Result<Timestamp, LedgerItemError> {
        self.time(name)?.ok_or(LedgerItemError::UnusableAttribute(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::FileKind;
    use crate::proof::rotation_proof::tests::whole_proof;
    use serde_json::json;

    fn proof_item() -> Value {
        let proof = whole_proof();
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

    fn read_all(text: &str) -> (Vec<RotationProof>, Vec<String>) {
        let (mut proofs, mut problems) = (Vec::new(), Vec::new());
        read_ledger_items(text.as_bytes(), &mut |found| match found {
            Ok(proof) => proofs.push(proof),
            Err(problem) => problems.push(problem.reason),
        });
        (proofs, problems)
    }

    #[test]
    fn every_form_of_an_export_is_read_and_known_as_one() {
        let (item, other) = (proof_item(), json!({"pk": {"S": "marks#x"}, "sk": {"S": "y"}}));
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
            assert_eq!(FileKind::detect("x.json", text.as_bytes()), FileKind::LedgerItems, "{text}");
            assert_eq!(read_all(&text), (vec![whole_proof()], Vec::new()), "{text}");
        }
    }

    #[test]
    fn the_time_at_which_a_deployment_was_superseded_is_read() {
        let mut item = proof_item();
        item["superseded_at"] = json!({"N": whole_proof().changed_at.millis().to_string()});
        let expected = RotationProof { superseded_at: Some(whole_proof().changed_at), ..whole_proof() };
        assert_eq!(read_all(&item.to_string()).0, [expected]);
    }

    #[test]
    fn events_are_no_ledger_items() {
        for text in [
            "",
            "[]",
            "garbage",
            r#"{"Records":[]}"#,
            r#"{"detail-type":"x"}"#,
            r#"[{"eventName":"x"}]"#,
            r#"{"Item":5}"#,
        ] {
            assert_eq!(FileKind::detect("x.json", text.as_bytes()), FileKind::Events, "{text}");
        }
    }

    #[test]
    fn a_broken_item_costs_itself_only() {
        let line = json!({"Item": proof_item()}).to_string();
        let (proofs, problems) = read_all(&format!("{line}\n{}\nnonsense\n{line}", &line[..90]));
        assert_eq!((proofs.len(), problems.len()), (2, 1), "{problems:?}");
        // An answer of the command line that was cut: the items before the cut stand on lines of their own.
        let pretty = format!("{:#}", json!({"Items": [proof_item(), proof_item()]}));
        let (proofs, problems) = read_all(&pretty[..pretty.len() - 40]);
        assert_eq!((proofs.len(), problems.len()), (1, 1), "{problems:?}");
        assert_eq!(
            read_all(&"{\"a\":\n".repeat(100_000)).1.last().map(String::as_str),
            Some("too much of this input is broken; the rest was not read")
        );
    }

    #[test]
    fn a_problem_of_a_proof_names_the_attribute_and_not_its_value() {
        for (name, value) in [
            ("secret", json!({"S": "hunter2"})),
            ("service", json!({"N": "1"})),
            ("changed_at", json!({"S": "hunter2"})),
            ("decided_at", json!({"NULL": true})),
            ("decision", json!({"S": "hunter2"})),
            ("fetched_at", json!({"N": "1e99"})),
        ] {
            let mut item = proof_item();
            item[name] = value;
            let (proofs, problems) = read_all(&item.to_string());
            assert_eq!((proofs.len(), problems), (0, vec![format!("a proof without a usable `{name}`")]));
        }
    }
}
