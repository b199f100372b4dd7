//! Objects, nesting and `$or`.

use std::collections::BTreeMap;

use super::match_expression::compile_entries;
use super::pattern_reader::PatternReader;
use crate::compiled_pattern::CompiledPattern;
use crate::complexity;
use crate::error::PatternError;
use crate::field_matcher::FieldMatcher;
use crate::field_paths::{FieldPathTree, compare_by_utf16, has_empty_step};
use crate::json::JsonToken;

/// The most combinations that the branches of `$or` may make (AWS's documented quota).
const MAX_OR_COMBINATIONS: usize = 1000;
/// The most fields of one combination (`GenericMachine.MAXIMUM_RULE_SIZE`).
const MAX_COMBINATION_FIELDS: usize = 256;

/// Names of fields that are reserved inside `$or` (`Constants.RESERVED_FIELD_NAMES_IN_OR_RELATIONSHIP`).
const NAMES_RESERVED_IN_OR: [&str; 24] = [
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

/// Compiles a pattern.
///
/// # Errors
/// In the engine's words: the first thing that is not JSON, or that the pattern language does not know.
pub(crate) fn compile(pattern: &str) -> Result<CompiledPattern, PatternError> {
    let mut reader = PatternReader::new(pattern);
    if reader.next_token()? != JsonToken::StartObject {
        return reader.refuse("Filter is not an object");
    }
    let mut compiler = PatternCompiler {
        reader,
        path: Vec::new(),
        fields: Vec::new(),
        combinations: Vec::new(),
        paths: FieldPathTree::default(),
    };
    compiler.compile_scopes()?;
    compiler.finish()
}

/// One way to match the pattern: path to field. A path that comes again takes the place of the earlier one, as in the engine.
type FieldCombination = BTreeMap<Vec<u8>, usize>;

/// Reads a pattern without recursion, so that nesting costs no stack.
struct PatternCompiler<'a> {
    reader: PatternReader<'a>,
    /// The names of the objects that are open.
    path: Vec<Vec<u8>>,
    fields: Vec<FieldMatcher>,
    /// The ways to match what has been read, multiplied out: two branches of `$or` before three of another make six.
    combinations: Vec<FieldCombination>,
    paths: FieldPathTree,
}

/// An object, or a `$or`, that has not ended.
enum OpenScope {
    Object(OpenObject),
    Or(OpenOr),
}

struct OpenObject {
    is_inside_or: bool,
    has_fields: bool,
    role: ObjectRole,
}

/// The place of an object in the pattern, which decides what remains to do when it ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ObjectRole {
    Pattern,
    ValueOfField,
    BranchOfOr,
}

struct OpenOr {
    /// The combinations before the `$or`. Each branch goes on from them.
    before: Vec<FieldCombination>,
    /// The combinations of the branches that have ended.
    branches: Vec<FieldCombination>,
    branch_count: usize,
}

