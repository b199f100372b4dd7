//! An event cut down to the values that some pattern looks at.

use std::borrow::Cow;

use super::paths::{NodeId, Paths, has_empty_step};
use crate::json::{JsonError, RawText, Reader, Token};

/// Why an event cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// JSON, but not an object (or nothing at all).
    #[error("Event must be a JSON object")]
    NotAnObject,
    /// Not JSON. The words shown repeat nothing of the event, for they end up in logs; the error inside has Jackson's, which do.
    #[error("Event is not JSON: {} at byte {}", .0.kind(), .0.offset)]
    Json(#[from] JsonError),
}

impl EventError {
    /// What is wrong without any part of the event: safe to log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAnObject => "not an object",
            Self::Json(error) => error.kind(),
        }
    }
}

/// One value at a path: a string with its quotes, or a number or word as spelled.
#[derive(Clone, Debug)]
pub(super) struct Leaf<'e> {
    /// The text as Java encodes it: a lone half of a surrogate pair is a question mark.
    pub(super) text: Cow<'e, str>,
    /// The text with lone halves kept apart, if it has any.
    pub(super) exact: Option<Vec<u8>>,
    /// The innermost array element around the value; see [`Tree`].
    pub(super) element: u32,
    /// Whether a field name on the way had an empty step; see [`has_empty_step`].
    pub(super) empty_step: bool,
}

/// What stands at a path, for explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A string, number, word.
    Scalar(Token),
    /// An object.
    Object,
    /// An array of so many entries.
    Array(usize),
}

/// The elements of the arrays that were entered, in document order. Element 0 is the event itself.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// For every element: the element around its array, its array, and the first element behind it.
    pub(super) elements: Vec<Element>,
    /// For every array: its first element and the first behind it.
    pub(super) arrays: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) parent: u32,
    pub(super) array: u32,
    pub(super) end: u32,
}

/// The values of an event by the slot of their path, in document order.
#[derive(Clone, Debug)]
pub(super) struct Flat<'e> {
    pub(super) leaves: Vec<Vec<Leaf<'e>>>,
    pub(super) shapes: Vec<Option<Shape>>,
    pub(super) tree: Tree,
}

/// Reads the whole event, keeping the values at the given paths.
///
/// # Errors
/// The event is not a JSON object; text behind the object is ignored, as the engine does.
pub(super) fn flatten<'e>(source: &'e str, paths: &Paths) -> Result<Flat<'e>, EventError> {
    let mut reader = Reader::new(source);
    if reader.next_token()? != Token::StartObject {
        return Err(EventError::NotAnObject);
    }
    let root = Element { parent: 0, array: u32::MAX, end: u32::MAX };
    let flat = Flat {
        leaves: vec![Vec::new(); paths.len()],
        shapes: vec![None; paths.len()],
        tree: Tree { elements: vec![root], arrays: Vec::new() },
    };
    let mut walk =
        Walk { reader, paths, flat, open: vec![Frame::object(Paths::ROOT, 0, false)], name: Vec::new() };
    walk.run()?;
    Ok(walk.flat)
}

