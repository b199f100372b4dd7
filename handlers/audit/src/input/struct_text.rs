//! Reads structures as Athena and CloudTrail Lake print them: `{type=IAMUser, arn=arn:…, sessioncontext={…}}`.

use serde_json::{Map, Value};

/// How deep structures may lie in each other. CloudTrail's own have four levels.
const NESTED_STRUCTURES_MAX: usize = 32;

/// Reads a printed structure or list of structures. Every value is a string, except that `null` is null.
///
/// A value ends before a closing bracket, or before a comma, a space and the next key. A value with such a part in it,
/// which names of AWS cannot have, is cut in two. `None` means that the text is something else.
pub(super) fn parse_struct_text(text: &str) -> Option<Value> {
    let mut reader = StructReader { rest: text.trim(), depth: 0 };
    if !reader.rest.starts_with(['{', '[']) {
        return None;
    }
    let value = reader.read_value()?;
    if reader.rest.is_empty() { Some(value) } else { None }
}

struct StructReader<'t> {
    rest: &'t str,
    depth: usize,
}

impl StructReader<'_> {
    fn read_value(&mut self) -> Option<Value> {
        if self.depth > NESTED_STRUCTURES_MAX {
            return None;
        }
        if self.take("{") {
            return self.read_members();
        }
        if self.take("[") {
            return self.read_entries();
        }
        let end = self.find_scalar_end();
        let (scalar, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(if scalar == "null" { Value::Null } else { Value::String(scalar.to_owned()) })
    }

    fn read_members(&mut self) -> Option<Value> {
        let mut members = Map::new();
        if self.take("}") {
            return Some(Value::Object(members));
        }
        self.depth += 1;
        loop {
            let (key, rest) = self.rest.split_once('=')?;
            if !is_key(key) {
                return None;
            }
            self.rest = rest;
            let value = self.read_value()?;
            members.insert(key.to_owned(), value);
            if self.take("}") {
                self.depth -= 1;
                return Some(Value::Object(members));
            }
            if !self.take(", ") {
                return None;
            }
        }
    }

    fn read_entries(&mut self) -> Option<Value> {
        let mut entries = Vec::new();
        if self.take("]") {
            return Some(Value::Array(entries));
        }
        self.depth += 1;
        loop {
            entries.push(self.read_value()?);
            if self.take("]") {
                self.depth -= 1;
                return Some(Value::Array(entries));
            }
            if !self.take(", ") {
                return None;
            }
        }
    }

    fn take(&mut self, mark: &str) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The length of the plain value with which the rest begins.
    fn find_scalar_end(&self) -> usize {
        for (index, mark) in self.rest.match_indices(['}', ']', ',']) {
            if mark != "," || self.begins_next(index) {
                return index;
            }
        }
        self.rest.len()
    }

    /// Whether the comma at `index` ends a value: the next key, or the next entry of a list, follows.
    fn begins_next(&self, index: usize) -> bool {
        let Some(after) = self.rest.get(index..).and_then(|rest| rest.strip_prefix(", ")) else {
            return false;
        };
        match after.split_once('=') {
            Some((key, _)) => is_key(key) || after.starts_with('{'),
            None => false,
        }
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn structures_and_lists_are_read_and_other_texts_are_not() {
        let printed = "{type=AssumedRole, arn=arn:aws:sts::1:assumed-role/a/x=y,z@w, invokedby=null, sessioncontext={attributes={mfaauthenticated=false}, sessionissuer={arn=arn:aws:iam::1:role/a}}}";
        assert_eq!(
            parse_struct_text(printed),
            Some(
                json!({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/a/x=y,z@w", "invokedby": null,
                "sessioncontext": {"attributes": {"mfaauthenticated": "false"}, "sessionissuer": {"arn": "arn:aws:iam::1:role/a"}}})
            )
        );
        assert_eq!(
            parse_struct_text("[{arn=a, type=t}, {arn=b}]"),
            Some(json!([{"arn": "a", "type": "t"}, {"arn": "b"}]))
        );
        assert_eq!(parse_struct_text("{}"), Some(json!({})));
        for other in ["", "x", "{", "{a}", "{a=b", "{a=b} c", "{a=b; c=d", "[a=b"] {
            assert_eq!(parse_struct_text(other), None, "{other}");
        }
        assert_eq!(parse_struct_text(&"{a=".repeat(10_000)), None);
    }
}