impl PatternCompiler<'_> {
    fn compile_scopes(&mut self) -> Result<(), PatternError> {
        let pattern = OpenObject { is_inside_or: false, has_fields: false, role: ObjectRole::Pattern };
        let mut open = vec![OpenScope::Object(pattern)];
        while let Some(scope) = open.pop() {
            match scope {
                OpenScope::Object(object) => self.compile_in_object(&mut open, object)?,
                OpenScope::Or(or) => self.compile_in_or(&mut open, or)?,
            }
        }
        Ok(())
    }

    /// Reads what comes next in an object. The cases are tried in this order:
    ///
    /// 1. The object ends.
    /// 2. `$or`, whose value must be an array.
    /// 3. Inside of `$or`, a name that is reserved for operators is refused.
    /// 4. A field whose value is an object goes one step down the path.
    /// 5. A field whose value is an array is a field to be matched.
    /// 6. A field with any other value is refused.
    fn compile_in_object(
        &mut self,
        open: &mut Vec<OpenScope>,
        mut object: OpenObject,
    ) -> Result<(), PatternError> {
        // 1.
        if self.reader.next_token()? == JsonToken::EndObject {
            return self.end_object(open, &object);
        }
        let is_inside_or = object.is_inside_or;
        object.has_fields = true;
        open.push(OpenScope::Object(object));
        let name = self.reader.field_name();
        let step = name.decode().into_owned();
        // 2.
        if step == b"$or" {
            if self.reader.next_token()? != JsonToken::StartArray {
                return self.reader.refuse("It must be an Array followed with $or.");
            }
            let before = std::mem::take(&mut self.combinations);
            open.push(OpenScope::Or(OpenOr { before, branches: Vec::new(), branch_count: 0 }));
            return Ok(());
        }
        // 3.
        if is_inside_or && NAMES_RESERVED_IN_OR.iter().any(|reserved| reserved.as_bytes() == step) {
            let name = name.decode_lossy('?');
            return self
                .reader
                .refuse(format!("{name} is Ruler reserved fieldName which cannot be used inside $or."));
        }
        match self.reader.next_token()? {
            // 4.
            JsonToken::StartObject => {
                self.path.push(step);
                let role = ObjectRole::ValueOfField;
                open.push(OpenScope::Object(OpenObject { is_inside_or, has_fields: false, role }));
                Ok(())
            }
            // 5.
            JsonToken::StartArray => {
                self.path.push(step);
                let path = self.path.join(&b'.');
                self.path.pop();
                self.compile_field(path)
            }
            // 6.
            _ => {
                let name = name.decode_lossy('?');
                self.reader.refuse(format!("\"{name}\" must be an object or an array"))
            }
        }
    }

    fn end_object(&mut self, open: &mut [OpenScope], object: &OpenObject) -> Result<(), PatternError> {
        if !object.has_fields {
            return self.reader.refuse("Empty objects are not allowed");
        }
        match (object.role, open.last_mut()) {
            (ObjectRole::BranchOfOr, Some(OpenScope::Or(or))) => {
                or.branches.append(&mut self.combinations);
                if or.branches.len() > MAX_OR_COMBINATIONS {
                    let message = format!("$or spells out more than {MAX_OR_COMBINATIONS} combinations");
                    return self.reader.refuse(message);
                }
            }
            (ObjectRole::ValueOfField, _) => {
                self.path.pop();
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads the next branch of a `$or`, or its end.
    fn compile_in_or(&mut self, open: &mut Vec<OpenScope>, mut or: OpenOr) -> Result<(), PatternError> {
        match self.reader.next_token()? {
            JsonToken::EndArray if or.branch_count < 2 => {
                self.reader.refuse("There must have at least 2 Objects in $or relationship.")
            }
            JsonToken::EndArray => {
                self.combinations = or.branches;
                Ok(())
            }
            JsonToken::StartObject => {
                self.combinations.clone_from(&or.before);
                if self.combinations.is_empty() {
                    self.combinations.push(FieldCombination::new());
                }
                or.branch_count += 1;
                open.push(OpenScope::Or(or));
                let role = ObjectRole::BranchOfOr;
                open.push(OpenScope::Object(OpenObject { is_inside_or: true, has_fields: false, role }));
                Ok(())
            }
            _ => self.reader.refuse("Only JSON object is allowed in array of $or relationship."),
        }
    }

    /// Reads the array of a field and adds the field to every combination.
    fn compile_field(&mut self, path: Vec<u8>) -> Result<(), PatternError> {
        let matchers = compile_entries(&mut self.reader)?;
        let mut wildcards = Vec::new();
        for matcher in &matchers {
            matcher.push_wildcards(&mut wildcards);
        }
        if complexity::are_too_complex(&wildcards) {
            return self.reader.refuse(complexity::TOO_COMPLEX);
        }
        if self.combinations.is_empty() {
            self.combinations.push(FieldCombination::new());
        }
        for combination in &mut self.combinations {
            combination.insert(path.clone(), self.fields.len());
        }
        let slot = self.paths.insert(&path);
        self.fields.push(FieldMatcher::new(path, slot, matchers));
        Ok(())
    }

    fn finish(self) -> Result<CompiledPattern, PatternError> {
        let mut alternatives = Vec::with_capacity(self.combinations.len());
        for combination in &self.combinations {
            if combination.len() > MAX_COMBINATION_FIELDS {
                let message = format!("Size of rule 'rule' exceeds max value of {MAX_COMBINATION_FIELDS}");
                return self.reader.refuse(message);
            }
            let mut fields: Vec<usize> = combination.values().copied().collect();
            fields.sort_by(|a, b| compare_by_utf16(&self.fields[*a].path, &self.fields[*b].path));
            alternatives.push(fields);
        }
        Ok(CompiledPattern {
            looks_at_empty_steps: self.fields.iter().any(|field| has_empty_step(&field.path)),
            length: self.reader.offset(),
            fields: self.fields,
            alternatives,
            paths: self.paths,
        })
    }
}
