//! Reads an event and keeps the values at the paths of patterns.

use std::borrow::Cow;

use crate::error::EventFormatError;
use crate::field_paths::{FieldPathTree, PathNodeIndex, has_empty_step};
use crate::flat_event::{ArrayElement, ArrayElementTree, ElementRange, FlatEvent, FlatValue, ValueShape};
use crate::json::{JsonError, JsonReader, JsonText, JsonToken};

/// Reads a whole event and keeps the values at the given paths.
///
/// # Errors
/// The bytes are not UTF-8 or not a JSON object. As in the engine, text behind the object is ignored.
pub(crate) fn flatten_event<'e>(
    event: &'e [u8],
    paths: &FieldPathTree,
) -> Result<FlatEvent<'e>, EventFormatError> {
    let mut reader = JsonReader::from_bytes(event)?;
    if reader.next_token()? != JsonToken::StartObject {
        return Err(EventFormatError::NotAnObject);
    }
    let flat = FlatEvent {
        values: vec![Vec::new(); paths.slot_count()],
        shapes: vec![None; paths.slot_count()],
        elements: ArrayElementTree::new(),
    };
    let open = vec![OpenContainer::new(FieldPathTree::ROOT, 0, false)];
    let mut flattener = EventFlattener { reader, paths, flat, open, decoded_name: Vec::new() };
    flattener.read_to_end()?;
    Ok(flattener.flat)
}

struct EventFlattener<'e, 'p> {
    reader: JsonReader<'e>,
    paths: &'p FieldPathTree,
    flat: FlatEvent<'e>,
    open: Vec<OpenContainer>,
    /// Room for the name of a field that has escapes.
    decoded_name: Vec<u8>,
}

/// An object or array that has not ended, and that can hold a value at some path.
#[derive(Clone, Copy)]
struct OpenContainer {
    /// The node of the path so far.
    node: PathNodeIndex,
    /// The element that values in here belong to.
    element: u32,
    /// Whether a name on the way had an empty step.
    has_empty_step: bool,
    /// The array's index, if this is one.
    array: Option<u32>,
    entry_count: usize,
    /// Whether this is the first thing at its path, which gives the path its shape.
    gives_shape: bool,
    /// Whether `element` ends together with this container.
    ends_element: bool,
}

impl OpenContainer {
    fn new(node: PathNodeIndex, element: u32, has_empty_step: bool) -> Self {
        Self {
            node,
            element,
            has_empty_step,
            array: None,
            entry_count: 0,
            gives_shape: false,
            ends_element: false,
        }
    }
}

impl EventFlattener<'_, '_> {
    fn read_to_end(&mut self) -> Result<(), JsonError> {
        while let Some(container) = self.open.last_mut() {
            let token = self.reader.next_token()?;
            if matches!(token, JsonToken::EndObject | JsonToken::EndArray) {
                self.close_container();
                continue;
            }
            container.entry_count += 1;
            let container = *container;
            if container.array.is_some() {
                self.read_entry(container, token)?;
            } else {
                self.read_field(container)?;
            }
        }
        Ok(())
    }

    /// Reads the field of an object whose name was just given out.
    fn read_field(&mut self, container: OpenContainer) -> Result<(), JsonError> {
        let text = self.reader.field_name();
        let name = if text.has_escapes() {
            self.decoded_name.clear();
            text.decode_into(&mut self.decoded_name);
            &self.decoded_name[..]
        } else {
            text.raw().as_bytes()
        };
        let Some(node) = self.paths.follow(container.node, name) else {
            let token = self.reader.next_token()?;
            return self.reader.skip_value(token);
        };
        let has_empty_step = container.has_empty_step || has_empty_step(name);
        let token = self.reader.next_token()?;
        let mut inner = OpenContainer::new(node, container.element, has_empty_step);
        if let Some(slot) = self.paths.slot_at(node)
            && self.flat.shapes[slot].is_none()
        {
            inner.gives_shape = true;
            self.flat.shapes[slot] = Some(match token {
                JsonToken::StartObject => ValueShape::Object,
                JsonToken::StartArray => ValueShape::Array(0),
                scalar => ValueShape::Scalar(scalar),
            });
        }
        self.read_value(inner, token)
    }

    /// Reads an entry of an array, which has an element of its own if it can hold values of several paths.
    fn read_entry(&mut self, container: OpenContainer, token: JsonToken) -> Result<(), JsonError> {
        let mut inner = OpenContainer::new(container.node, container.element, container.has_empty_step);
        let has_element = match token {
            JsonToken::StartObject => !self.paths.is_end(container.node),
            JsonToken::StartArray => true,
            _ => false,
        };
        if has_element {
            let elements = &mut self.flat.elements;
            inner.element = elements.next_element();
            inner.ends_element = true;
            let array = container.array.unwrap_or(u32::MAX);
            elements.elements.push(ArrayElement { parent: container.element, array, end: u32::MAX });
        }
        self.read_value(inner, token)
    }

