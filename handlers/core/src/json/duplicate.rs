//! Finds a key that stands twice in one object.

use std::collections::BTreeSet;

use super::{Reader, Token};

/// The byte offset behind the second of two equal keys of one object; `None` if there is none up to the first error.
pub fn duplicate_key(text: &str) -> Option<usize> {
    let mut reader = Reader::new(text);
    let mut open: Vec<BTreeSet<Vec<u8>>> = Vec::new();
    loop {
        match reader.next_token().ok()? {
            Token::StartObject | Token::StartArray => open.push(BTreeSet::new()),
            Token::EndObject | Token::EndArray => {
                open.pop();
            }
            Token::Field => {
                let name = reader.name().decode().into_owned();
                if !open.last_mut()?.insert(name) {
                    return Some(reader.offset());
                }
            }
            Token::End => return None,
            Token::String | Token::Number | Token::True | Token::False | Token::Null => {}
        }
        if open.is_empty() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::duplicate_key;

    #[test]
    fn only_keys_of_one_object_count() {
        assert_eq!(duplicate_key(r#"{"a":{"b":1},"c":[{"b":1},{"b":2}],"b":3}"#), None);
        assert!(duplicate_key(r#"{"x":[{"a":1,"\u0061":2}]}"#).is_some());
        assert_eq!(duplicate_key("not json"), None);
    }
}