struct Walk<'e, 'p> {
    reader: Reader<'e>,
    paths: &'p Paths,
    flat: Flat<'e>,
    open: Vec<Frame>,
    /// Room for a field name with escapes.
    name: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Frame {
    node: NodeId,
    /// The element that values in here belong to.
    element: u32,
    empty_step: bool,
    /// The array's number, if this is one.
    array: Option<u32>,
    entries: usize,
    /// Whether this is the first value at its path, whose shape is to be noted when it closes.
    noted: bool,
    /// Whether an element ends with this frame.
    owns_element: bool,
}

impl Frame {
    fn object(node: NodeId, element: u32, empty_step: bool) -> Self {
        Self { node, element, empty_step, array: None, entries: 0, noted: false, owns_element: false }
    }
}

impl Walk<'_, '_> {
    fn run(&mut self) -> Result<(), JsonError> {
        while let Some(frame) = self.open.last_mut() {
            let token = self.reader.next_token()?;
            if matches!(token, Token::EndObject | Token::EndArray) {
                self.close();
                continue;
            }
            frame.entries += 1;
            let frame = *frame;
            if frame.array.is_some() {
                self.entry(frame, token)?;
            } else {
                self.field(frame)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, frame: Frame) -> Result<(), JsonError> {
        let name = self.reader.name();
        let name = if name.escaped {
            self.name.clear();
            name.decode_into(&mut self.name);
            &self.name[..]
        } else {
            name.raw.as_bytes()
        };
        let node = self.paths.step(frame.node, name);
        let empty_step = frame.empty_step || (node.is_some() && has_empty_step(name));
        let token = self.reader.next_token()?;
        let Some(node) = node else { return self.reader.skip_value(token) };
        let slot = self.paths.slot(node);
        let noted = slot.is_some_and(|slot| self.flat.shapes[slot].is_none());
        if let Some(slot) = slot.filter(|_| noted) {
            self.flat.shapes[slot] = Some(match token {
                Token::StartObject => Shape::Object,
                Token::StartArray => Shape::Array(0),
                scalar => Shape::Scalar(scalar),
            });
        }
        let inner = Frame { noted, ..Frame::object(node, frame.element, empty_step) };
        self.enter(inner, token)
    }

    fn entry(&mut self, frame: Frame, token: Token) -> Result<(), JsonError> {
        let inner = Frame::object(frame.node, frame.element, frame.empty_step);
        let container = matches!(token, Token::StartObject | Token::StartArray);
        if !container || (token == Token::StartObject && self.paths.is_leaf(frame.node)) {
            return self.enter(inner, token);
        }
        let element = self.next_element();
        let array = frame.array.unwrap_or(u32::MAX);
        self.flat.tree.elements.push(Element { parent: frame.element, array, end: u32::MAX });
        self.enter(Frame { element, owns_element: true, ..inner }, token)
    }

    /// Takes the value that begins with a token: notes a scalar, goes into an array or object that can hold a path.
    fn enter(&mut self, inner: Frame, token: Token) -> Result<(), JsonError> {
        match token {
            Token::StartObject if self.paths.is_leaf(inner.node) => self.reader.skip_value(token),
            Token::StartObject => {
                self.open.push(inner);
                Ok(())
            }
            Token::StartArray => {
                let number = u32::try_from(self.flat.tree.arrays.len()).unwrap_or(u32::MAX);
                let start = self.next_element();
                self.flat.tree.arrays.push((start, u32::MAX));
                self.open.push(Frame { array: Some(number), ..inner });
                Ok(())
            }
            scalar => match self.paths.slot(inner.node) {
                Some(slot) => self.leaf(slot, inner, scalar),
                None => Ok(()),
            },
        }
    }

    fn leaf(&mut self, slot: usize, frame: Frame, token: Token) -> Result<(), JsonError> {
        let (text, exact) = match token {
            Token::String => {
                let text = self.reader.string()?;
                if text.escaped { quoted(text) } else { (Cow::Borrowed(self.reader.spelling()), None) }
            }
            _ => (Cow::Borrowed(self.reader.spelling()), None),
        };
        let leaf = Leaf { text, exact, element: frame.element, empty_step: frame.empty_step };
        self.flat.leaves[slot].push(leaf);
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        let end = self.next_element();
        if let Some(array) = frame.array {
            if let Some((_, array_end)) = self.flat.tree.arrays.get_mut(array as usize) {
                *array_end = end;
            }
            if let Some(slot) = self.paths.slot(frame.node).filter(|_| frame.noted) {
                self.flat.shapes[slot] = Some(Shape::Array(frame.entries));
            }
        }
        if frame.owns_element
            && let Some(element) = self.flat.tree.elements.get_mut(frame.element as usize)
        {
            element.end = end;
        }
    }

    fn next_element(&self) -> u32 {
        u32::try_from(self.flat.tree.elements.len()).unwrap_or(u32::MAX)
    }
}

fn quoted(text: RawText<'_>) -> (Cow<'static, str>, Option<Vec<u8>>) {
    let mut exact = vec![b'"'];
    let lone = text.decode_into(&mut exact);
    exact.push(b'"');
    if lone {
        let shown = format!("\"{}\"", text.to_string_with('?'));
        return (Cow::Owned(shown), Some(exact));
    }
    (Cow::Owned(String::from_utf8(exact).unwrap_or_default()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(event: &str, path: &str) -> Vec<(String, u32)> {
        let mut paths = Paths::default();
        paths.insert(path.as_bytes());
        let flat = flatten(event, &paths).unwrap();
        flat.leaves[0].iter().map(|leaf| (leaf.text.to_string(), leaf.element)).collect()
    }

    #[test]
    fn keeps_values_at_the_path_with_their_element() {
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
    fn notes_lone_halves() {
        let mut paths = Paths::default();
        paths.insert(b"a");
        let flat = flatten(r#"{"a":"\ud800\n"}"#, &paths).unwrap();
        assert_eq!(flat.leaves[0][0].text, "\"?\n\"");
        assert_eq!(flat.leaves[0][0].exact.as_deref(), Some(&b"\"\xed\xa0\x80\n\""[..]));
    }

    #[test]
    fn refuses_what_is_no_object() {
        for event in ["", " ", "[]", "5", "\"x", "null"] {
            assert_eq!(flatten(event, &Paths::default()).unwrap_err(), EventError::NotAnObject, "{event}");
        }
        assert_eq!(flatten("{", &Paths::default()).unwrap_err().kind(), "unexpected end");
    }
}
