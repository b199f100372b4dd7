//! Reading a whole pattern: fields, nesting, and `$or`.
//!
//! The order of the checks, and the words, are those of event-ruler 2.0.1 (`JsonRuleCompiler`).

use std::collections::BTreeMap;

use super::PatternError;
use super::complexity;
use super::expression::{entries, fail};
use super::matcher::Field;
use super::paths::{Paths, has_empty_step, utf16_order};
use crate::json::{Reader, Token};

/// The most combinations that `$or` may spell out (AWS's documented quota).
const MAX_COMBINATIONS: usize = 1000;
/// The most fields of one combination (`GenericMachine.MAXIMUM_RULE_SIZE`).
const MAX_FIELDS: usize = 256;

/// Names that `$or` keeps for itself (`Constants.RESERVED_FIELD_NAMES_IN_OR_RELATIONSHIP`).
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// A pattern, ready to be matched.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    /// The fields in document order.
    pub(super) fields: Vec<Field>,
    /// The alternatives that `$or` spells out: indices of fields, sorted by path. One of them must hold whole.
    pub(super) alternatives: Vec<Vec<usize>>,
    /// The paths of the fields.
    pub(super) paths: Paths,
    /// Whether empty steps in the names of an event's fields can lead to a field.
    pub(super) empty_steps: bool,
    /// Where the pattern ends in its text; the rest is ignored.
    pub(super) end: usize,
}

/// Reads a pattern.
///
/// # Errors
/// In the engine's words: the first thing that is not JSON, or that the pattern language does not know.
pub(super) fn compile(source: &str) -> Result<Compiled, PatternError> {
    let mut reader = Reader::new(source);
    if reader.next_token()? != Token::StartObject {
        return fail(&reader, "Filter is not an object");
    }
    let mut compiler =
        Compiler { reader, path: Vec::new(), fields: Vec::new(), rules: Vec::new(), paths: Paths::default() };
    compiler.run()?;
    compiler.finish()
}

/// An alternative while it is read: path to field. A path that comes again takes the place of the earlier one.
type Rule = BTreeMap<Vec<u8>, usize>;

struct Compiler<'a> {
    reader: Reader<'a>,
    path: Vec<Vec<u8>>,
    fields: Vec<Field>,
    rules: Vec<Rule>,
    paths: Paths,
}

enum Frame {
    Object { in_or: bool, fields: bool, after: After },
    Or { base: Vec<Rule>, done: Vec<Rule>, count: usize },
}

/// What remains to do when an object ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    LeavePath,
    EndAlternative,
}

impl Compiler<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        let mut open = vec![Frame::Object { in_or: false, fields: false, after: After::Nothing }];
        while let Some(frame) = open.pop() {
            match frame {
                Frame::Object { in_or, fields, after } => self.object(&mut open, in_or, fields, after)?,
                Frame::Or { base, done, count } => self.or(&mut open, base, done, count)?,
            }
        }
        Ok(())
    }

    fn object(
        &mut self,
        open: &mut Vec<Frame>,
        in_or: bool,
        fields: bool,
        after: After,
    ) -> Result<(), PatternError> {
        if self.reader.next_token()? == Token::EndObject {
            if !fields {
                return fail(&self.reader, "Empty objects are not allowed");
            }
            match (after, open.last_mut()) {
                (After::EndAlternative, Some(Frame::Or { done, .. })) => {
                    done.append(&mut self.rules);
                    if done.len() > MAX_COMBINATIONS {
                        let message = format!("$or spells out more than {MAX_COMBINATIONS} combinations");
                        return fail(&self.reader, message);
                    }
                }
                (After::LeavePath, _) => {
                    self.path.pop();
                }
                _ => {}
            }
            return Ok(());
        }
        open.push(Frame::Object { in_or, fields: true, after });
        let name = self.reader.name();
        let step = name.decode().into_owned();
        if step == b"$or" {
            if self.reader.next_token()? != Token::StartArray {
                return fail(&self.reader, "It must be an Array followed with $or.");
            }
            let base = std::mem::take(&mut self.rules);
            open.push(Frame::Or { base, done: Vec::new(), count: 0 });
            return Ok(());
        }
        if in_or && RESERVED.iter().any(|reserved| reserved.as_bytes() == step) {
            let name = name.to_string_with('?');
            return fail(
                &self.reader,
                format!("{name} is Ruler reserved fieldName which cannot be used inside $or."),
            );
        }
        match self.reader.next_token()? {
            Token::StartObject => {
                self.path.push(step);
                open.push(Frame::Object { in_or, fields: false, after: After::LeavePath });
                Ok(())
            }
            Token::StartArray => {
                self.path.push(step);
                let path = self.path.join(&b'.');
                self.path.pop();
                self.field(path)
            }
            _ => {
                let name = name.to_string_with('?');
                fail(&self.reader, format!("\"{name}\" must be an object or an array"))
            }
        }
    }

    fn or(
        &mut self,
        open: &mut Vec<Frame>,
        base: Vec<Rule>,
        done: Vec<Rule>,
        count: usize,
    ) -> Result<(), PatternError> {
        match self.reader.next_token()? {
            Token::EndArray if count < 2 => {
                fail(&self.reader, "There must have at least 2 Objects in $or relationship.")
            }
            Token::EndArray => {
                self.rules = done;
                Ok(())
            }
            Token::StartObject => {
                self.rules.clone_from(&base);
                if self.rules.is_empty() {
                    self.rules.push(Rule::new());
                }
                open.push(Frame::Or { base, done, count: count + 1 });
                open.push(Frame::Object { in_or: true, fields: false, after: After::EndAlternative });
                Ok(())
            }
            _ => fail(&self.reader, "Only JSON object is allowed in array of $or relationship."),
        }
    }

    fn field(&mut self, path: Vec<u8>) -> Result<(), PatternError> {
        let matchers = entries(&mut self.reader)?;
        let wildcards: Vec<_> = matchers.iter().flat_map(super::matcher::Matcher::wildcards).collect();
        if complexity::too_complex(&wildcards) {
            return fail(&self.reader, complexity::MESSAGE);
        }
        if self.rules.is_empty() {
            self.rules.push(Rule::new());
        }
        for rule in &mut self.rules {
            rule.insert(path.clone(), self.fields.len());
        }
        let slot = self.paths.insert(&path);
        self.fields.push(Field::new(path, slot, matchers));
        Ok(())
    }

    fn finish(self) -> Result<Compiled, PatternError> {
        if self.rules.iter().any(|rule| rule.len() > MAX_FIELDS) {
            return fail(&self.reader, format!("Size of rule 'rule' exceeds max value of {MAX_FIELDS}"));
        }
        let order =
            |fields: &Vec<Field>, a: &usize, b: &usize| utf16_order(&fields[*a].path, &fields[*b].path);
        let mut alternatives: Vec<Vec<usize>> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let mut indices: Vec<usize> = rule.values().copied().collect();
            indices.sort_by(|a, b| order(&self.fields, a, b));
            alternatives.push(indices);
        }
        let empty_steps = self.fields.iter().any(|field| has_empty_step(&field.path));
        let end = self.reader.offset();
        Ok(Compiled { fields: self.fields, alternatives, paths: self.paths, empty_steps, end })
    }
}