    /// Takes the value that begins with a token: keeps a scalar, goes into an array or object that can hold a path.
    fn read_value(&mut self, mut inner: OpenContainer, token: JsonToken) -> Result<(), JsonError> {
        match token {
            JsonToken::StartObject if self.paths.is_end(inner.node) => self.reader.skip_value(token),
            JsonToken::StartObject => {
                self.open.push(inner);
                Ok(())
            }
            JsonToken::StartArray => {
                let elements = &mut self.flat.elements;
                inner.array = Some(u32::try_from(elements.arrays.len()).unwrap_or(u32::MAX));
                let start = elements.next_element();
                elements.arrays.push(ElementRange { start, end: u32::MAX });
                self.open.push(inner);
                Ok(())
            }
            scalar => match self.paths.slot_at(inner.node) {
                Some(slot) => self.keep_scalar(slot, inner, scalar),
                None => Ok(()),
            },
        }
    }

    fn keep_scalar(&mut self, slot: usize, place: OpenContainer, token: JsonToken) -> Result<(), JsonError> {
        let mut decoded = None;
        if token == JsonToken::String {
            let text = self.reader.string_text()?;
            if text.has_escapes() {
                decoded = Some(decode_with_quotes(text));
            }
        }
        let (text, bytes_with_surrogates) = match decoded {
            Some(decoded) => decoded,
            None => (Cow::Borrowed(self.reader.spelling()), None),
        };
        let value = FlatValue {
            text,
            bytes_with_surrogates,
            element: place.element,
            has_empty_step: place.has_empty_step,
        };
        self.flat.values[slot].push(value);
        Ok(())
    }

    fn close_container(&mut self) {
        let Some(container) = self.open.pop() else { return };
        let end = self.flat.elements.next_element();
        if let Some(array) = container.array {
            if let Some(range) = self.flat.elements.arrays.get_mut(array as usize) {
                range.end = end;
            }
            if container.gives_shape
                && let Some(slot) = self.paths.slot_at(container.node)
            {
                self.flat.shapes[slot] = Some(ValueShape::Array(container.entry_count));
            }
        }
        if container.ends_element
            && let Some(element) = self.flat.elements.elements.get_mut(container.element as usize)
        {
            element.end = end;
        }
    }
}

/// A string without its escapes but with its quotes; and its bytes, if lone surrogates make them differ from the text.
fn decode_with_quotes(text: JsonText<'_>) -> (Cow<'static, str>, Option<Vec<u8>>) {
    let mut bytes = vec![b'"'];
    let has_lone_surrogate = text.decode_into(&mut bytes);
    bytes.push(b'"');
    if has_lone_surrogate {
        return (Cow::Owned(format!("\"{}\"", text.decode_lossy('?'))), Some(bytes));
    }
    // Without a lone surrogate the bytes are UTF-8.
    (Cow::Owned(String::from_utf8(bytes).unwrap_or_default()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(event: &str, path: &str) -> Vec<(String, u32)> {
        let mut paths = FieldPathTree::default();
        paths.insert(path.as_bytes());
        let flat = flatten_event(event.as_bytes(), &paths).unwrap();
        flat.values[0].iter().map(|value| (value.text.to_string(), value.element)).collect()
    }

    #[test]
    fn values_at_a_path_come_with_their_element() {
        assert_eq!(
            values(r#"{"a":{"b":"x"},"a.b":1,"c":[2]}"#, "a.b"),
            [("\"x\"".to_owned(), 0), ("1".to_owned(), 0)]
        );
        let event = r#"{"a":[{"b":1},{"b":[2,[3]]},{"c":4},{"b":null}]}"#;
        let found = values(event, "a.b");
        assert_eq!(
            found,
            [("1".to_owned(), 1), ("2".to_owned(), 2), ("3".to_owned(), 3), ("null".to_owned(), 5)]
        );
        assert!(values(r#"{"a":{"b":{}}}"#, "a.b").is_empty());
    }

    #[test]
    fn lone_surrogates_are_kept_apart() {
        let mut paths = FieldPathTree::default();
        paths.insert(b"a");
        let flat = flatten_event(br#"{"a":"\ud800\n"}"#, &paths).unwrap();
        assert_eq!(flat.values[0][0].text, "\"?\n\"");
        assert_eq!(flat.values[0][0].exact_bytes(), b"\"\xed\xa0\x80\n\"");
    }

    #[test]
    fn only_objects_are_events() {
        for event in ["", " ", "[]", "5", "\"x", "null"] {
            let refusal = flatten_event(event.as_bytes(), &FieldPathTree::default()).unwrap_err();
            assert_eq!(refusal, EventFormatError::NotAnObject, "{event}");
        }
        let refusal = flatten_event(b"{", &FieldPathTree::default()).unwrap_err();
        assert_eq!(refusal.kind(), "unexpected end");
    }
}
